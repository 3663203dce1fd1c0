/* HMAC and HKDF with SHA-256 and HMAC with SHA-384: message authentication and key derivation. */
#ifndef CRYPTO_HKDF_H
#define CRYPTO_HKDF_H

#include "base/err.h"
#include "crypto/sha2.h"

/* HMAC of `msg` under `key`, any lengths.
 *
 * Memory    allocates nothing; key material on the stack is erased. Threads: pure.
 * Spec      RFC 2104 */
void hmac_sha256(uint8_t out[static SHA256_LEN], struct bytes key, struct bytes msg);
void hmac_sha384(uint8_t out[static SHA384_LEN], struct bytes key, struct bytes msg);

/* Extract, then expand, to `out_len` octets.
 *
 * ikm, salt, info   any length, may be empty
 *
 * Returns   TACIT_OK; TACIT_LIMIT if out_len exceeds 255 * 32 (out is then untouched).
 * Memory    allocates nothing; the pseudo-random key is erased. Threads: pure.
 * Spec      RFC 5869 */
MUST_CHECK enum tacit_err hkdf_sha256(uint8_t *out, size_t out_len, struct bytes ikm,
                                      struct bytes salt, struct bytes info);

#endif
