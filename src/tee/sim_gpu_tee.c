/* The GPU simulator behind tee/gpu.h: its seed comes from the simulator's state folder, where it
 * leaves the roots and manifests that a verifier must be given. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tee/gpu_priv.h"
#include "tee/sim_gpu.h"
#include "tee/sim_priv.h"

static enum tacit_err collect(void *self, struct buf *payload_json, const uint8_t nonce[static 32],
                              char why[static GPUS_WHY_LEN])
{
    struct sim_gpu *g = self;
    enum tacit_err err;

    sim_gpu_set_now(g, clock_unix_s());
    err = sim_gpu_payload(g, payload_json, nonce);
    if (err != TACIT_OK)
        snprintf(why, GPUS_WHY_LEN, "the GPU simulator failed: %s", tacit_err_text(err));
    return err;
}

static void close_sim(void *self)
{
    sim_gpu_free(self);
}

static const struct gpus_ops ops = {collect, close_sim};

enum tacit_err sim_gpu_open(struct sim_gpu **out, struct sim *sim, unsigned count,
                            int64_t now_unix_s)
{
    struct sim_gpu_opts opts = {.count = count, .now_unix_s = now_unix_s};

    sim_derive(sim, opts.seed, sizeof(opts.seed), "gpu simulator");
    return sim_gpu_new(out, &opts);
}

enum tacit_err gpus_sim_open(struct gpus *g, const struct gpus_opts *opts,
                             char why[static GPUS_WHY_LEN])
{
    struct sim_gpu *gpu = NULL;
    struct sim *sim = NULL;
    enum tacit_err err;

    if (opts->path == NULL) {
        snprintf(why, GPUS_WHY_LEN, "the GPU simulator needs a state folder");
        return TACIT_USAGE;
    }
    err = sim_open(&sim, opts->path, why);
    if (err == TACIT_OK) {
        err = sim_gpu_open(&gpu, sim, opts->count, clock_unix_s());
        if (err == TACIT_USAGE)
            snprintf(why, GPUS_WHY_LEN, "the GPU simulator has 1 to 8 GPUs, not %u", opts->count);
    }
    if (err == TACIT_OK) {
        err = sim_gpu_export(gpu, opts->path);
        if (err != TACIT_OK)
            snprintf(why, GPUS_WHY_LEN, "the GPU simulator cannot write its roots: %s",
                     tacit_err_text(err));
    }
    sim_free(sim);
    if (err != TACIT_OK) {
        sim_gpu_free(gpu);
        return err;
    }
    g->ops = &ops;
    g->self = gpu;
    g->is_simulated = true;
    return TACIT_OK;
}
