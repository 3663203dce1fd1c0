/* Key sets: no key in them verifies a token whose signature is all zeros. */
#include <assert.h>

#include "attest/gpu_jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gpu_jwt jwt = {.signed_part = BYTES_LIT("a.b"), .kid = BYTES_LIT("sim-eat-kid-1")};
    struct arena arena = arena_make(4 << 20);
    struct gpu_jwks set;
    const char *why;

    if (gpu_jwks_open(&set, &why, (struct bytes){data, size}, (struct bytes){NULL, 0}, &arena) ==
        TACIT_OK) {
        assert(gpu_jwks_verify(&set, &why, &jwt, 1767225600, &arena) != TACIT_OK);
        assert(why != NULL);
    }
    gpu_jwks_done(&set);
    arena_done(&arena);
    return 0;
}
