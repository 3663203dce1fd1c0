/* `tacit doctor`: which TEE is here, does it quote, is its collateral fresh, which advisories
 * apply, and what to do about it. One verdict, as everywhere; advice in words below it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tacit/quote.h>
#include <tacit/snp.h>

#include "attest/event_log.h"
#include "attest/verdict.h"
#include "base/limits.h"
#include "base/utc.h"
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/quote_json.h"
#include "cli/show.h"
#include "cli/tee_opts.h"
#include "cli/trust.h"
#include "crypto/random.h"

enum { REPORT_DATA_LEN = 64, MEMORY_MAX = 16 * 1024 * 1024 };

static const char command[] = "doctor";

struct job {
    struct trust trust;
    struct tee_choice tee_choice;
    bool is_json;
    struct tee *tee;
    char why[256];
    struct tacit_verdict *v;
    struct tacit_quote_result *result;
    struct buf quote;
    uint8_t report_data[REPORT_DATA_LEN];
};

static bool tee_check(struct job *j, const struct tee_opts *opts)
{
    struct row_scope scope = {j->v, "machine", "this machine", false};
    enum tacit_err err = tee_open(&j->tee, opts, j->why);

    if (err != TACIT_OK) {
        row_fail(&scope, "doctor.tee", TACIT_CAUSE_UNOBTAINABLE, "%s", j->why);
        return false;
    }
    row_pass(&scope, "doctor.tee");
    err = random_fill(j->report_data, REPORT_DATA_LEN) == TACIT_OK
              ? tee_quote(j->tee, &j->quote, j->report_data)
              : TACIT_IO;
    if (err != TACIT_OK) {
        row_fail(&scope, "doctor.quote", TACIT_CAUSE_UNOBTAINABLE, "%s gives no quote: %s",
                 tee_name(j->tee), tacit_err_text(err));
        return false;
    }
    row_pass(&scope, "doctor.quote");
    return true;
}

/* Whether the machine's own log replays to its own quote. */
static void log_check(struct job *j)
{
    struct row_scope scope = {j->v, "machine", "RTMR3 replay", true};
    struct buf json = buf_make(MEMORY_MAX);
    struct arena arena = arena_make(MEMORY_MAX);
    struct event_log log;
    enum tacit_err err = tee_event_log(j->tee, &json);

    if (err != TACIT_OK)
        row_not_run(&scope, "doctor.event_log", TACIT_CAUSE_UNOBTAINABLE,
                    "this environment has no event log: %s", tacit_err_text(err));
    else if (event_log_read(&log, buf_bytes(&json), &arena) != TACIT_OK)
        row_fail(&scope, "doctor.event_log", TACIT_CAUSE_UNPARSABLE,
                 "entry %zu of the event log is refused: %s", log.fault_index,
                 event_log_fault_name(log.fault));
    else if (!event_log_prove(&log, j->result->quote.td.rtmr))
        row_fail(&scope, "doctor.event_log", TACIT_CAUSE_MISMATCH,
                 "the event log does not replay to the quote's RTMRs");
    else
        row_pass(&scope, "doctor.event_log");
    buf_done(&json);
    arena_done(&arena);
}

static void quote_check(struct job *j)
{
    struct tacit_tdx_policy policy = tacit_tdx_policy_default();
    struct tacit_quote_input in = {.quote = buf_bytes(&j->quote),
                                   .root_der = j->trust.root_der,
                                   .now_unix_s = j->trust.now_unix_s,
                                   .policy = &policy,
                                   .report_data = j->report_data,
                                   .subject = "machine"};
    struct row_scope scope = {j->v, "machine", "Intel", false};
    struct tacit_report_opts opts = {0};
    struct tacit_collateral_need need;
    char why[TACIT_ROW_REASON_MAX] = "";

    trust_apply(&j->trust, &opts);
    if (tacit_quote_need(&need, in.quote) != TACIT_OK) {
        row_fail(&scope, "doctor.quote", TACIT_CAUSE_UNPARSABLE,
                 "the quote holds no PCK certificate chain");
        return;
    }
    if (opts.collateral(&in.collateral, why, &need, opts.collateral_ctx) != TACIT_OK) {
        row_not_run(&scope, "tdx.collateral", TACIT_CAUSE_UNOBTAINABLE, "%s", why);
        return;
    }
    if (tacit_quote_verify(j->v, j->result, &in) == TACIT_OK && j->result->is_genuine)
        log_check(j);
}

static void snp_note(struct job *j)
{
    struct row_scope scope = {j->v, "machine", "AMD", true};

    row_not_run(&scope, "snp.chain", TACIT_CAUSE_UNOBTAINABLE,
                "the chip's certificate must be fetched from AMD to judge this report");
}

static void advice_print(const struct job *j)
{
    const struct tacit_quote_result *r = j->result;

    if (j->tee == NULL) {
        (void)printf("\nWhat to do: run inside a confidential guest; `--tee simulator --tee-path "
                     "DIR` tries things out, and proves nothing.\n");
        return;
    }
    if (!r->is_genuine)
        return;
    quote_facts_print(stdout, r);
    switch (r->tcb_status) {
    case TACIT_TCB_UP_TO_DATE:
        (void)printf("\nNothing to do: the platform is up to date.\n");
        break;
    case TACIT_TCB_SW_HARDENING_NEEDED:
    case TACIT_TCB_CONFIGURATION_NEEDED:
    case TACIT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
        (void)printf("\nWhat to do: read the advisories above at intel.com/security-center; they "
                     "name BIOS settings or software mitigations. A verifier accepts this state "
                     "only if its policy lists it.\n");
        break;
    case TACIT_TCB_OUT_OF_DATE:
    case TACIT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED:
        (void)printf("\nWhat to do: the host needs newer firmware (BIOS, microcode or TDX module) "
                     "from its vendor; ask whoever runs the host.\n");
        break;
    case TACIT_TCB_TD_RELAUNCH_ADVISED:
    case TACIT_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED:
        (void)printf("\nWhat to do: restart this guest; the host runs a newer TDX module than the "
                     "one it was started with.\n");
        break;
    case TACIT_TCB_NONE:
    case TACIT_TCB_REVOKED:
        break;
    }
}

static int report_print(const struct job *j)
{
    if (j->is_json) {
        (void)show_verdict_json(stdout, j->v);
    } else {
        (void)printf("TEE          %s\n", j->tee == NULL ? "none" : tee_name(j->tee));
        show_verdict(stdout, j->v, true);
        advice_print(j);
    }
    return j->tee == NULL ? EXIT_UNKNOWN : show_exit_code(j->v);
}

static int run(struct job *j)
{
    struct tee_opts opts;

    j->v = calloc(1, sizeof(*j->v));
    j->result = calloc(1, sizeof(*j->result));
    j->quote = buf_make(LIMIT_QUOTE_BYTES);
    if (j->v == NULL || j->result == NULL)
        return cli_fail(command, "out of memory");
    if (!tee_choice_read(&opts, &j->tee_choice, command))
        return EXIT_UNKNOWN;
    if (tee_check(j, &opts)) {
        if (j->quote.len == TACIT_SNP_REPORT_LEN)
            snp_note(j);
        else
            quote_check(j);
    }
    return report_print(j);
}

int cmd_doctor(int argc, char **argv)
{
    struct job j = {0};
    const struct cli_opt opts[] = {
        TEE_OPTIONS(&j.tee_choice),
        TRUST_OPTIONS(&j.trust),
        {.name = "json", .help = "the verdict as JSON", .flag = &j.is_json},
    };
    const struct cli_usage usage = {
        "tacit doctor [--pccs intel] [options]",
        "Looks for this machine's TEE, asks it for a quote, judges that quote with current "
        "collateral, and says which advisories apply and what to do.",
        opts,
        ARRAY_LEN(opts),
        0,
        0};
    struct cli_args args;
    int code = cli_parse(&args, argc, argv, &usage);

    if (code != CLI_GO_ON)
        return code;
    code = trust_load(&j.trust, command) ? run(&j) : EXIT_UNKNOWN;
    trust_done(&j.trust);
    tee_close(j.tee);
    buf_done(&j.quote);
    free(j.v);
    free(j.result);
    return code;
}
