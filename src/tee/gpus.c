/* One interface over the ways to GPU evidence; holds the lock while one of them works. */
#include <stdio.h>
#include <stdlib.h>

#include "tee/gpu_priv.h"

static enum tacit_err provider_open(struct gpus *g, const struct gpus_opts *opts,
                                    char why[static GPUS_WHY_LEN])
{
    switch (opts->kind) {
    case GPUS_NONE:
        break;
    case GPUS_NVML:
        return gpus_nvml_open(g, opts, why);
    case GPUS_SIMULATOR:
        return gpus_sim_open(g, opts, why);
    }
    snprintf(why, GPUS_WHY_LEN, "no way to GPU evidence is configured");
    return TACIT_NOT_FOUND;
}

enum tacit_err gpus_open(struct gpus **out, const struct gpus_opts *opts, char why[static 256])
{
    struct gpus *g = calloc(1, sizeof(*g));
    enum tacit_err err = TACIT_NOMEM;

    *out = NULL;
    why[0] = 0;
    if (g == NULL)
        return TACIT_NOMEM;
    if (pthread_mutex_init(&g->lock, NULL) != 0)
        goto no_lock;
    err = provider_open(g, opts, why);
    if (err != TACIT_OK)
        goto no_provider;
    *out = g;
    return TACIT_OK;

no_provider:
    pthread_mutex_destroy(&g->lock);
no_lock:
    free(g);
    return err;
}

void gpus_close(struct gpus *g)
{
    if (g == NULL)
        return;
    g->ops->close(g->self);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

bool gpus_is_simulated(const struct gpus *g)
{
    return g->is_simulated;
}

enum tacit_err gpus_collect(struct gpus *g, struct buf *payload_json,
                            const uint8_t nonce[static 32], char why[static 256])
{
    enum tacit_err err;

    why[0] = 0;
    pthread_mutex_lock(&g->lock);
    err = g->ops->collect(g->self, payload_json, nonce, why);
    pthread_mutex_unlock(&g->lock);
    return err;
}
