/* Choice of where GPU evidence comes from. This build knows no collector yet, and says so instead
 * of showing anything: opening is refused, so no `struct gpus` exists and the calls on one fail. */
#include <stdio.h>

#include "tee/gpu.h"

enum tacit_err gpus_open(struct gpus **out, const struct gpus_opts *opts, char why[static 256])
{
    *out = NULL;
    (void)snprintf(why, 256, "GPU evidence from %s cannot be collected by this build",
                   opts->kind == GPUS_SIMULATOR ? "the simulator" : "NVML");
    return TACIT_UNSUPPORTED;
}

void gpus_close(struct gpus *g)
{
    UNUSED(g);
}

bool gpus_is_simulated(const struct gpus *g)
{
    UNUSED(g);
    return false;
}

enum tacit_err gpus_collect(struct gpus *g, struct buf *payload_json,
                            const uint8_t nonce[static 32], char why[static 256])
{
    UNUSED(g);
    UNUSED(payload_json);
    UNUSED(nonce);
    (void)snprintf(why, 256, "GPU evidence cannot be collected by this build");
    return TACIT_UNSUPPORTED;
}
