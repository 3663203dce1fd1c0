/* `tacit attest`: asks this machine's environment for a quote and prints the evidence, for another
 * machine to verify. Judges nothing. */
#include <stdio.h>

#include "base/file.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/tee_opts.h"
#include "codec/hex.h"
#include "codec/jwrite.h"
#include "crypto/random.h"

enum { EVIDENCE_MAX = 16 * 1024 * 1024, REPORT_DATA_LEN = 64 };

static const char command[] = "attest";

struct wish {
    struct tee_choice tee;
    const char *report_data; /* up to 128 hex digits; NULL: random */
    const char *quote_path;  /* --quote FILE: the bare quote */
};

/* Shorter values are padded with zeros on the right, as the agents do. */
static bool report_data_read(uint8_t out[static REPORT_DATA_LEN], const char *hex)
{
    struct bytes text = bytes_of(hex);

    memset(out, 0, REPORT_DATA_LEN);
    if (hex == NULL) {
        if (random_fill(out, REPORT_DATA_LEN) == TACIT_OK)
            return true;
        (void)cli_fail(command, "the system gives no random octets");
        return false;
    }
    if (text.len <= 2 * REPORT_DATA_LEN && text.len % 2 == 0 &&
        hex_decode_fixed(out, text.len / 2, text) == TACIT_OK)
        return true;
    (void)cli_fail(command, "--report-data wants up to 128 hex digits");
    return false;
}

/* A part that this environment does not have is null, which is not the same as empty. */
static void part_put(struct jw *w, const char *name, enum tacit_err err, const struct buf *json)
{
    jw_key(w, name);
    if (err == TACIT_OK && json->len > 0)
        jw_raw(w, buf_bytes(json));
    else
        jw_null(w);
}

static void evidence_put(struct buf *out, struct tee *tee, const uint8_t *report_data,
                         const struct buf *quote)
{
    struct buf log = buf_make(EVIDENCE_MAX);
    struct buf info = buf_make(EVIDENCE_MAX);
    enum tacit_err log_err = tee_event_log(tee, &log);
    enum tacit_err info_err = tee_info(tee, &info);
    struct jw w = jw_make(out);

    jw_object(&w);
    jw_key_cstr(&w, "tee", tee_name(tee));
    jw_key(&w, "simulated");
    jw_bool(&w, tee_is_simulated(tee));
    jw_key(&w, "report_data");
    jw_hex(&w, bytes_make(report_data, REPORT_DATA_LEN));
    jw_key(&w, "quote");
    jw_hex(&w, buf_bytes(quote));
    part_put(&w, "event_log", log_err, &log);
    part_put(&w, "info", info_err, &info);
    jw_end(&w);
    buf_putc(out, '\n');
    buf_done(&log);
    buf_done(&info);
}

static int evidence_print(struct tee *tee, const struct wish *wish, const uint8_t *report_data)
{
    struct buf quote = buf_make(EVIDENCE_MAX);
    struct buf out = buf_make(EVIDENCE_MAX);
    enum tacit_err err = tee_quote(tee, &quote, report_data);
    int code = EXIT_TRUSTED;

    if (err != TACIT_OK) {
        code = cli_fail(command, "%s gives no quote: %s", tee_name(tee), tacit_err_text(err));
    } else if (wish->quote_path != NULL) {
        if (file_write(wish->quote_path, buf_bytes(&quote), 0644) != TACIT_OK)
            code = cli_fail(command, "cannot write %s", wish->quote_path);
    } else {
        evidence_put(&out, tee, report_data, &quote);
        if (buf_err(&out) != TACIT_OK || fwrite(out.ptr, 1, out.len, stdout) != out.len)
            code = cli_fail(command, "the evidence cannot be printed");
    }
    buf_done(&quote);
    buf_done(&out);
    return code;
}

int cmd_attest(int argc, char **argv)
{
    struct wish wish = {0};
    const struct cli_opt opts[] = {
        TEE_OPTIONS(&wish.tee),
        {.name = "report-data",
         .metavar = "HEX",
         .help = "what the quote is to bind, up to 64 octets (default: random)",
         .value = &wish.report_data},
        {.name = "quote",
         .metavar = "FILE",
         .help = "write the bare quote here instead of printing JSON",
         .value = &wish.quote_path},
    };
    const struct cli_usage usage = {"tacit attest [options]",
                                    "Prints this machine's evidence as JSON: quote, event log and "
                                    "what the environment says of itself. Judges nothing.",
                                    opts,
                                    ARRAY_LEN(opts),
                                    0,
                                    0};
    uint8_t report_data[REPORT_DATA_LEN];
    struct tee_opts tee_opts;
    struct tee *tee = NULL;
    struct cli_args args;
    char why[256];
    int code = cli_parse(&args, argc, argv, &usage);

    if (code != CLI_GO_ON)
        return code;
    if (!tee_choice_read(&tee_opts, &wish.tee, command) ||
        !report_data_read(report_data, wish.report_data))
        return EXIT_UNKNOWN;
    if (tee_open(&tee, &tee_opts, why) != TACIT_OK)
        return cli_fail(command, "%s", why);
    code = evidence_print(tee, &wish, report_data);
    tee_close(tee);
    return code;
}
