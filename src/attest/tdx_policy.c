/* Appraisal of a genuine quote: what the relying party demands beyond being genuine (tdx.md 2.9).
 * Invariant: every demand gets its own row, whether the others passed or not. */
#include "attest/dcap_priv.h"

#include "base/utc.h"

enum { DAY_S = 86400 };

#define AUTHORITY "appraisal policy"

struct tacit_tdx_policy tacit_tdx_policy_default(void)
{
    return (struct tacit_tdx_policy){.tcb_accepted = BIT(TACIT_TCB_UP_TO_DATE)};
}

struct appraisal {
    const struct row_scope *rows;
    const struct tacit_tdx_policy *policy;
    const struct tacit_quote_result *result;
    int64_t now_unix_s;
};

static void demand(const struct appraisal *a, const char *id, bool is_met, const char *reason)
{
    if (is_met)
        row_pass(a->rows, id);
    else
        row_fail(a->rows, id, TACIT_CAUSE_POLICY, "%s", reason);
}

static bool is_outdated(enum tacit_tcb_status status)
{
    return status == TACIT_TCB_OUT_OF_DATE ||
           status == TACIT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED ||
           status == TACIT_TCB_TD_RELAUNCH_ADVISED ||
           status == TACIT_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
}

static bool is_in_grace(const struct appraisal *a)
{
    int64_t grace_s = (int64_t)a->policy->grace_days * DAY_S;

    return is_outdated(a->result->tcb_status) && a->policy->grace_days > 0 &&
           a->now_unix_s <= a->result->tcb_date_unix_s + grace_s;
}

static void status_row(const struct appraisal *a)
{
    enum tacit_tcb_status status = a->result->tcb_status;
    bool is_listed = status != TACIT_TCB_NONE && status != TACIT_TCB_REVOKED &&
                     (a->policy->tcb_accepted & BIT(status));
    char date[UTC_TEXT_LEN + 1];

    if (is_listed || is_in_grace(a)) {
        row_pass(a->rows, "tdx.policy.tcb_status");
        return;
    }
    utc_format(date, a->result->tcb_date_unix_s);
    row_fail(a->rows, "tdx.policy.tcb_status",
             is_outdated(status) ? TACIT_CAUSE_OUT_OF_DATE : TACIT_CAUSE_POLICY,
             "TCB status %s (level of %.10s) is not accepted", tacit_tcb_status_name(status), date);
}

static bool is_accepted(const struct tacit_tdx_policy *p, const char *advisory)
{
    for (size_t i = 0; i < p->advisories_accepted_count; i++)
        if (strcmp(p->advisories_accepted[i], advisory) == 0)
            return true;
    return false;
}

static void advisories_row(const struct appraisal *a)
{
    const struct tacit_quote_result *r = a->result;

    if (a->policy->advisories_accepted == NULL || r->tcb_status == TACIT_TCB_UP_TO_DATE)
        return;
    for (size_t i = 0; i < r->advisory_count; i++)
        if (!is_accepted(a->policy, r->advisories[i])) {
            row_fail(a->rows, "tdx.policy.advisories", TACIT_CAUSE_POLICY,
                     "advisory %s is not accepted", r->advisories[i]);
            return;
        }
    row_pass(a->rows, "tdx.policy.advisories");
}

static void number_rows(const struct appraisal *a)
{
    const struct tacit_tdx_policy *p = a->policy;

    if (p->min_eval_number > 0) {
        if (a->result->eval_number >= p->min_eval_number)
            row_pass(a->rows, "tdx.policy.eval_number");
        else
            row_fail(a->rows, "tdx.policy.eval_number", TACIT_CAUSE_OUT_OF_DATE,
                     "TCB evaluation data number %u is below %u", a->result->eval_number,
                     p->min_eval_number);
    }
    if (p->min_tcb_date_unix_s != 0)
        demand(a, "tdx.policy.tcb_date", a->result->tcb_date_unix_s >= p->min_tcb_date_unix_s,
               "the TCB level is older than demanded");
}

static void td_rows(const struct appraisal *a)
{
    const struct tacit_td_report *td = &a->result->quote.td;
    const struct tacit_tdx_policy *p = a->policy;
    uint64_t attr = quote_u64(td->td_attributes);
    uint64_t xfam = quote_u64(td->xfam);

    demand(a, "tdx.policy.debug", p->allow_debug || !(attr & TD_ATTR_UNDER_DEBUG),
           "the TD is under debug: its host can read its memory");
    demand(a, "tdx.policy.migratable", p->allow_migratable || !(attr & TD_ATTR_MIGRATABLE),
           "the TD may be migrated");
    demand(a, "tdx.policy.attributes",
           p->allow_reserved_attributes ||
               !(attr & ~(TD_ATTR_KNOWN | (p->allow_debug ? TD_ATTR_UNDER_DEBUG : 0))),
           "the TD has attributes that are reserved");
    demand(a, "tdx.policy.xfam",
           p->allow_any_xfam || ((xfam & XFAM_FIXED1) == XFAM_FIXED1 && !(xfam & ~XFAM_ALLOWED)),
           "XFAM lacks bits that must be set, or has bits that must not");
    if (attr & TD_ATTR_SEPT_VE_DISABLE)
        row_pass(a->rows, "tdx.policy.sept_ve_disable");
    else if (p->require_sept_ve_disable)
        row_fail(a->rows, "tdx.policy.sept_ve_disable", TACIT_CAUSE_POLICY,
                 "SEPT_VE_DISABLE is not set");
    else
        row_note(a->rows, "tdx.policy.sept_ve_disable", "SEPT_VE_DISABLE is not set; accepted");
}

static bool is_pinned(const struct tacit_pins *pins, struct bytes value)
{
    for (size_t i = 0; i < pins->count; i++)
        if (bytes_eq(pins->any_of[i], value))
            return true;
    return false;
}

static void service_td_row(const struct appraisal *a)
{
    struct bytes mr = a->result->quote.td.mrservicetd;

    demand(a, "tdx.policy.service_td",
           a->policy->allow_service_td || bytes_is_zero(mr) ||
               is_pinned(&a->policy->service_tds, mr),
           "a service TD is part of the trusted base and is not on the list");
}

static void pin_row(const struct appraisal *a, const char *id, const struct tacit_pins *pins,
                    struct bytes value, const char *name)
{
    if (pins->count == 0)
        return;
    if (value.len == 0)
        row_fail(a->rows, id, TACIT_CAUSE_POLICY, "%s is pinned, and the quote has none", name);
    else if (!is_pinned(pins, value))
        row_fail(a->rows, id, TACIT_CAUSE_POLICY, "%s is not one of the values allowed", name);
    else
        row_pass(a->rows, id);
}

static void measurement_rows(const struct appraisal *a)
{
    static const char *const rtmr_ids[] = {"tdx.policy.rtmr0", "tdx.policy.rtmr1",
                                           "tdx.policy.rtmr2", "tdx.policy.rtmr3"};
    static const char *const rtmr_names[] = {"RTMR0", "RTMR1", "RTMR2", "RTMR3"};
    const struct tacit_td_report *td = &a->result->quote.td;
    const struct tacit_sgx_report *sgx = &a->result->quote.sgx;
    const struct tacit_tdx_policy *p = a->policy;

    pin_row(a, "tdx.policy.mrtd", &p->mrtd, td->mrtd, "MRTD");
    pin_row(a, "tdx.policy.mrseam", &p->mrseam, td->mrseam, "MRSEAM");
    pin_row(a, "tdx.policy.mrconfigid", &p->mrconfigid, td->mrconfigid, "MRCONFIGID");
    pin_row(a, "tdx.policy.mrowner", &p->mrowner, td->mrowner, "MROWNER");
    pin_row(a, "tdx.policy.mrownerconfig", &p->mrownerconfig, td->mrownerconfig, "MROWNERCONFIG");
    for (size_t i = 0; i < 4; i++)
        pin_row(a, rtmr_ids[i], &p->rtmr[i], td->rtmr[i], rtmr_names[i]);
    pin_row(a, "tdx.policy.mrenclave", &p->mrenclave, sgx->mrenclave, "MRENCLAVE");
    pin_row(a, "tdx.policy.mrsigner", &p->mrsigner, sgx->mrsigner, "MRSIGNER");
}

static void platform_rows(const struct appraisal *a)
{
    const struct tacit_tdx_policy *p = a->policy;
    const struct tacit_quote_result *r = a->result;
    struct bytes instance = {NULL, 0};

    if (r->has_platform_instance_id)
        instance = BYTES_ARRAY(r->platform_instance_id);
    pin_row(a, "tdx.policy.fmspc", &p->fmspc, BYTES_ARRAY(r->fmspc), "the FMSPC");
    pin_row(a, "tdx.policy.ppid", &p->ppid, BYTES_ARRAY(r->ppid), "the platform (PPID)");
    pin_row(a, "tdx.policy.platform_instance", &p->platform_instance_id, instance,
            "the platform instance id");
    if (p->refuse_smt)
        demand(a, "tdx.policy.smt", r->smt_enabled == TACIT_FLAG_FALSE,
               "the platform does not say that SMT is off");
    if (p->refuse_dynamic_platform)
        demand(a, "tdx.policy.dynamic_platform", r->dynamic_platform == TACIT_FLAG_FALSE,
               "the platform does not say that it is not dynamic");
}

void tdx_policy_rows(const struct row_scope *rows, const struct tacit_tdx_policy *policy,
                     const struct tacit_quote_result *result, int64_t now_unix_s)
{
    struct row_scope own = *rows;
    const struct appraisal a = {&own, policy, result, now_unix_s};

    own.authority = AUTHORITY;
    status_row(&a);
    advisories_row(&a);
    number_rows(&a);
    if (result->quote.body == TACIT_BODY_SGX) {
        uint64_t flags = quote_u64(bytes_slice(result->quote.sgx.attributes, 0, 8));

        demand(&a, "tdx.policy.debug", policy->allow_debug || !(flags & SGX_ATTR_DEBUG),
               "the enclave runs in debug mode: its host can read its memory");
    } else {
        td_rows(&a);
        service_td_row(&a);
    }
    measurement_rows(&a);
    platform_rows(&a);
}

void tdx_policy_rows_not_run(const struct row_scope *rows)
{
    struct row_scope own = *rows;

    own.authority = AUTHORITY;
    row_not_run(&own, "tdx.policy.tcb_status", TACIT_CAUSE_NONE,
                "the policy is judged only on genuine quotes");
    row_not_run(&own, "tdx.policy.debug", TACIT_CAUSE_NONE,
                "the policy is judged only on genuine quotes");
}
