/* Certificates in DER and chains in PEM: views inside the input; keys are made or refused. */
#include <assert.h>

#include "crypto/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cert_check(const struct x509_cert *c)
{
    struct pubkey *key = NULL;

    assert(c->tbs.ptr >= c->der.ptr && c->tbs.ptr + c->tbs.len <= c->der.ptr + c->der.len);
    assert(c->serial.len <= 20 && (c->serial.len == 0 || c->serial.ptr[0] != 0));
    if (x509_key(&key, c, NULL) == TACIT_OK)
        (void)!x509_verify(c, key);
    pubkey_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = arena_make(1 << 20);
    struct bytes in = {data, size};
    struct x509_cert chain[4];
    size_t count;

    if (x509_parse(&chain[0], in) == TACIT_OK)
        cert_check(&chain[0]);
    if (x509_parse_pem(chain, 4, &count, in, &arena) == TACIT_OK) {
        assert(count > 0 && count <= 4);
        for (size_t i = 0; i < count; i++)
            cert_check(&chain[i]);
    } else {
        assert(count == 0);
    }
    arena_done(&arena);
    return 0;
}
