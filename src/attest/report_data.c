/* Report data of near.md 3.4. Invariant: the layout without a TLS key is used only if the caller
 * says that there is none. */
#include "attest/report_data.h"

#include "crypto/ct.h"
#include "crypto/sha2.h"

enum { HALF_LEN = 32 };

enum tacit_err report_data_make(uint8_t out[static REPORT_DATA_LEN], struct bytes address,
                                const uint8_t *tls_spki, const uint8_t nonce[static 32])
{
    struct sha256 s;

    memset(out, 0, REPORT_DATA_LEN);
    if (address.len != ADDRESS_ECDSA_LEN && address.len != ADDRESS_ED25519_LEN)
        return TACIT_FORMAT;
    if (tls_spki == NULL) {
        memcpy(out, address.ptr, address.len);
    } else {
        sha256_init(&s);
        sha256_add(&s, address);
        sha256_add(&s, bytes_make(tls_spki, 32));
        sha256_final(&s, out);
    }
    memcpy(out + HALF_LEN, nonce, 32);
    return TACIT_OK;
}

bool report_data_matches(const uint8_t data[static REPORT_DATA_LEN], struct bytes address,
                         const uint8_t *tls_spki, const uint8_t nonce[static 32])
{
    uint8_t expected[REPORT_DATA_LEN];

    if (report_data_make(expected, address, tls_spki, nonce) != TACIT_OK)
        return false;
    return ct_equal(bytes_make(data, REPORT_DATA_LEN), BYTES_ARRAY(expected));
}
