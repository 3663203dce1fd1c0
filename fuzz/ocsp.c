/* OCSP answers: parts lie inside the input, counts are bounded. */
#include <assert.h>

#include "crypto/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct bytes part, const uint8_t *data, size_t size)
{
    assert(part.len == 0 || (part.ptr >= data && part.ptr + part.len <= data + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ocsp_answer a;

    if (ocsp_parse(&a, (struct bytes){data, size}) != TACIT_OK) {
        assert(a.entry_count == 0 && a.tbs.ptr == NULL);
        return 0;
    }
    assert(a.entry_count <= OCSP_ENTRIES_MAX && a.cert_count <= OCSP_CERTS_MAX);
    inside(a.tbs, data, size);
    inside(a.sig, data, size);
    inside(a.nonce, data, size);
    for (size_t i = 0; i < a.cert_count; i++) {
        (void)!ocsp_verify(&a, &a.certs[i], 1767225600);
        (void)ocsp_find(&a, &a.certs[i], &a.certs[i]);
    }
    return 0;
}
