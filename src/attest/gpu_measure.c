/* Comparison of measurements. Invariant: an index passes only by equality with a signed value; the
 * one exemption is NVDEC0's index, and only while the signed report says that NVDEC0 is disabled.
 */
#include "attest/gpu_measure.h"

#include <stdio.h>

enum { NVDEC0_INDEX = 35 };

static bool value_fits(const struct gpu_report *report, size_t index,
                       const struct gpu_rim_entry *entry)
{
    struct bytes value = index < report->value_count ? report->values[index] : bytes_of(NULL);

    if (value.len != GPU_DIGEST_LEN)
        return false;
    for (size_t i = 0; i < entry->count; i++)
        if (memcmp(value.ptr, entry->value + i * GPU_DIGEST_LEN, GPU_DIGEST_LEN) == 0)
            return true;
    return false;
}

static void compare_one(struct gpu_comparison *out, const struct gpu_report *report,
                        const struct gpu_rim *rim, uint64_t *active_mask, bool skip_nvdec)
{
    for (size_t i = 0; i < GPU_BLOCKS_GPU; i++) {
        const struct gpu_rim_entry *entry = &rim->entries[i];
        uint64_t bit = UINT64_C(1) << i;

        if (!entry->is_active)
            continue;
        if ((*active_mask & bit) != 0)
            out->conflict_mask |= bit;
        *active_mask |= bit;
        if (skip_nvdec && i == NVDEC0_INDEX) {
            out->is_nvdec_skipped = true;
            continue;
        }
        out->compared++;
        if (!value_fits(report, i, entry))
            out->mismatch_mask |= bit;
    }
}

void gpu_compare(struct gpu_comparison *out, const struct gpu_report *report,
                 const struct gpu_rim *const *rims, size_t rim_count, bool always_nvdec)
{
    uint64_t active_mask = 0;

    *out = (struct gpu_comparison){0};
    for (size_t i = 0; i < rim_count; i++)
        if (rims[i] != NULL)
            compare_one(out, report, rims[i], &active_mask,
                        report->nvdec0_disabled && !always_nvdec);
    for (size_t i = 0; i < report->value_count; i++)
        if ((active_mask & UINT64_C(1) << i) == 0 && !bytes_is_zero(report->values[i]))
            out->unlisted_mask |= UINT64_C(1) << i;
}

const char *gpu_mask_text(char out[static GPU_MASK_TEXT], uint64_t mask)
{
    size_t len = 0;

    out[0] = 0;
    for (unsigned i = 0; i < 64 && len + 8 < GPU_MASK_TEXT; i++)
        if ((mask & UINT64_C(1) << i) != 0)
            len += (size_t)snprintf(out + len, GPU_MASK_TEXT - len, "%s%u", len > 0 ? ", " : "", i);
    return out;
}

bool gpu_compare_rows(const struct row_scope *s, const struct gpu_comparison *c,
                      uint64_t allowed_mask)
{
    uint64_t refused = c->mismatch_mask & ~allowed_mask;
    char text[GPU_MASK_TEXT];

    if (c->conflict_mask != 0)
        row_fail(s, "gpu.measurements.conflict", TACIT_CAUSE_MISMATCH,
                 "driver and VBIOS manifest both claim index %s",
                 gpu_mask_text(text, c->conflict_mask));
    else
        row_pass(s, "gpu.measurements.conflict");
    if (refused != 0)
        row_fail(s, "gpu.measurements", TACIT_CAUSE_MISMATCH,
                 "measurement %s differs from the reference", gpu_mask_text(text, refused));
    else if (c->compared == 0)
        row_fail(s, "gpu.measurements", TACIT_CAUSE_UNOBTAINABLE, "no measurement was compared");
    else
        row_pass(s, "gpu.measurements");
    if ((c->mismatch_mask & allowed_mask) != 0)
        row_note(s, "gpu.measurements.allowed", "policy lets measurement %s differ",
                 gpu_mask_text(text, c->mismatch_mask & allowed_mask));
    if (c->unlisted_mask != 0)
        row_note(s, "gpu.measurements.unlisted", "no reference names measurement %s",
                 gpu_mask_text(text, c->unlisted_mask));
    if (c->is_nvdec_skipped)
        row_note(s, "gpu.measurements.nvdec", "index 35 is not compared, NVDEC0 being disabled");
    return c->conflict_mask == 0 && refused == 0 && c->compared > 0;
}
