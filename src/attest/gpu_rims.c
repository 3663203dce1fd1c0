/* Choosing and judging manifests. A manifest is picked by version and product for a device, but it
 * is believed only after signature, chain and dates, and version and product are judged as rows. */
#include "attest/gpu_rims.h"

#include <stdio.h>

enum rim_row {
    ROW_FORMAT,
    ROW_SIGNATURE,
    ROW_CHAIN,
    ROW_VALIDITY,
    ROW_VERSION,
    ROW_PRODUCT,
    ROW_REVOCATION
};

static const char *const row_ids[2][7] = {
    {"gpu.rim.driver.format", "gpu.rim.driver.signature", "gpu.rim.driver.chain",
     "gpu.rim.driver.validity", "gpu.rim.driver.version", "gpu.rim.driver.product",
     "gpu.rim.driver.revocation"},
    {"gpu.rim.vbios.format", "gpu.rim.vbios.signature", "gpu.rim.vbios.chain",
     "gpu.rim.vbios.validity", "gpu.rim.vbios.version", "gpu.rim.vbios.product",
     "gpu.rim.vbios.revocation"},
};

enum tacit_err gpu_rims_parse(struct gpu_rims *out, const struct tacit_gpu_rim *given, size_t count,
                              struct arena *arena)
{
    out->count = 0;
    if (count > LIMIT_RIMS)
        return TACIT_LIMIT;
    if (count == 0)
        return TACIT_OK;
    out->slots = arena_alloc(arena, count * sizeof(*out->slots));
    if (out->slots == NULL)
        return TACIT_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct gpu_rim_slot *slot = &out->slots[i];

        slot->role = given[i].role;
        if (gpu_rim_parse(&slot->rim, &slot->fault, given[i].xml, false, arena) == TACIT_NOMEM)
            return TACIT_NOMEM;
    }
    out->count = count;
    return TACIT_OK;
}

void gpu_rims_unread_rows(struct tacit_verdict *v, const struct gpu_rims *rims)
{
    for (size_t i = 0; i < rims->count; i++) {
        char subject[TACIT_ROW_SUBJECT_MAX];
        struct row_scope s = {.v = v, .subject = subject, .is_optional = true};

        if (rims->slots[i].fault == NULL || rims->slots[i].role != TACIT_GPU_RIM_ANY)
            continue;
        snprintf(subject, sizeof(subject), "rim[%zu]", i);
        row_fail(&s, "gpu.rim.format", TACIT_CAUSE_UNPARSABLE, "%s", rims->slots[i].fault);
    }
}

void gpu_rim_id(char out[static 128], const struct gpu_report *report, enum tacit_gpu_rim_role role)
{
    char vbios[GPU_VERSION_TEXT];
    size_t len = 0;

    for (const char *p = report->vbios; *p != 0; p++)
        if (*p != '.')
            vbios[len++] = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
    vbios[len] = 0;
    out[0] = 0;
    if (report->arch == TACIT_GPU_LS10) {
        if (role == TACIT_GPU_RIM_VBIOS)
            snprintf(out, 128, "NV_SWITCH_BIOS_5612_0002_890_%s", vbios);
    } else if (role == TACIT_GPU_RIM_VBIOS) {
        snprintf(out, 128, "NV_GPU_VBIOS_%.16s_%.16s_%.16s_%s", report->project,
                 report->project_sku, report->chip_sku, vbios);
    } else if (report->arch == TACIT_GPU_HOPPER) {
        snprintf(out, 128, "NV_GPU_DRIVER_GH100_%s", report->driver);
    } else {
        snprintf(out, 128, "NV_GPU_CC_DRIVER_%s_%s", report->chip, report->driver);
    }
}

static bool version_fits(const struct gpu_rim *rim, const struct gpu_report *report,
                         enum tacit_gpu_rim_role role)
{
    if (role == TACIT_GPU_RIM_DRIVER)
        return strcmp(rim->version, report->driver) == 0;
    return bytes_eq_nocase(bytes_of(rim->version), bytes_of(report->vbios));
}

static bool product_fits(const struct gpu_rim *rim, const struct gpu_report *report)
{
    return strcmp(rim->product, report->chip) == 0;
}

/* The fitting one; or the first that the caller named for this role, whose rows will say what does
 * not fit; or NULL. */
static struct gpu_rim_slot *slot_choose(struct gpu_rims *rims, const struct gpu_report *report,
                                        enum tacit_gpu_rim_role role)
{
    struct gpu_rim_slot *named = NULL, *same_version = NULL;

    for (size_t i = 0; i < rims->count; i++) {
        struct gpu_rim_slot *slot = &rims->slots[i];

        if (slot->role != TACIT_GPU_RIM_ANY && slot->role != role)
            continue;
        if (named == NULL && slot->role == role)
            named = slot;
        if (slot->fault != NULL || !version_fits(&slot->rim, report, role))
            continue;
        if (product_fits(&slot->rim, report))
            return slot;
        if (same_version == NULL)
            same_version = slot;
    }
    return same_version != NULL ? same_version : named;
}

static bool fault_row(const struct row_scope *s, const char *id, enum tacit_row_cause cause,
                      const char *fault)
{
    if (fault == NULL)
        row_pass(s, id);
    else
        row_fail(s, id, cause, "%s", fault);
    return fault == NULL;
}

static bool belongs_rows(const struct row_scope *s, const char *const ids[7],
                         const struct gpu_rim *rim, const struct gpu_report *report,
                         enum tacit_gpu_rim_role role)
{
    const char *wanted = role == TACIT_GPU_RIM_DRIVER ? report->driver : report->vbios;
    bool version = version_fits(rim, report, role);
    bool product = product_fits(rim, report);

    if (version)
        row_pass(s, ids[ROW_VERSION]);
    else
        row_fail(s, ids[ROW_VERSION], TACIT_CAUSE_MISMATCH,
                 "the manifest is for version %s, the device runs %s", rim->version, wanted);
    if (product)
        row_pass(s, ids[ROW_PRODUCT]);
    else
        row_fail(s, ids[ROW_PRODUCT], TACIT_CAUSE_MISMATCH,
                 "the manifest is for chip %s, the device is a %s", rim->product, report->chip);
    return version && product;
}

static bool missing_row(const struct row_scope *s, const char *id, const char *id_text,
                        bool is_optional)
{
    struct row_scope scope = *s;

    scope.is_optional = is_optional;
    row_not_run(&scope, id, TACIT_CAUSE_UNOBTAINABLE, "no manifest %s was given", id_text);
    return is_optional;
}

bool gpu_rim_rows(const struct gpu_rim **out, int64_t *expires_unix_s, const struct row_scope *s,
                  struct gpu_rims *rims, enum tacit_gpu_rim_role role,
                  const struct gpu_report *report, const char *id_text, bool is_optional)
{
    const char *const *ids = row_ids[role == TACIT_GPU_RIM_DRIVER ? 0 : 1];
    struct gpu_rim_slot *slot = slot_choose(rims, report, role);
    struct row_scope own = *s;
    bool ok;

    *out = NULL;
    *expires_unix_s = 0;
    own.authority = rims->root.authority;
    if (slot == NULL)
        return missing_row(&own, ids[ROW_FORMAT], id_text, is_optional);
    if (!fault_row(&own, ids[ROW_FORMAT], TACIT_CAUSE_UNPARSABLE, slot->fault))
        return false;
    if (!slot->is_verified)
        gpu_rim_verify(&slot->state, &slot->rim, &rims->root, rims->now_unix_s, rims->expired_days,
                       rims->links);
    slot->is_verified = true;
    ok = fault_row(&own, ids[ROW_SIGNATURE], slot->state.signature_cause,
                   slot->state.signature_fault);
    ok &= fault_row(&own, ids[ROW_CHAIN], slot->state.chain_cause, slot->state.chain_fault);
    ok &= fault_row(&own, ids[ROW_VALIDITY], TACIT_CAUSE_OUT_OF_DATE, slot->state.validity_fault);
    ok &= belongs_rows(&own, ids, &slot->rim, report, role);
    ok &= gpu_ocsp_row(&own, ids[ROW_REVOCATION], rims->ocsp, slot->rim.certs, 0,
                       GPU_RIM_CHAIN_LEN - 2, rims->is_ocsp_required);
    *expires_unix_s = slot->state.expires_unix_s;
    if (ok && slot->rim.active_count == 0) {
        row_fail(&own, ids[ROW_FORMAT], TACIT_CAUSE_UNPARSABLE,
                 "the manifest has no active measurement");
        ok = false;
    }
    if (ok)
        *out = &slot->rim;
    return ok;
}
