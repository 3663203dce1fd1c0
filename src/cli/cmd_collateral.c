/* `tacit collateral fetch|show|check`: what quotes are judged by, on its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attest/collateral_check.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/utc.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/show.h"
#include "cli/trust.h"
#include "codec/hex.h"

#include <tacit/quote.h>

struct wish {
    struct trust trust;
    const char *fmspc, *ca, *tee, *quote_path, *out_path;
    bool is_json;
};

static bool need_from_quote(struct tacit_collateral_need *need, const char *path,
                            const char *command)
{
    struct buf quote = buf_make(LIMIT_QUOTE_BYTES);
    struct buf raw = buf_make(LIMIT_QUOTE_BYTES);
    enum tacit_err err = file_read(&raw, path);
    struct bytes text = bytes_trim(buf_bytes(&raw));

    if (err == TACIT_OK && (!hex_is(text, text.len) || hex_decode(&quote, text) != TACIT_OK)) {
        buf_reset(&quote);
        buf_put(&quote, buf_bytes(&raw));
    }
    if (err == TACIT_OK)
        err = tacit_quote_need(need, buf_bytes(&quote));
    buf_done(&raw);
    buf_done(&quote);
    if (err != TACIT_OK)
        (void)cli_fail(command, "%s is no quote with a PCK chain", path);
    return err == TACIT_OK;
}

static bool one_of(bool *is_first, const char *text, const char *first, const char *second)
{
    *is_first = text == NULL || strcmp(text, first) == 0;
    return *is_first || strcmp(text, second) == 0;
}

static bool need_read(struct tacit_collateral_need *need, const struct wish *wish,
                      const char *command)
{
    *need = (struct tacit_collateral_need){0};
    if (wish->quote_path != NULL)
        return need_from_quote(need, wish->quote_path, command);
    if (wish->fmspc == NULL ||
        hex_decode_fixed(need->fmspc, sizeof(need->fmspc), bytes_of(wish->fmspc)) != TACIT_OK) {
        (void)cli_fail(command, "--quote FILE or --fmspc with 12 hex digits is needed");
        return false;
    }
    if (one_of(&need->is_platform_ca, wish->ca, "platform", "processor") &&
        one_of(&need->is_tdx, wish->tee, "tdx", "sgx"))
        return true;
    (void)cli_fail(command, "--ca is platform or processor, --tee tdx or sgx");
    return false;
}

static int fetch_run(struct wish *wish, const char *command)
{
    struct tacit_collateral_need need;
    struct bytes json;
    char why[TACIT_ROW_REASON_MAX] = "";

    if (!need_read(&need, wish, command))
        return EXIT_UNKNOWN;
    if (!pccs_is_open(&wish->trust.pccs))
        return cli_fail(command, "--pccs URL or --pccs intel says where from");
    if (collateral_loan_get(&json, why, &need, &wish->trust.pccs.loan) != TACIT_OK)
        return cli_fail(command, "%s", why);
    if (wish->out_path == NULL)
        return fwrite(json.ptr, 1, json.len, stdout) == json.len && putchar('\n') == '\n'
                   ? EXIT_TRUSTED
                   : cli_fail(command, "the collateral cannot be printed");
    if (file_write(wish->out_path, json, 0644) != TACIT_OK)
        return cli_fail(command, "cannot write %s", wish->out_path);
    return EXIT_TRUSTED;
}

static void date_print(const char *label, int64_t unix_s, int64_t now)
{
    char when[UTC_TEXT_LEN + 1];

    utc_format(when, unix_s);
    (void)printf("%-22s %s  (%lld days left)\n", label, when,
                 (long long)((unix_s - now) / (24 * 3600)));
}

static void facts_print(const struct collateral_facts *f, int64_t now)
{
    char fmspc[13];

    hex_encode(fmspc, sizeof(fmspc), BYTES_ARRAY(f->need.fmspc));
    (void)printf("%-22s %s, %s, %s CA\n", "platform", fmspc, f->need.is_tdx ? "TDX" : "SGX",
                 f->need.is_platform_ca ? "Platform" : "Processor");
    (void)printf("%-22s TCB info %u, QE identity %u\n", "evaluation numbers", f->tcb_eval_number,
                 f->qe_eval_number);
    (void)printf("%-22s %zu\n", "TCB levels", f->tcb_levels);
    (void)printf("%-22s %zu\n", "revoked PCK", f->revoked_pck);
    date_print("TCB info until", f->tcb_until_unix_s, now);
    date_print("QE identity until", f->qe_until_unix_s, now);
    date_print("PCK CRL until", f->pck_crl_until_unix_s, now);
    date_print("root CRL until", f->root_crl_until_unix_s, now);
    date_print("all of it until", f->until_unix_s, now);
}

/* show: facts above the verdict; check: the verdict only. */
static int judge_run(struct wish *wish, const char *path, const char *command, bool is_show)
{
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct buf json = buf_make(LIMIT_COLLATERAL_BYTES);
    struct collateral_facts facts = {0};
    enum tacit_err err = file_read(&json, path);
    int code;

    if (err != TACIT_OK) {
        code = cli_fail(command, "cannot read %s: %s", path, tacit_err_text(err));
        goto out;
    }
    err = v == NULL ? TACIT_NOMEM
                    : collateral_check(v, &facts, buf_bytes(&json), wish->trust.root_der, NULL,
                                       wish->trust.now_unix_s);
    if (err != TACIT_OK) {
        code = cli_fail(command, "cannot be evaluated: %s", tacit_err_text(err));
        goto out;
    }
    if (is_show && !wish->is_json && facts.until_unix_s != 0)
        facts_print(&facts, wish->trust.now_unix_s);
    if (wish->is_json)
        (void)show_verdict_json(stdout, v);
    else
        show_verdict(stdout, v, is_show);
    code = show_exit_code(v);
out:
    buf_done(&json);
    free(v);
    return code;
}

static int sub_main(int argc, char **argv, const char *command, bool is_fetch, bool is_show)
{
    struct wish wish = {0};
    const struct cli_opt fetch_opts[] = {
        TRUST_OPTIONS(&wish.trust),
        {.name = "quote",
         .metavar = "FILE",
         .help = "for the platform of this quote",
         .value = &wish.quote_path},
        {.name = "fmspc",
         .metavar = "HEX",
         .help = "for this platform, 12 hex digits",
         .value = &wish.fmspc},
        {.name = "ca",
         .metavar = "CA",
         .help = "platform (default) or processor",
         .value = &wish.ca},
        {.name = "tee", .metavar = "TEE", .help = "tdx (default) or sgx", .value = &wish.tee},
        {.name = "out",
         .metavar = "FILE",
         .help = "write here instead of printing",
         .value = &wish.out_path},
    };
    const struct cli_opt judge_opts[] = {
        TRUST_OPTIONS(&wish.trust),
        {.name = "json", .help = "the verdict as JSON", .flag = &wish.is_json},
    };
    const struct cli_usage fetch_usage = {
        "tacit collateral fetch --pccs URL|intel (--quote FILE | --fmspc HEX) [options]",
        "Fetches a platform's collateral, verifies it, and prints it as compact JSON.",
        fetch_opts,
        ARRAY_LEN(fetch_opts),
        0,
        0};
    const struct cli_usage judge_usage = {
        is_show ? "tacit collateral show FILE [options]" : "tacit collateral check FILE [options]",
        "Verifies every document of a collateral file, and says until when it is valid.",
        judge_opts,
        ARRAY_LEN(judge_opts),
        1,
        1};
    struct cli_args args;
    int code = cli_parse(&args, argc, argv, is_fetch ? &fetch_usage : &judge_usage);

    if (code != CLI_GO_ON)
        return code;
    if (!trust_load(&wish.trust, command))
        code = EXIT_UNKNOWN;
    else
        code = is_fetch ? fetch_run(&wish, command)
                        : judge_run(&wish, args.items[0], command, is_show);
    trust_done(&wish.trust);
    return code;
}

static void print_usage(FILE *f)
{
    (void)fprintf(f, "usage: tacit collateral fetch|show|check …\n\n"
                     "  fetch   get a platform's collateral from Intel or a PCCS\n"
                     "  show    what a collateral file holds, and until when\n"
                     "  check   verify a collateral file\n");
}

int cmd_collateral(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "fetch") == 0)
        return sub_main(argc - 1, argv + 1, "collateral fetch", true, false);
    if (argc >= 2 && strcmp(argv[1], "show") == 0)
        return sub_main(argc - 1, argv + 1, "collateral show", false, true);
    if (argc >= 2 && strcmp(argv[1], "check") == 0)
        return sub_main(argc - 1, argv + 1, "collateral check", false, false);
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_usage(stdout);
        return EXIT_TRUSTED;
    }
    print_usage(stderr);
    return EXIT_UNKNOWN;
}
