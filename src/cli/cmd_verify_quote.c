/* `tacit verify quote`: one SGX or TDX quote against its collateral, the appraisal policy, the
 * report data that was asked for, and an event log. */
#include <stdio.h>
#include <stdlib.h>

#include "attest/event_log.h"
#include "attest/tdx_policy.h"
#include "attest/verdict.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/utc.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/quote_json.h"
#include "cli/show.h"
#include "cli/trust.h"
#include "codec/hex.h"

enum { EVENT_LOG_LIMIT = 8 * 1024 * 1024 };

static const char command[] = "verify quote";

struct job {
    struct trust trust;
    struct tacit_tdx_policy policy;
    const char *policy_path; /* NULL: the default; "none": no appraisal */
    const char *report_data;
    const char *event_log;
    const char *then; /* --dry-run */
    bool is_json, is_brief;
    struct buf quote;
    struct buf log;
    struct tacit_verdict *verdict;
    struct tacit_quote_result *result;
};

/* The file as it is, or as hex text, which is how quotes travel in JSON. */
static bool quote_load(struct job *j, const char *path)
{
    struct buf raw = buf_make(LIMIT_QUOTE_BYTES * 2);
    bool is_read = file_read(&raw, path) == TACIT_OK;
    struct bytes text = bytes_trim(buf_bytes(&raw));

    j->quote = buf_make(LIMIT_QUOTE_BYTES * 2);
    if (is_read &&
        (text.len < 2 || !hex_is(text, text.len) || hex_decode(&j->quote, text) != TACIT_OK)) {
        buf_reset(&j->quote);
        buf_put(&j->quote, buf_bytes(&raw));
    }
    buf_done(&raw);
    if (!is_read)
        (void)cli_fail(command, "cannot read the quote %s (at most 2 MiB)", path);
    return is_read;
}

static bool policy_load(struct job *j)
{
    struct buf file = buf_make(LIMIT_POLICY_BYTES);
    char why[TDX_POLICY_WHY_MAX];
    bool ok = false;

    j->policy = tacit_tdx_policy_default();
    if (j->policy_path == NULL || strcmp(j->policy_path, "none") == 0)
        return true;
    if (file_read(&file, j->policy_path) != TACIT_OK)
        (void)cli_fail(command, "cannot read the policy %s", j->policy_path);
    else if (tdx_policy_parse(&j->policy, why, buf_bytes(&file), &j->trust.arena) != TACIT_OK)
        (void)cli_fail(command, "policy %s: %s", j->policy_path, why);
    else
        ok = true;
    buf_done(&file);
    return ok;
}

/* The log proves something only about a quote that is genuine. */
static void event_log_rows(struct job *j)
{
    struct row_scope rows = {j->verdict, "quote", "RTMR3 replay", false};
    const struct tacit_quote *q = &j->result->quote;
    struct arena arena = arena_make(LIMIT_QUOTE_BYTES * 16);
    struct event_log log;

    if (!j->result->is_genuine || q->body == TACIT_BODY_SGX) {
        row_not_run(&rows, "log.replay", TACIT_CAUSE_NONE, "there is no genuine TDX quote");
        return;
    }
    if (event_log_read(&log, buf_bytes(&j->log), &arena) != TACIT_OK)
        row_fail(&rows, "log.read", TACIT_CAUSE_UNPARSABLE,
                 "entry %zu of the event log is refused: %s", log.fault_index,
                 event_log_fault_name(log.fault));
    else if (!event_log_prove(&log, q->td.rtmr))
        row_fail(&rows, "log.replay", TACIT_CAUSE_MISMATCH,
                 "the events do not replay to the quote's RTMRs");
    else
        row_pass(&rows, "log.replay");
    arena_done(&arena);
}

/* TACIT_OK, or what the user must mend. */
static int forecast(struct job *j)
{
    struct tacit_tdx_policy *policy = &j->policy;
    int64_t then;

    if (utc_parse(&then, bytes_of(j->then)) != TACIT_OK)
        return cli_fail(command, "--dry-run wants YYYY-MM-DDThh:mm:ssZ");
    if (!j->result->is_genuine)
        return CLI_GO_ON;
    if (j->policy_path != NULL && strcmp(j->policy_path, "none") == 0)
        policy = NULL;
    memset(j->verdict, 0, sizeof(*j->verdict));
    j->verdict->is_simulated = j->result->is_simulated;
    tacit_quote_forecast(j->verdict, j->result, policy, NULL, then);
    return CLI_GO_ON;
}

static int judge(struct job *j)
{
    uint8_t report_data[64];
    struct tacit_quote_input in = {
        .quote = buf_bytes(&j->quote),
        .root_der = j->trust.root_der,
        .now_unix_s = j->trust.now_unix_s,
    };
    struct tacit_report_opts opts = {0};
    struct tacit_collateral_need need;
    char why[TACIT_ROW_REASON_MAX] = "";

    if (j->policy_path == NULL || strcmp(j->policy_path, "none") != 0)
        in.policy = &j->policy;
    if (j->report_data != NULL) {
        if (hex_decode_fixed(report_data, 64, bytes_of(j->report_data)) != TACIT_OK)
            return cli_fail(command, "--report-data wants 128 hex digits");
        in.report_data = report_data;
    }
    trust_apply(&j->trust, &opts);
    if (tacit_quote_need(&need, in.quote) != TACIT_OK)
        need = (struct tacit_collateral_need){0};
    if (opts.collateral == NULL ||
        opts.collateral(&in.collateral, why, &need, opts.collateral_ctx) != TACIT_OK)
        return cli_fail(command, "%s", why[0] != 0 ? why : "no --collateral was given");
    if (tacit_quote_verify(j->verdict, j->result, &in) != TACIT_OK)
        return cli_fail(command, "the quote could not be evaluated: %s",
                        j->verdict->count > 0 ? j->verdict->rows[j->verdict->count - 1].reason
                                              : "out of memory");
    if (j->event_log != NULL)
        event_log_rows(j);
    return j->then != NULL ? forecast(j) : CLI_GO_ON;
}

static int job_run(struct job *j, const char *path)
{
    if (!trust_load(&j->trust, command) || !policy_load(j) || !quote_load(j, path))
        return EXIT_UNKNOWN;
    j->log = buf_make(EVENT_LOG_LIMIT);
    if (j->event_log != NULL && file_read(&j->log, j->event_log) != TACIT_OK)
        return cli_fail(command, "cannot read the event log %s", j->event_log);
    return judge(j);
}

static int job_show(const struct job *j)
{
    int code = show_exit_code(j->verdict);

    if (j->is_json)
        return quote_json_print(stdout, j->verdict, j->result) ? code : EXIT_UNKNOWN;
    show_verdict(stdout, j->verdict, j->is_brief);
    quote_facts_print(stdout, j->result);
    return code;
}

int cmd_verify_quote(int argc, char **argv)
{
    struct job j = {.verdict = calloc(1, sizeof(struct tacit_verdict)),
                    .result = calloc(1, sizeof(struct tacit_quote_result))};
    struct cli_args args;
    const struct cli_opt opts[] = {
        {.name = "policy",
         .metavar = "FILE",
         .help = "appraisal policy (docs/policy.md), or none; default: UpToDate, no debug",
         .value = &j.policy_path},
        {.name = "report-data",
         .metavar = "HEX",
         .help = "the 64 octets that REPORTDATA must be",
         .value = &j.report_data},
        {.name = "event-log",
         .metavar = "FILE",
         .help = "dstack event log that must replay to the quote's RTMRs",
         .value = &j.event_log},
        {.name = "dry-run",
         .metavar = "TIME",
         .help = "say what would fail at that time, YYYY-MM-DDThh:mm:ssZ",
         .value = &j.then},
        TRUST_OPTIONS(&j.trust),
        {.name = "json", .help = "the verdict as JSON", .flag = &j.is_json},
        {.name = "brief", .help = "count passed rows instead of listing them", .flag = &j.is_brief},
    };
    const struct cli_usage usage = {
        .synopsis = "tacit verify quote FILE --collateral FILE [options]",
        .about = "Verifies an Intel SGX or TDX quote (raw or hex), offline, to Intel's root.",
        .opts = opts,
        .opt_count = ARRAY_LEN(opts),
        .min_args = 1,
        .max_args = 1};
    int code = EXIT_UNKNOWN;

    if (j.verdict != NULL && j.result != NULL)
        code = cli_parse(&args, argc, argv, &usage);
    if (code == CLI_GO_ON) {
        code = job_run(&j, args.items[0]);
        if (code == CLI_GO_ON)
            code = job_show(&j);
        else if (j.is_json)
            quote_json_error(stdout);
    }
    trust_done(&j.trust);
    buf_done(&j.quote);
    buf_done(&j.log);
    free(j.verdict);
    free(j.result);
    return code;
}
