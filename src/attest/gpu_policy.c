/* Policy rows. Everything here refuses genuine devices: the cause is always POLICY. */
#include "attest/gpu_policy.h"

#include "codec/jscan.h"

enum { VERSION_PARTS = 8 };

static bool digit_value(uint32_t *out, char c, bool is_hex)
{
    if (c >= '0' && c <= '9')
        *out = (uint32_t)(c - '0');
    else if (is_hex && c >= 'A' && c <= 'F')
        *out = (uint32_t)(c - 'A' + 10);
    else if (is_hex && c >= 'a' && c <= 'f')
        *out = (uint32_t)(c - 'a' + 10);
    else
        return false;
    return true;
}

/* Dotted numbers of up to eight digits each. */
static bool version_read(uint32_t out[static VERSION_PARTS], const char *text, bool is_hex)
{
    size_t part = 0, digits = 0;

    memset(out, 0, VERSION_PARTS * sizeof(*out));
    for (; *text != 0; text++) {
        uint32_t value;

        if (*text == '.') {
            if (digits == 0 || ++part == VERSION_PARTS)
                return false;
            digits = 0;
            continue;
        }
        if (!digit_value(&value, *text, is_hex) || ++digits > 7)
            return false;
        out[part] = out[part] * (is_hex ? 16 : 10) + value;
    }
    return digits > 0;
}

bool gpu_version_compare(int *out, const char *a, const char *b, bool is_hex)
{
    uint32_t x[VERSION_PARTS], y[VERSION_PARTS];

    *out = 0;
    if (!version_read(x, a, is_hex) || !version_read(y, b, is_hex))
        return false;
    for (size_t i = 0; i < VERSION_PARTS && *out == 0; i++)
        *out = x[i] < y[i] ? -1 : x[i] > y[i] ? 1 : 0;
    return true;
}

static bool same_branch(const char *a, const char *b)
{
    size_t n = strcspn(a, ".");

    return n == strcspn(b, ".") && strncmp(a, b, n) == 0;
}

/* The minimum of the version's own branch; a branch that none names must not be older than the
 * oldest minimum named. */
static bool version_new_enough(const char *version, const char (*min)[TACIT_GPU_VERSION_MAX],
                               size_t count, bool is_hex)
{
    bool above_one = false;
    int order;

    for (size_t i = 0; i < count; i++) {
        if (!gpu_version_compare(&order, version, min[i], is_hex))
            return false;
        if (same_branch(version, min[i]))
            return order >= 0;
        above_one |= order >= 0;
    }
    return above_one;
}

static bool version_denied(const char *version, const char (*deny)[TACIT_GPU_VERSION_MAX],
                           size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_eq_nocase(bytes_of(version), bytes_of(deny[i])))
            return true;
    return false;
}

static bool version_row(const struct row_scope *s, const char *id, const char *version,
                        bool is_refused)
{
    if (is_refused)
        row_fail(s, id, TACIT_CAUSE_POLICY, "policy refuses version %s", version);
    else
        row_pass(s, id);
    return !is_refused;
}

static bool mask_row(const struct row_scope *s, const char *id, unsigned mask, unsigned bit,
                     const char *what)
{
    if ((mask & BIT(bit)) == 0)
        row_fail(s, id, TACIT_CAUSE_POLICY, "policy does not allow %s", what);
    else
        row_pass(s, id);
    return (mask & BIT(bit)) != 0;
}

static bool device_row(const struct row_scope *s, const struct tacit_gpu_policy *p,
                       const char *ueid)
{
    for (size_t i = 0; i < p->ueid_count; i++) {
        if (strcmp(p->ueid[i], ueid) == 0) {
            row_pass(s, "gpu.policy.device");
            return true;
        }
    }
    row_fail(s, "gpu.policy.device", TACIT_CAUSE_POLICY, "policy does not name device %s", ueid);
    return false;
}

static bool fields_row(const struct row_scope *s, const struct tacit_gpu_policy *p,
                       const struct gpu_report *report)
{
    for (size_t i = 0; i < report->tlv_count; i++) {
        unsigned type = report->tlvs[i].type;

        if (type <= GPU_TLV_SWITCH_GPU_PDIS || (type >= 32 && type <= GPU_TLV_FEATURE_FLAG))
            continue;
        if (p->is_unknown_refused) {
            row_fail(s, "gpu.policy.fields", TACIT_CAUSE_POLICY,
                     "the report has a field of unknown type %u", type);
            return false;
        }
        row_note(s, "gpu.policy.fields", "the report has a field of unknown type %u", type);
    }
    return true;
}

bool gpu_policy_rows(const struct row_scope *s, const struct tacit_gpu_policy *p,
                     const struct gpu_report *report, const char *ueid)
{
    bool is_switch = report->arch == TACIT_GPU_LS10;
    bool ok = fields_row(s, p, report);

    if (!is_switch && p->arch_mask != 0)
        ok &= mask_row(s, "gpu.policy.arch", p->arch_mask, report->arch,
                       tacit_gpu_arch_name(report->arch));
    if (!is_switch && p->mode_mask != 0)
        ok &= mask_row(s, "gpu.policy.mode", p->mode_mask, report->mode,
                       tacit_gpu_mode_name(report->mode));
    if (!is_switch && p->driver_min_count + p->driver_deny_count > 0)
        ok &= version_row(
            s, "gpu.policy.driver", report->driver,
            (p->driver_min_count > 0 &&
             !version_new_enough(report->driver, p->driver_min, p->driver_min_count, false)) ||
                version_denied(report->driver, p->driver_deny, p->driver_deny_count));
    if (!is_switch && p->vbios_min_count + p->vbios_deny_count > 0)
        ok &=
            version_row(s, "gpu.policy.vbios", report->vbios,
                        (p->vbios_min_count > 0 && !version_new_enough(report->vbios, p->vbios_min,
                                                                       p->vbios_min_count, true)) ||
                            version_denied(report->vbios, p->vbios_deny, p->vbios_deny_count));
    if (!is_switch && p->ueid_count > 0)
        ok &= device_row(s, p, ueid);
    return ok;
}
