/* Revocation of NVIDIA's certificates by OCSP answers that the caller has fetched or stored. */
#ifndef ATTEST_GPU_OCSP_H
#define ATTEST_GPU_OCSP_H

#include "attest/gpu_chain.h"
#include "crypto/ocsp.h"

struct gpu_ocsp_rules {
    int64_t now_unix_s;
    uint32_t max_age_s;   /* since thisUpdate; 0: until nextUpdate */
    bool is_hold_allowed; /* certificateHold counts as good */
};

/* What the answers say about one certificate. */
enum gpu_ocsp_outcome {
    GPU_OCSP_NONE = 0, /* no answer about it */
    GPU_OCSP_GOOD,
    GPU_OCSP_REVOKED,
    GPU_OCSP_UNKNOWN,
    GPU_OCSP_INVALID, /* there is an answer, but it does not hold */
};

/* Judge one answer about `cert`.
 *
 * why       a static sentence unless the outcome is GOOD
 * cause     in the terms of a row
 * nonce     of the request, 32 octets; len 0: a stored answer, fresh by its times alone
 *
 * Threads   pure. Memory: what OpenSSL needs for two signatures. Spec gpu.md 2.4, RFC 6960 3.2 */
enum gpu_ocsp_outcome gpu_ocsp_judge(const char **why, enum tacit_row_cause *cause,
                                     const struct ocsp_answer *answer, const struct x509_cert *cert,
                                     const struct x509_cert *issuer, struct bytes nonce,
                                     const struct gpu_ocsp_rules *rules);

/* Answers parsed once, outcomes kept by certificate: devices share issuers, manifests signers. */
struct gpu_ocsp_pool {
    const struct ocsp_answer *answers;
    const struct bytes *nonces;
    size_t count;
    struct gpu_ocsp_rules rules;
    size_t known_count;
    struct gpu_ocsp_known {
        uint8_t pair[2][32]; /* SHA-256 of certificate and issuer */
        enum gpu_ocsp_outcome outcome;
        enum tacit_row_cause cause;
        const char *why;
    } known[GPU_LINKS_MAX];
};

/* Parses the caller's answers into the arena; those that do not parse are left out and counted in
 * *unread. TACIT_LIMIT above LIMIT_OCSP_ANSWERS; TACIT_NOMEM. */
MUST_CHECK enum tacit_err gpu_ocsp_pool_make(struct gpu_ocsp_pool *out, size_t *unread,
                                             const struct tacit_gpu_ocsp *given, size_t count,
                                             const struct gpu_ocsp_rules *rules,
                                             struct arena *arena);

/* Adds one row `id` for certs[first..last], each against the certificate after it. Not required and
 * NOT_RUN if nothing was given and policy does not ask. Returns true unless the row refuses. */
bool gpu_ocsp_row(const struct row_scope *s, const char *id, struct gpu_ocsp_pool *pool,
                  const struct x509_cert *certs, size_t first, size_t last, bool is_required);

#endif
