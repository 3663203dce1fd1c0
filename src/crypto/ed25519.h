/* Ed25519 keys made from seeds, signing, and strict verification. */
#ifndef CRYPTO_ED25519_H
#define CRYPTO_ED25519_H

#include "base/bytes.h"
#include "base/err.h"

enum { ED25519_SEED_LEN = 32, ED25519_PUB_LEN = 32, ED25519_SIG_LEN = 64 };

/* Holds the secret: end with ed25519_key_done. */
struct ed25519_key {
    uint8_t secret[64]; /* seed ‖ public key, libsodium's form */
    uint8_t pub[ED25519_PUB_LEN];
};

/* Key pair of a 32-byte seed. Every seed is valid.
 *
 * Spec      RFC 8032 5.1.5 */
void ed25519_key_init(struct ed25519_key *key, const uint8_t seed[static ED25519_SEED_LEN]);
/* Erases the secret; accepts NULL and zeros. */
void ed25519_key_done(struct ed25519_key *key);
/* Plain (not prehashed) signature over `msg`, deterministic.
 *
 * Threads   any number may sign with one key at once.
 * Spec      RFC 8032 5.1.6, near.md 2.4 */
void ed25519_sign(const struct ed25519_key *key, uint8_t sig[static ED25519_SIG_LEN],
                  struct bytes msg);
/* Verifies strictly: refuses S not below the group order, and public keys or R of small order or
 * in a non-canonical encoding.
 *
 * Returns   TACIT_OK or TACIT_SIGNATURE.
 * Threads   pure, any thread. */
MUST_CHECK enum tacit_err ed25519_verify(const uint8_t pub[static ED25519_PUB_LEN],
                                         const uint8_t sig[static ED25519_SIG_LEN],
                                         struct bytes msg);

#endif
