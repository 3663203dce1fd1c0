/* The manifests given to one verification: each parsed and verified once, then chosen per device by
 * the version that the device's signed report names. */
#ifndef ATTEST_GPU_RIMS_H
#define ATTEST_GPU_RIMS_H

#include "attest/gpu_ocsp.h"
#include "attest/gpu_rim.h"

struct gpu_rim_slot {
    enum tacit_gpu_rim_role role;
    const char *fault; /* why it does not parse; NULL if it does */
    struct gpu_rim rim;
    struct gpu_rim_state state;
    bool is_verified; /* state is filled */
};

struct gpu_rims {
    struct gpu_rim_slot *slots; /* in the arena */
    size_t count;
    struct gpu_root root;
    int64_t now_unix_s;
    uint32_t expired_days;
    bool is_ocsp_required;
    struct gpu_links *links;
    struct gpu_ocsp_pool *ocsp;
};

/* Parses all. TACIT_LIMIT above LIMIT_RIMS; TACIT_NOMEM. Set the other members before. */
MUST_CHECK enum tacit_err gpu_rims_parse(struct gpu_rims *out, const struct tacit_gpu_rim *given,
                                         size_t count, struct arena *arena);

/* Adds an optional failed row gpu.rim.format for each manifest of no stated role that does not
 * parse: it may have been the one that is missing. */
void gpu_rims_unread_rows(struct tacit_verdict *v, const struct gpu_rims *rims);

/* Adds the rows gpu.rim.driver.* or gpu.rim.vbios.* for one device.
 *
 * out       the manifest, if all rows passed; NULL otherwise
 * id_text   name at NVIDIA's RIM service, for the message when it is missing
 * is_optional  a missing manifest does not spoil the verdict
 *
 * Returns   true unless a row refuses. */
bool gpu_rim_rows(const struct gpu_rim **out, int64_t *expires_unix_s, const struct row_scope *s,
                  struct gpu_rims *rims, enum tacit_gpu_rim_role role,
                  const struct gpu_report *report, const char *id_text, bool is_optional);

/* Name of the manifest at NVIDIA's RIM service (spec: gpu.md 3.5). "" if there is none. */
void gpu_rim_id(char out[static 128], const struct gpu_report *report,
                enum tacit_gpu_rim_role role);

#endif
