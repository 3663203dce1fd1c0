/* TCB evaluation. Levels are sorted descending by the parser, so the first match is the best. */
#include "attest/tcb_eval.h"

#include "attest/quote.h"

enum tacit_tcb_status tcb_converge(enum tacit_tcb_status p, enum tacit_tcb_status other)
{
    if (p == TACIT_TCB_REVOKED || other == TACIT_TCB_REVOKED)
        return TACIT_TCB_REVOKED;
    if (other != TACIT_TCB_OUT_OF_DATE)
        return p;
    switch (p) {
    case TACIT_TCB_UP_TO_DATE:
    case TACIT_TCB_SW_HARDENING_NEEDED:
        return TACIT_TCB_OUT_OF_DATE;
    case TACIT_TCB_CONFIGURATION_NEEDED:
    case TACIT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
        return TACIT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    case TACIT_TCB_NONE:
    case TACIT_TCB_OUT_OF_DATE:
    case TACIT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED:
    case TACIT_TCB_TD_RELAUNCH_ADVISED:
    case TACIT_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED:
    case TACIT_TCB_REVOKED:
        break;
    }
    return p;
}

static const char *module_compare(const struct tdx_module *m, const struct tacit_td_report *td)
{
    if (!bytes_eq(td->mrsignerseam, BYTES_ARRAY(m->mrsigner)))
        return "the TDX module has another signer (MRSIGNERSEAM)";
    for (size_t i = 0; i < sizeof(m->attributes); i++) {
        uint8_t have = td->seam_attributes.ptr[i];

        if ((have & m->attributes_mask[i]) != m->attributes[i])
            return "the TDX module's attributes differ (SEAMATTRIBUTES)";
        if (have & (uint8_t)~m->attributes_mask[i])
            return "the TDX module has attributes that nobody defined";
    }
    return NULL;
}

const char *tdx_module_differs(const struct tdx_module **identity, const struct tcb_info *info,
                               const struct tacit_td_report *td, struct bytes svn)
{
    *identity = NULL;
    if (tee_svn_major(svn) == 0)
        return module_compare(&info->module, td);
    for (size_t i = 0; i < info->module_count; i++)
        if (info->modules[i].has_version && info->modules[i].version == tee_svn_major(svn))
            *identity = &info->modules[i];
    if (*identity == NULL)
        return "the TCB info knows no TDX module of this version";
    return module_compare(*identity, td);
}

static bool reaches(const uint8_t *have, const uint8_t *level, size_t from)
{
    for (size_t i = from; i < TCB_COMPONENTS; i++)
        if (have[i] < level[i])
            return false;
    return true;
}

/* spec: tdx.md 2.8. A versioned module is judged by its own identity, so that components 0 and 1
 * of TEE_TCB_SVN do not count then (the TDX 1.5 rule). */
static const struct tcb_level *level_find(const struct tcb_info *info, const struct sgx_ext *pck,
                                          struct bytes svn)
{
    size_t from = info->is_tdx && tee_svn_major(svn) > 0 ? 2 : 0;

    for (size_t i = 0; i < info->level_count; i++) {
        const struct tcb_level *l = &info->levels[i];

        if (reaches(pck->components, l->sgx, 0) && pck->pcesvn >= l->pcesvn &&
            (!info->is_tdx || reaches(svn.ptr, l->tdx, from)))
            return l;
    }
    return NULL;
}

static struct tcb_outcome fault(enum tcb_fault fault, const char *why)
{
    return (struct tcb_outcome){.fault = fault, .why = why};
}

struct tcb_outcome tcb_evaluate(const struct tcb_info *info, const struct sgx_ext *pck,
                                const struct tacit_td_report *td, struct bytes svn,
                                enum tacit_tcb_status qe)
{
    const struct tdx_module *identity = NULL;
    const struct isv_level *module = NULL;
    const struct tcb_level *platform;
    struct tcb_outcome out = {0};
    const char *why = NULL;

    if (td != NULL)
        why = tdx_module_differs(&identity, info, td, svn);
    if (why != NULL)
        return fault(TCB_MODULE_DIFFERS, why);
    if (identity != NULL) {
        module = isv_level_find(&identity->levels, tee_svn_minor(svn));
        if (module == NULL)
            return fault(TCB_NO_LEVEL, "the TDX module is older than every known version");
        out.module = &module->verdict;
    }
    platform = level_find(info, pck, svn);
    if (platform == NULL)
        return fault(TCB_NO_LEVEL, "the platform is below every TCB level");
    out.platform = &platform->verdict;
    out.status = out.platform->status;
    if (module != NULL)
        out.status = tcb_converge(out.status, module->verdict.status);
    out.status = tcb_converge(out.status, qe);
    if (out.status == TACIT_TCB_REVOKED) {
        out.fault = TCB_IS_REVOKED;
        out.why = "the platform's, the TDX module's or the quoting enclave's TCB level is revoked";
    }
    return out;
}

enum tacit_tcb_status tcb_relaunch(enum tacit_tcb_status launch, enum tacit_tcb_status current)
{
    bool is_configuration = launch == TACIT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED ||
                            current == TACIT_TCB_CONFIGURATION_NEEDED ||
                            current == TACIT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;
    bool is_current_good = current == TACIT_TCB_UP_TO_DATE ||
                           current == TACIT_TCB_SW_HARDENING_NEEDED ||
                           current == TACIT_TCB_CONFIGURATION_NEEDED ||
                           current == TACIT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED;

    if ((launch != TACIT_TCB_OUT_OF_DATE && launch != TACIT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED) ||
        !is_current_good)
        return launch;
    return is_configuration ? TACIT_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
                            : TACIT_TCB_TD_RELAUNCH_ADVISED;
}
