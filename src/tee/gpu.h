/* Evidence of this machine's GPUs, collected for real through NVML or made by the simulator. */
#ifndef TEE_GPU_H
#define TEE_GPU_H

#include "base/buf.h"

struct gpus;

enum gpus_kind { GPUS_NONE = 0, GPUS_NVML, GPUS_SIMULATOR };

struct gpus_opts {
    enum gpus_kind kind;
    const char
        *path; /* NVML: library to load (NULL: libnvidia-ml.so.1); simulator: state directory */
    unsigned count; /* simulator: number of GPUs, 1..8 */
};

/* TACIT_NOT_FOUND: no driver or GPU; TACIT_POLICY: CC off, development mode or not production; why
 * says precisely which. */
MUST_CHECK enum tacit_err gpus_open(struct gpus **out, const struct gpus_opts *opts,
                                    char why[static 256]);
void gpus_close(struct gpus *g);
bool gpus_is_simulated(const struct gpus *g);
/* Collects evidence of every GPU for this nonce and appends the nvidia_payload JSON text (near.md
 * 3.5): {"arch","evidence_list":[{"arch","certificate","evidence","nonce"}],"nonce"}. One
 * collection at a time (locks inside). TACIT_TIMEOUT, TACIT_MISMATCH (a foreign nonce came back
 * twice), TACIT_IO; why says which GPU. */
MUST_CHECK enum tacit_err gpus_collect(struct gpus *g, struct buf *payload_json,
                                       const uint8_t nonce[static 32], char why[static 256]);

#endif
