/* Supplemental data of a genuine quote (tdx.md 2.8). */
#include "attest/dcap_priv.h"
#include "base/utc.h"
#include "codec/jwalk.h"

/* Adds ids not yet listed, keeping the list in order. Documents hold at most LIMIT_TCB_ADVISORIES
 * a level, so that three levels fit. */
static void advisories_add(char (*list)[TACIT_ADVISORY_LEN], size_t *count,
                           const struct tcb_verdict *verdict)
{
    struct jwalk w;

    if (verdict == NULL || verdict->advisories.len == 0)
        return;
    w = jwalk_over((struct jval){JVAL_ARRAY, verdict->advisories});
    jwalk_enter(&w, '[');
    while (jwalk_item(&w)) {
        struct bytes id = jwalk_str(&w);
        char text[TACIT_ADVISORY_LEN] = {0};
        size_t at = *count;

        if (w.is_bad || id.len >= sizeof(text) || *count == TACIT_ADVISORIES_MAX)
            return;
        memcpy(text, id.ptr, id.len);
        while (at > 0 && strcmp(list[at - 1], text) > 0)
            at--;
        if (at > 0 && strcmp(list[at - 1], text) == 0)
            continue;
        memmove(list[at + 1], list[at], (*count - at) * sizeof(list[0]));
        memcpy(list[at], text, sizeof(text));
        (*count)++;
    }
}

static int64_t date_min(int64_t a, const struct tcb_verdict *v)
{
    return v != NULL && v->date_unix_s < a ? v->date_unix_s : a;
}

static int64_t outcome_date(const struct tcb_outcome *o, const struct tcb_verdict *qe)
{
    return date_min(date_min(o->platform->date_unix_s, o->module), qe);
}

static void tcb_fill(struct tacit_quote_result *out, const struct dcap_run *run)
{
    const struct tcb_verdict *qe = &run->qe_level->verdict;

    out->tcb_status = run->status;
    advisories_add(out->advisories, &out->advisory_count, run->launch.platform);
    advisories_add(out->advisories, &out->advisory_count, run->launch.module);
    advisories_add(out->advisories, &out->advisory_count, qe);
    out->tcb_date_unix_s = outcome_date(&run->launch, qe);
    if (run->current.platform == NULL)
        return;
    out->has_current = true;
    out->current_tcb_status = run->current.status;
    advisories_add(out->current_advisories, &out->current_advisory_count, run->current.platform);
    advisories_add(out->current_advisories, &out->current_advisory_count, run->current.module);
    advisories_add(out->current_advisories, &out->current_advisory_count, qe);
    out->current_tcb_date_unix_s = outcome_date(&run->current, qe);
}

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void dates_fill(struct tacit_quote_result *out, const struct dcap_run *run)
{
    const struct dcap_base *b = run->base;

    out->tcb_eval_number = b->tcb.eval_number;
    out->qe_eval_number = b->qe.eval_number;
    out->eval_number =
        b->tcb.eval_number < b->qe.eval_number ? b->tcb.eval_number : b->qe.eval_number;
    out->earliest_issue_unix_s =
        min_i64(min_i64(b->tcb.issue_unix_s, b->qe.issue_unix_s),
                min_i64(b->root_crl.this_update_unix_s, b->pck_crl.this_update_unix_s));
    out->latest_issue_unix_s =
        max_i64(max_i64(b->tcb.issue_unix_s, b->qe.issue_unix_s),
                max_i64(b->root_crl.this_update_unix_s, b->pck_crl.this_update_unix_s));
    out->json_earliest_expiry_unix_s = min_i64(b->tcb.next_update_unix_s, b->qe.next_update_unix_s);
    out->earliest_expiry_unix_s =
        min_i64(b->window.until_unix_s, run->platform->window.until_unix_s);
}

static void validities_fill(struct tacit_validity *v, const struct dcap_run *run)
{
    const struct dcap_base *b = run->base;
    const struct x509_cert *leaf = &run->platform->leaf;

    v[0] = (struct tacit_validity){"tdx.pck.validity", "root certificate",
                                   b->root.not_before_unix_s, b->root.not_after_unix_s};
    v[1] = (struct tacit_validity){"tdx.pck.validity", "PCK CA certificate",
                                   b->ca.not_before_unix_s, b->ca.not_after_unix_s};
    v[2] = (struct tacit_validity){"tdx.pck.validity", "PCK certificate", leaf->not_before_unix_s,
                                   leaf->not_after_unix_s};
    v[3] = (struct tacit_validity){"tdx.crl.root", "root CRL", b->root_crl.this_update_unix_s,
                                   b->root_crl.next_update_unix_s};
    v[4] = (struct tacit_validity){"tdx.crl.pck", "PCK CRL", b->pck_crl.this_update_unix_s,
                                   b->pck_crl.next_update_unix_s};
    v[5] = (struct tacit_validity){"tdx.tcb_info.chain", "TCB info's signing certificate",
                                   b->signers[0].not_before_unix_s, b->signers[0].not_after_unix_s};
    v[6] = (struct tacit_validity){"tdx.tcb_info.validity", "TCB info", b->tcb.issue_unix_s,
                                   b->tcb.next_update_unix_s};
    v[7] = (struct tacit_validity){"tdx.qe_identity.chain", "QE identity's signing certificate",
                                   b->signers[1].not_before_unix_s, b->signers[1].not_after_unix_s};
    v[8] = (struct tacit_validity){"tdx.qe_identity.validity", "QE identity", b->qe.issue_unix_s,
                                   b->qe.next_update_unix_s};
}

static void platform_fill(struct tacit_quote_result *out, const struct dcap_run *run)
{
    const struct sgx_ext *e = &run->platform->ext;
    struct bytes serial = run->platform->leaf.serial;

    memcpy(out->fmspc, e->fmspc, sizeof(out->fmspc));
    memcpy(out->pceid, e->pceid, sizeof(out->pceid));
    memcpy(out->ppid, e->ppid, sizeof(out->ppid));
    memcpy(out->cpusvn, e->cpusvn, sizeof(out->cpusvn));
    memcpy(out->tcb_components, e->components, sizeof(out->tcb_components));
    memcpy(out->platform_instance_id, e->platform_instance_id, sizeof(out->platform_instance_id));
    out->has_platform_instance_id = e->has_platform_instance_id;
    out->pcesvn = e->pcesvn;
    out->sgx_type = e->sgx_type;
    out->is_platform_ca = run->base->is_platform_ca;
    out->dynamic_platform = e->dynamic_platform;
    out->cached_keys = e->cached_keys;
    out->smt_enabled = e->smt_enabled;
    out->pck_serial_len = serial.len;
    if (serial.len > 0)
        memcpy(out->pck_serial, serial.ptr, serial.len);
}

void result_fill(struct tacit_quote_result *out, const struct dcap_run *run)
{
    out->is_genuine = true;
    out->is_simulated = run->is_simulated;
    out->quote = run->quote;
    tcb_fill(out, run);
    dates_fill(out, run);
    validities_fill(out->validities, run);
    platform_fill(out, run);
}

void tacit_quote_forecast(struct tacit_verdict *v, const struct tacit_quote_result *result,
                          const struct tacit_tdx_policy *policy, const char *subject,
                          int64_t then_unix_s)
{
    const struct row_scope rows = {v, subject != NULL ? subject : "quote",
                                   result->is_simulated ? "SIMULATED root" : "Intel SGX Root CA",
                                   false};
    char when[UTC_TEXT_LEN + 1];

    if (!result->is_genuine) {
        row_not_run(&rows, "tdx.forecast", TACIT_CAUSE_NONE, "the quote is not genuine now");
        return;
    }
    for (size_t i = 0; i < TACIT_VALIDITIES; i++) {
        const struct tacit_validity *d = &result->validities[i];
        bool is_early = then_unix_s < d->from_unix_s;

        utc_format(when, is_early ? d->from_unix_s : d->until_unix_s);
        if (!is_early && then_unix_s <= d->until_unix_s)
            row_pass(&rows, d->row);
        else
            row_fail(&rows, d->row, TACIT_CAUSE_OUT_OF_DATE, "the %s %s %s", d->what,
                     is_early ? "begins only" : "ends", when);
    }
    if (policy != NULL)
        tdx_policy_rows(&rows, policy, result, then_unix_s);
}
