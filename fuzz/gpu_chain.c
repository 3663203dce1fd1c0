/* Device chains: whatever the input, no chain is trusted under a root that nobody has the key of,
 * unless it is a genuine one of NVIDIA's. */
#include <assert.h>
#include <stdlib.h>

#include "attest/gpu_chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make(1 << 20);
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct row_scope s = {.v = v, .subject = "gpu[0]", .authority = ""};
    struct gpu_root root = {.sha256 = {1}, .authority = ""};
    struct gpu_links links = {0};
    char ueid[TACIT_GPU_TEXT_MAX];
    struct gpu_chain chain;
    const char *why;

    if (v == NULL)
        abort();
    if (gpu_chain_parse(&chain, &why, (struct bytes){data, size}, &arena) == TACIT_OK) {
        assert(chain.fwid.len == 0 || chain.fwid.len == GPU_DIGEST_LEN);
        assert(!gpu_chain_rows(&s, &chain, &root, 1767225600, &links));
        gpu_serial_decimal(ueid, chain.certs[0].serial);
    } else {
        assert(why != NULL);
    }
    gpu_links_done(&links);
    free(v);
    arena_done(&arena);
    return 0;
}
