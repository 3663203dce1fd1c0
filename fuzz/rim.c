/* Reference manifests: values are bounded and whole; nothing verifies under a root that nobody has
 * the key of. */
#include <assert.h>

#include "attest/gpu_rim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gpu_root root = {.sha256 = {1}, .authority = ""};
    struct arena arena = arena_make(1 << 20);
    struct gpu_links links = {0};
    struct gpu_rim_state state;
    static struct gpu_rim rim; /* large; written by every run */
    const char *why;

    for (int partial = 0; partial < 2; partial++) {
        if (gpu_rim_parse(&rim, &why, (struct bytes){data, size}, partial != 0, &arena) !=
            TACIT_OK) {
            assert(why != NULL && rim.active_count == 0);
            continue;
        }
        assert(rim.active_count <= GPU_BLOCKS_GPU && (rim.is_signed || partial != 0));
        for (size_t i = 0; i < GPU_BLOCKS_GPU; i++)
            assert(!rim.entries[i].is_listed ||
                   (rim.entries[i].value != NULL && rim.entries[i].count > 0));
        if (rim.is_signed) {
            gpu_rim_verify(&state, &rim, &root, 1767225600, 0, &links);
            assert(state.chain_fault != NULL);
        }
    }
    gpu_links_done(&links);
    arena_done(&arena);
    return 0;
}
