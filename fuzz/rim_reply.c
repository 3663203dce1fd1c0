/* Replies of the RIM service: what is accepted is about the manifest that was asked for, and within
 * the limit; whatever is refused has a reason. */
#include <assert.h>

#include "net/gpu_refs_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes json = {data, size};
    struct bytes id = BYTES_LIT("NV_GPU_DRIVER_GH100_1.2");
    struct buf xml = buf_make(LIMIT_RIM_BYTES);
    char why[KEEP_WHY_LEN] = "";

    if (gpu_ref_rim_unwrap(&xml, why, json, id) == TACIT_OK)
        assert(xml.len <= LIMIT_RIM_BYTES && why[0] == 0);
    else
        assert(strlen(why) > 0 && strlen(why) < sizeof(why));
    buf_done(&xml);
    return 0;
}
