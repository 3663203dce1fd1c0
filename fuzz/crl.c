/* CRLs: every serial of an accepted list is found, by walking and by the index alike. */
#include <assert.h>

#include "crypto/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t other[] = {0x7f, 0x01, 0x02, 0x03};
    struct arena arena = arena_make(1 << 24);
    struct x509_revoked index;
    struct x509_crl crl;

    if (x509_crl_parse(&crl, (struct bytes){data, size}) == TACIT_OK &&
        x509_revoked_make(&index, &crl, &arena) == TACIT_OK) {
        assert(index.count == crl.revoked_count);
        for (size_t i = 0; i < index.count && i < 64; i++) {
            assert(x509_crl_lists(&crl, index.serials[i]));
            assert(x509_revoked_has(&index, index.serials[i]));
        }
        assert(x509_crl_lists(&crl, BYTES_ARRAY(other)) ==
               x509_revoked_has(&index, BYTES_ARRAY(other)));
    }
    arena_done(&arena);
    return 0;
}
