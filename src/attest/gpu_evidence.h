/* Evidence lists as JSON: NEAR's nvidia_payload, what NVIDIA's SDK stores, what is posted to NRAS.
 */
#ifndef ATTEST_GPU_EVIDENCE_H
#define ATTEST_GPU_EVIDENCE_H

#include <tacit/gpu.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/limits.h"

/* Take a list apart: an array of {"evidence","certificate"} items (base64 of report and PEM chain;
 * "arch" and "nonce" may be there), or an object with such an array as "evidence_list" and "arch".
 * The nonces stated in the text are ignored: only those inside signed reports count.
 *
 * items     room for LIMIT_GPU_DEVICES; views into the arena
 * why       static sentence on failure
 *
 * Returns   TACIT_OK, even for an empty list; TACIT_FORMAT; TACIT_LIMIT; TACIT_NOMEM. */
MUST_CHECK enum tacit_err gpu_evidence_read(struct tacit_gpu_item *items, size_t *count,
                                            const char **why, struct bytes json,
                                            struct arena *arena);

/* "HOPPER" "BLACKWELL" "LS10" to the enum; false for another text. */
bool gpu_arch_parse(enum tacit_gpu_arch *out, struct bytes text);

#endif
