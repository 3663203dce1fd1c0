/* Rows of a DCAP verification. Invariant: checks get their rows in the order of the enum, each
 * exactly one. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "attest/dcap_priv.h"

static const char *const ids[CHECK_COUNT] = {
    [CHECK_QUOTE_PARSE] = "tdx.quote.parse",
    [CHECK_COLLATERAL] = "tdx.collateral",
    [CHECK_PCK_PARSE] = "tdx.pck.parse",
    [CHECK_PCK_ROOT] = "tdx.pck.root",
    [CHECK_PCK_CHAIN] = "tdx.pck.chain",
    [CHECK_PCK_VALIDITY] = "tdx.pck.validity",
    [CHECK_PCK_EXTENSION] = "tdx.pck.extension",
    [CHECK_CRL_ROOT] = "tdx.crl.root",
    [CHECK_CRL_PCK] = "tdx.crl.pck",
    [CHECK_PCK_REVOCATION] = "tdx.pck.revocation",
    [CHECK_TCB_CHAIN] = "tdx.tcb_info.chain",
    [CHECK_TCB_SIGNATURE] = "tdx.tcb_info.signature",
    [CHECK_TCB_PARSE] = "tdx.tcb_info.parse",
    [CHECK_TCB_VALIDITY] = "tdx.tcb_info.validity",
    [CHECK_TCB_PLATFORM] = "tdx.tcb_info.platform",
    [CHECK_QEID_CHAIN] = "tdx.qe_identity.chain",
    [CHECK_QEID_SIGNATURE] = "tdx.qe_identity.signature",
    [CHECK_QEID_PARSE] = "tdx.qe_identity.parse",
    [CHECK_QEID_VALIDITY] = "tdx.qe_identity.validity",
    [CHECK_QE_SIGNATURE] = "tdx.qe.signature",
    [CHECK_QE_BINDING] = "tdx.qe.binding",
    [CHECK_QE_IDENTITY] = "tdx.qe.identity",
    [CHECK_QUOTE_SIGNATURE] = "tdx.quote.signature",
    [CHECK_TDX_MODULE] = "tdx.module",
    [CHECK_TCB_LEVEL] = "tdx.tcb.level",
};

const char *dcap_check_id(enum dcap_check check)
{
    return ids[check];
}

bool run_pass(struct dcap_run *run, enum dcap_check check)
{
    assert(run->next == check);
    row_pass(&run->rows, ids[check]);
    run->next = check + 1;
    return true;
}

bool run_fail(struct dcap_run *run, enum dcap_check check, enum tacit_row_cause cause,
              const char *fmt, ...)
{
    char reason[TACIT_ROW_REASON_MAX];
    va_list args;

    assert(run->next == check);
    va_start(args, fmt);
    if (vsnprintf(reason, sizeof(reason), fmt, args) < 0)
        reason[0] = 0;
    va_end(args);
    row_fail(&run->rows, ids[check], cause, "%s", reason);
    run->next = check + 1;
    return false;
}

bool run_nomem(struct dcap_run *run, enum dcap_check check)
{
    assert(run->next == check);
    row_not_run(&run->rows, ids[check], TACIT_CAUSE_UNOBTAINABLE, "out of memory");
    run->next = check + 1;
    run->err = TACIT_NOMEM;
    return false;
}

void run_close(struct dcap_run *run)
{
    const char *after = run->next > 0 ? ids[run->next - 1] : "start";

    for (; run->next < CHECK_COUNT; run->next++)
        row_not_run(&run->rows, ids[run->next], TACIT_CAUSE_NONE, "not reached after %s", after);
}

void window_cut(struct dcap_window *w, int64_t from_unix_s, int64_t until_unix_s)
{
    if (from_unix_s > w->from_unix_s)
        w->from_unix_s = from_unix_s;
    if (until_unix_s < w->until_unix_s)
        w->until_unix_s = until_unix_s;
}

bool window_has(const struct dcap_window *w, int64_t unix_s)
{
    return w->from_unix_s <= unix_s && unix_s <= w->until_unix_s;
}
