/* `tacit sim quote`: one quote of the simulated platform, honest or with a fault, and everything
 * that a verifier wants beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/sim_cli.h"
#include "codec/hex.h"

enum { FILE_MAX = 1 << 20, REPORT_DATA_LEN = 64 };

static const char command[] = "sim quote";

struct wish {
    const char *report_data, *fault, *body, *version, *workload, *out, *at;
    bool is_processor_ca;
};

static bool body_of(enum tacit_quote_body *out, const char *name)
{
    static const struct {
        const char *name;
        enum tacit_quote_body body;
    } bodies[] = {{"sgx", TACIT_BODY_SGX},
                  {"td10", TACIT_BODY_TD10},
                  {"td15", TACIT_BODY_TD15},
                  {"td15ex", TACIT_BODY_TD15_EX}};

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        if (strcmp(name, bodies[i].name) == 0) {
            *out = bodies[i].body;
            return true;
        }
    (void)cli_fail(command, "there is no body '%s': sgx, td10, td15, td15ex", name);
    return false;
}

/* TD 1.5 bodies exist in version 5 only, so that is what they get unless another is asked for. */
static bool shape_of(struct sim_shape *out, const struct wish *wish)
{
    uint64_t version;

    *out = sim_shape_default();
    out->is_processor_ca = wish->is_processor_ca;
    if (wish->body != NULL && !body_of(&out->body, wish->body))
        return false;
    version = out->body > TACIT_BODY_TD10 ? 5 : 4;
    if (wish->version != NULL && !cli_number(&version, wish->version, 5)) {
        (void)cli_fail(command, "the version is 3, 4 or 5");
        return false;
    }
    out->version = (uint16_t)version;
    return true;
}

static bool report_data_of(uint8_t out[static REPORT_DATA_LEN], const char *text)
{
    memset(out, 0, REPORT_DATA_LEN);
    if (text == NULL || hex_decode_fixed(out, REPORT_DATA_LEN, bytes_of(text)) == TACIT_OK)
        return true;
    (void)cli_fail(command, "report data has 128 hexadecimal digits");
    return false;
}

/* PREFIX.suffix */
static bool write_beside(const char *prefix, const char *suffix, const struct buf *content)
{
    char *path = NULL;
    bool ok;

    if (asprintf(&path, "%s.%s", prefix, suffix) < 0)
        return false;
    ok = sim_cli_write(command, path, content);
    free(path);
    return ok;
}

static bool write_all(struct sim *sim, struct sim_td *td, const struct wish *wish,
                      const struct buf *quote, int64_t now)
{
    struct buf log = buf_make(FILE_MAX), info = buf_make(FILE_MAX);
    struct buf collateral = buf_make(FILE_MAX), root = buf_make(FILE_MAX);
    bool ok = sim_td_event_log(td, &log) == TACIT_OK && sim_td_info(td, &info) == TACIT_OK &&
              sim_collateral(sim, &collateral, now) == TACIT_OK &&
              sim_root_pem(sim, &root) == TACIT_OK;

    if (!ok)
        (void)cli_fail(command, "out of memory");
    ok = ok && write_beside(wish->out, "quote", quote) &&
         write_beside(wish->out, "events.json", &log) &&
         write_beside(wish->out, "info.json", &info) &&
         write_beside(wish->out, "collateral.json", &collateral) &&
         write_beside(wish->out, "root.pem", &root);
    buf_done(&log);
    buf_done(&info);
    buf_done(&collateral);
    buf_done(&root);
    return ok;
}

static bool print_hex(const struct buf *quote)
{
    struct buf hex = buf_make(FILE_MAX);
    bool ok;

    buf_hex(&hex, buf_bytes(quote));
    ok = buf_cstr(&hex) != NULL && puts(buf_cstr(&hex)) >= 0;
    buf_done(&hex);
    return ok;
}

static int quote_make(struct sim *sim, const struct wish *wish, struct sim_shape shape,
                      const uint8_t report_data[static REPORT_DATA_LEN], int64_t now)
{
    struct buf quote = buf_make(FILE_MAX);
    struct sim_td *td = NULL;
    enum tacit_err err = TACIT_OK;
    bool ok = false;

    /* A fault may need a shape of its own; only what was asked for overrules it. */
    if (wish->body != NULL || wish->version != NULL || wish->is_processor_ca)
        err = sim_set_shape(sim, shape);
    if (err == TACIT_OK)
        err = sim_td_new(&td, sim, wish->workload == NULL ? "tacit" : wish->workload);
    if (err == TACIT_OK)
        err = sim_td_quote(td, &quote, report_data);
    if (err == TACIT_UNSUPPORTED)
        (void)cli_fail(command, "quotes of that version have no such body");
    else if (err == TACIT_USAGE)
        (void)cli_fail(command, "a workload's name has 1 to 40 letters, digits, '-', '_', '.'");
    else if (err != TACIT_OK)
        (void)cli_fail(command, "%s", tacit_err_text(err));
    else
        ok = wish->out == NULL ? print_hex(&quote) : write_all(sim, td, wish, &quote, now);
    sim_td_free(td);
    buf_done(&quote);
    return ok ? 0 : EXIT_UNKNOWN;
}

int cmd_sim_quote(int argc, char **argv)
{
    struct wish wish = {0};
    const struct cli_opt opts[] = {
        {.name = "report-data",
         .metavar = "HEX",
         .help = "64 octets; zeros if not given",
         .value = &wish.report_data},
        {.name = "fault",
         .metavar = "NAME",
         .help = "go wrong: see `tacit sim faults`",
         .value = &wish.fault},
        {.name = "body",
         .metavar = "KIND",
         .help = "sgx, td10 (default), td15 or td15ex",
         .value = &wish.body},
        {.name = "quote-version",
         .metavar = "N",
         .help = "3 (SGX), 4 (default) or 5",
         .value = &wish.version},
        {.name = "processor-ca",
         .help = "certified by the Processor CA, not the Platform CA",
         .flag = &wish.is_processor_ca},
        {.name = "workload",
         .metavar = "NAME",
         .help = "of the application; part of what is measured",
         .value = &wish.workload},
        {.name = "out",
         .metavar = "PREFIX",
         .help = "write PREFIX.quote, .events.json, .info.json, .collateral.json, .root.pem; "
                 "without it the quote is printed in hex",
         .value = &wish.out},
        {.name = "at",
         .metavar = "TIME",
         .help = "collateral as of YYYY-MM-DDThh:mm:ssZ, not now",
         .value = &wish.at},
    };
    const struct cli_usage usage = {.synopsis = "tacit sim quote DIR [options]",
                                    .about = "Makes a quote of the simulated platform in DIR, "
                                             "which is made if it is missing.",
                                    .opts = opts,
                                    .opt_count = ARRAY_LEN(opts),
                                    .min_args = 1,
                                    .max_args = 1};
    uint8_t report_data[REPORT_DATA_LEN];
    struct sim_shape shape;
    struct cli_args args;
    struct sim *sim;
    int64_t now;
    int code = cli_parse(&args, argc, argv, &usage);

    if (code != CLI_GO_ON)
        return code;
    if (!report_data_of(report_data, wish.report_data) || !shape_of(&shape, &wish) ||
        !sim_cli_time(&now, command, wish.at) ||
        !sim_cli_open(&sim, command, args.items[0], wish.fault))
        return EXIT_UNKNOWN;
    code = quote_make(sim, &wish, shape, report_data, now);
    sim_free(sim);
    return code;
}
