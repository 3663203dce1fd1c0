/* Appraisal of a genuine SEV-SNP report: what the guest was allowed to be, and the caller's pins.
 */
#include "attest/snp_priv.h"
#include "crypto/ct.h"

/* Above it stand reports that the host asked for, with report data of its choice. */
enum { VMPL_MAX = 3 };

/* Bits of the guest policy (tdx.md 6.1). */
static const uint64_t policy_one = 1ULL << 17;
static const uint64_t policy_migrate_ma = 1ULL << 18;
static const uint64_t policy_debug = 1ULL << 19;
static const uint64_t policy_known = (1ULL << 26) - 1;
/* Bits of PLATFORM_INFO. */
static const uint64_t platform_smt = 1ULL << 0;
static const uint64_t platform_alias_check = 1ULL << 5;

static void demand(const struct row_scope *scope, const char *id, bool holds, const char *reason)
{
    if (holds)
        row_pass(scope, id);
    else
        row_fail(scope, id, TACIT_CAUSE_POLICY, "%s", reason);
}

static void guest_rows(const struct row_scope *scope, const struct tacit_snp_report *q,
                       const struct tacit_snp_policy *p)
{
    demand(scope, "snp.policy.debug", p->allow_debug || (q->policy & policy_debug) == 0,
           "the guest may be debugged: the host can read its memory");
    demand(scope, "snp.policy.migration",
           p->allow_migrate_ma || (q->policy & policy_migrate_ma) == 0,
           "the guest may be bound to a migration agent");
    demand(scope, "snp.policy.reserved",
           (q->policy & policy_one) != 0 && (q->policy & ~policy_known) == 0,
           "the guest policy has bits that AMD reserves");
    demand(scope, "snp.policy.vmpl", p->has_vmpl ? q->vmpl == p->vmpl : q->vmpl <= VMPL_MAX,
           "the report was asked for at another privilege level");
    if (p->refuse_smt)
        demand(scope, "snp.policy.smt", (q->platform_info & platform_smt) == 0,
               "the platform shares cores between threads (SMT)");
    if (p->require_alias_check)
        demand(scope, "snp.policy.alias_check", (q->platform_info & platform_alias_check) != 0,
               "the platform has not checked its memory for aliases");
}

static bool tcb_reaches(struct tacit_snp_tcb have, struct tacit_snp_tcb want)
{
    return have.fmc >= want.fmc && have.boot_loader >= want.boot_loader && have.tee >= want.tee &&
           have.snp >= want.snp && have.microcode >= want.microcode;
}

static void tcb_rows(const struct row_scope *scope, const struct tacit_snp_result *found,
                     const struct tacit_snp_policy *p)
{
    const struct tacit_snp_report *q = &found->report;

    if (tcb_reaches(found->reported, p->min_tcb))
        row_pass(scope, "snp.policy.tcb");
    else
        row_fail(scope, "snp.policy.tcb", TACIT_CAUSE_OUT_OF_DATE,
                 "the platform's firmware is older than demanded");
    demand(scope, "snp.policy.committed",
           tcb_reaches(tacit_snp_tcb_of(q->current_tcb, found->product),
                       tacit_snp_tcb_of(q->committed_tcb, found->product)),
           "the platform runs older firmware than it has committed to");
}

static void pin_row(const struct row_scope *scope, const char *id, struct tacit_snp_pins pins,
                    struct bytes value)
{
    bool found = false;

    if (pins.count == 0)
        return;
    for (size_t i = 0; i < pins.count; i++)
        found |= bytes_eq(pins.any_of[i], value);
    demand(scope, id, found, "the value is not one of those demanded");
}

void snp_policy_rows(const struct row_scope *scope, const struct tacit_snp_result *found,
                     const struct tacit_snp_policy *p)
{
    const struct tacit_snp_report *q = &found->report;

    guest_rows(scope, q, p);
    tcb_rows(scope, found, p);
    pin_row(scope, "snp.policy.measurement", p->measurement, q->measurement);
    pin_row(scope, "snp.policy.host_data", p->host_data, q->host_data);
    pin_row(scope, "snp.policy.id_key", p->id_key, q->id_key_digest);
    pin_row(scope, "snp.policy.author_key", p->author_key, q->author_key_digest);
    pin_row(scope, "snp.policy.chip_pin", p->chip_id, q->chip_id);
}

void snp_report_data_row(const struct row_scope *scope, const struct tacit_snp_report *q,
                         const uint8_t *wanted)
{
    if (wanted == NULL)
        return;
    if (ct_equal(q->report_data, bytes_make(wanted, 64)))
        row_pass(scope, "snp.report_data");
    else
        row_fail(scope, "snp.report_data", TACIT_CAUSE_MISMATCH,
                 "REPORT_DATA is not what the protocol demands");
}
