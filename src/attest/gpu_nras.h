/* Answers of NVIDIA's remote attestation service (NRAS): an overall token and one per device. All
 * tokens of a refusal are signed as well as those of an approval, so every claim is judged. */
#ifndef ATTEST_GPU_NRAS_H
#define ATTEST_GPU_NRAS_H

#include <tacit/gpu.h>

#include "attest/gpu_jwt.h"
#include "attest/verdict.h"

/* What the answer must be about. */
struct gpu_nras_expect {
    const uint8_t *nonce; /* 32 octets, as sent to the service */
    int64_t now_unix_s;
    size_t device_count; /* evidences sent; at least 1 */
    /* serials (decimal) of the attestation keys in the evidence sent; NULL: not compared */
    const char (*ueids)[TACIT_GPU_TEXT_MAX];
    bool is_switches; /* tokens are named SWITCH-n, not GPU-n */
};

/* Adds the rows gpu.nras.format, .keys, .token, .result and, for each device, gpu.nras.device with
 * the subject "gpu[n]" or "switch[n]". What could not be judged because an earlier row failed is
 * NOT_RUN. Returns true if all passed.
 *
 * Memory    the arena holds decoded tokens. Threads pure. Spec gpu.md 4.5 */
bool gpu_nras_rows(const struct row_scope *s, const struct tacit_gpu_nras *nras,
                   const struct gpu_nras_expect *expect, struct arena *arena);

/* The claims of an answer without verifying signatures: shape and digests only, for looking at
 * recorded answers. Returns NULL if every device token has the digest that the overall token
 * states, else a static sentence. */
const char *gpu_nras_digests_check(struct bytes response, struct arena *arena);

#endif
