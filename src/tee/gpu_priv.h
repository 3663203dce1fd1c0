/* What the providers behind tee/gpu.h share: each fills a `struct gpus`. */
#ifndef TEE_GPU_PRIV_H
#define TEE_GPU_PRIV_H

#include <pthread.h>

#include "tee/gpu.h"

enum { GPUS_WHY_LEN = 256 };

struct gpus_ops {
    /* as gpus_collect, called under the lock */
    enum tacit_err (*collect)(void *self, struct buf *payload_json, const uint8_t nonce[static 32],
                              char why[static GPUS_WHY_LEN]);
    void (*close)(void *self); /* frees self */
};

struct gpus {
    const struct gpus_ops *ops;
    void *self;
    bool is_simulated;
    pthread_mutex_t lock; /* one collection at a time */
};

/* Each fills ops, self and is_simulated. */
MUST_CHECK enum tacit_err gpus_nvml_open(struct gpus *g, const struct gpus_opts *opts,
                                         char why[static GPUS_WHY_LEN]);
/* With another patience than 15 s for one device; for tests. */
MUST_CHECK enum tacit_err gpus_nvml_open_within(struct gpus *g, const struct gpus_opts *opts,
                                                unsigned deadline_ms,
                                                char why[static GPUS_WHY_LEN]);
MUST_CHECK enum tacit_err gpus_sim_open(struct gpus *g, const struct gpus_opts *opts,
                                        char why[static GPUS_WHY_LEN]);

#endif
