/* The 64 octets of report data that bind a signing address, a TLS key and a nonce into a quote,
 * exactly as NEAR lays them out (near.md 3.4). */
#ifndef ATTEST_REPORT_DATA_H
#define ATTEST_REPORT_DATA_H

#include "base/bytes.h"
#include "base/err.h"

enum {
    REPORT_DATA_LEN = 64,
    ADDRESS_ECDSA_LEN = 20,   /* last 20 octets of Keccak-256(X||Y) */
    ADDRESS_ED25519_LEN = 32, /* the public key itself */
};

/* Lay out report data.
 *
 * out       64 octets; zeroed on failure
 * address   20 octets (ecdsa) or 32 (ed25519), raw
 * tls_spki  SHA-256 of the DER SubjectPublicKeyInfo, 32 octets, or NULL: then the address stands
 *           there itself, padded on the right with zeros
 * nonce     32 octets, raw
 *
 * Returns   TACIT_OK; TACIT_FORMAT for another address length.
 * Memory    allocates nothing.
 * Threads   pure, any thread.
 * Spec      near.md 3.4 */
MUST_CHECK enum tacit_err report_data_make(uint8_t out[static REPORT_DATA_LEN],
                                           struct bytes address, const uint8_t *tls_spki,
                                           const uint8_t nonce[static 32]);

/* Whether `data` is the report data of these values: all 64 octets, in constant time. A report that
 * declares a TLS key is never accepted with the layout without one: pass what it declares.
 * Arguments as report_data_make; false for another address length. */
bool report_data_matches(const uint8_t data[static REPORT_DATA_LEN], struct bytes address,
                         const uint8_t *tls_spki, const uint8_t nonce[static 32]);

#endif
