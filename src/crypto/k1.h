/* secp256k1 as Ethereum uses it: keys, addresses, EIP-191 personal signatures with recovery.
 * Verification needs no context; a signing key carries its own, so there is no global state. */
#ifndef CRYPTO_K1_H
#define CRYPTO_K1_H

#include "base/bytes.h"
#include "base/err.h"

enum {
    K1_SECRET_LEN = 32,
    K1_PUB_LEN = 64, /* X ‖ Y, without the 0x04 prefix */
    K1_ADDRESS_LEN = 20,
    K1_SIG_LEN = 65,           /* r(32) ‖ s(32) ‖ v(1), v = 27 + recovery id */
    K1_SIG_TEXT_LEN = 2 + 130, /* "0x" and lower-case hex, without NUL */
    K1_ADDRESS_TEXT_LEN = 2 + 40,
};

/* A signing key. Immutable after k1_key_new; any number of threads may sign with it. */
struct k1_key;

/* Key from a scalar.
 *
 * secret    32 octets, big-endian, in [1, n-1]; the caller erases its copy
 *
 * Returns   TACIT_OK; TACIT_FORMAT if the scalar is out of range; TACIT_NOMEM.
 * Memory    *out is the caller's, for k1_key_free; NULL on failure. */
MUST_CHECK enum tacit_err k1_key_new(struct k1_key **out,
                                     const uint8_t secret[static K1_SECRET_LEN]);
/* Erases and frees; accepts NULL. */
void k1_key_free(struct k1_key *key);
/* Public key X ‖ Y, borrowed from the key. */
const uint8_t *k1_key_pub(const struct k1_key *key);

/* Ethereum address: the last 20 octets of Keccak-256(X ‖ Y). Pure. */
void k1_address(uint8_t out[static K1_ADDRESS_LEN], const uint8_t pub[static K1_PUB_LEN]);
/* "0x" and lower-case hex with NUL, not checksummed (near.md 2.4). Pure. */
void k1_address_text(char out[static K1_ADDRESS_TEXT_LEN + 1],
                     const uint8_t address[static K1_ADDRESS_LEN]);

/* Keccak-256("\x19Ethereum Signed Message:\n" ‖ decimal length of text ‖ text). Pure.
 *
 * Spec      EIP-191 version 0x45, near.md 2.4 */
void k1_text_digest(uint8_t out[static 32], struct bytes text);
/* personal_sign: deterministic (RFC 6979), low s, v = 27 or 28.
 *
 * Returns   TACIT_OK; TACIT_INTERNAL (cannot happen with a valid key), sig zeroed. */
MUST_CHECK enum tacit_err k1_sign_text(const struct k1_key *key, uint8_t sig[static K1_SIG_LEN],
                                       struct bytes text);
/* The same over a given digest. */
MUST_CHECK enum tacit_err k1_sign_digest(const struct k1_key *key, uint8_t sig[static K1_SIG_LEN],
                                         const uint8_t digest[static 32]);
/* "0x" and 130 lower-case hex digits with NUL. Pure. */
void k1_sig_text(char out[static K1_SIG_TEXT_LEN + 1], const uint8_t sig[static K1_SIG_LEN]);
/* Reads that text; "0x" may be missing and digits may be of either case.
 *
 * Returns   TACIT_OK; TACIT_FORMAT with sig zeroed. Does not verify. Pure. */
MUST_CHECK enum tacit_err k1_sig_parse(uint8_t sig[static K1_SIG_LEN], struct bytes text);

/* Public key that made the signature over `digest`. v may be 27, 28, 0 or 1. High s is refused:
 * no honest signer makes it, and refusing makes signatures unique.
 *
 * Returns   TACIT_OK; TACIT_SIGNATURE with pub zeroed. Threads: pure, any thread. */
MUST_CHECK enum tacit_err k1_recover(uint8_t pub[static K1_PUB_LEN],
                                     const uint8_t sig[static K1_SIG_LEN],
                                     const uint8_t digest[static 32]);
/* Whether `sig` over `text` (EIP-191) was made by the key with this address. Recovers and compares.
 *
 * Returns   TACIT_OK; TACIT_SIGNATURE if it is no signature or another key's. Pure. */
MUST_CHECK enum tacit_err k1_verify_text(const uint8_t address[static K1_ADDRESS_LEN],
                                         const uint8_t sig[static K1_SIG_LEN], struct bytes text);
/* The same over a digest, against a public key. */
MUST_CHECK enum tacit_err k1_verify_digest(const uint8_t pub[static K1_PUB_LEN],
                                           const uint8_t sig[static K1_SIG_LEN],
                                           const uint8_t digest[static 32]);

#endif
