/* Tokens and answers of the attestation service: nothing is approved without a key. */
#include <assert.h>
#include <stdlib.h>

#include <tacit/gpu.h>

#include "attest/gpu_nras.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nonce[32];
    struct tacit_gpu_nras nras = {.response = {data, size}, .jwks = BYTES_LIT("{\"keys\":[]}")};
    struct gpu_nras_expect expect = {.nonce = nonce, .now_unix_s = 1767225660, .device_count = 2};
    struct arena arena = arena_make(4 << 20);
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct row_scope s = {.v = v, .subject = "nras", .authority = ""};
    struct gpu_jwt jwt;
    const char *why;

    if (v == NULL)
        abort();
    if (gpu_jwt_parse(&jwt, &why, (struct bytes){data, size}, &arena) == TACIT_OK)
        assert(why == NULL && jwt.kid.len > 0 && jwt.signed_part.len < size);
    else
        assert(why != NULL);
    (void)gpu_nras_digests_check((struct bytes){data, size}, &arena);
    assert(!gpu_nras_rows(&s, &nras, &expect, &arena));
    assert(!tacit_verdict_is_trusted(v));
    free(v);
    arena_done(&arena);
    return 0;
}
