/* Measurements of a report against reference manifests: which differ, which nobody vouches for. */
#ifndef ATTEST_GPU_MEASURE_H
#define ATTEST_GPU_MEASURE_H

#include "attest/gpu_rim.h"

struct gpu_comparison {
    uint64_t mismatch_mask; /* RIM indexes whose value is none of the alternatives, or is missing */
    uint64_t conflict_mask; /* active in more than one manifest */
    uint64_t unlisted_mask; /* not zero in the report, active in no manifest */
    size_t compared;
    bool is_nvdec_skipped; /* index 35 was not compared, NVDEC0 being disabled */
};

/* Compare. Every active entry of every manifest must equal the report's value of that index.
 *
 * rims      verified manifests, 1 or 2; NULL entries are skipped
 * always_nvdec  compare index 35 even if the report says that NVDEC0 is disabled
 *
 * Memory    allocates nothing. Threads pure. Spec gpu.md 3.4 */
void gpu_compare(struct gpu_comparison *out, const struct gpu_report *report,
                 const struct gpu_rim *const *rims, size_t rim_count, bool always_nvdec);

/* Adds gpu.measurements.conflict and gpu.measurements; the latter names the indexes that differ and
 * are not allowed to. Returns true if both passed. */
bool gpu_compare_rows(const struct row_scope *s, const struct gpu_comparison *c,
                      uint64_t allowed_mask);

/* "9, 22, 35" for a reason; cut to fit. */
enum { GPU_MASK_TEXT = 96 };
const char *gpu_mask_text(char out[static GPU_MASK_TEXT], uint64_t mask);

#endif
