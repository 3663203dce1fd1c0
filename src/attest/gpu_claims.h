/* A device's verdict in the words of NVIDIA's claims 3.0, so that policies and readers made for
 * NVIDIA's own verifier understand ours. */
#ifndef ATTEST_GPU_CLAIMS_H
#define ATTEST_GPU_CLAIMS_H

#include <tacit/gpu.h>

#include "base/buf.h"

/* Appends the JSON object of one device's claims. A claim is true only if its row passed; a claim
 * whose row is NOT_RUN is false, or "unknown" where the words allow it.
 *
 * subject   the device in `v`: "gpu[0]"
 * nonce     32 octets, as the device signed it
 *
 * Failure is sticky in `out`. Threads pure. Spec gpu.md 4.2 */
void gpu_claims_write(struct buf *out, const struct tacit_verdict *v, const char *subject,
                      const struct tacit_gpu_device *d, const uint8_t nonce[static 32],
                      int64_t now_unix_s);

#endif
