/* Ed25519 by libsodium, whose verification is the strict one. */
#include "crypto/ed25519.h"

#include <sodium/crypto_sign_ed25519.h>

_Static_assert(sizeof(((struct ed25519_key *)NULL)->secret) == crypto_sign_ed25519_SECRETKEYBYTES,
               "libsodium's secret key has another size");

void ed25519_key_init(struct ed25519_key *key, const uint8_t seed[static ED25519_SEED_LEN])
{
    crypto_sign_ed25519_seed_keypair(key->pub, key->secret, seed);
}

void ed25519_key_done(struct ed25519_key *key)
{
    if (key != NULL)
        explicit_bzero(key, sizeof(*key));
}

void ed25519_sign(const struct ed25519_key *key, uint8_t sig[static ED25519_SIG_LEN],
                  struct bytes msg)
{
    crypto_sign_ed25519_detached(sig, NULL, msg.ptr, msg.len, key->secret);
}

enum tacit_err ed25519_verify(const uint8_t pub[static ED25519_PUB_LEN],
                              const uint8_t sig[static ED25519_SIG_LEN], struct bytes msg)
{
    return crypto_sign_ed25519_verify_detached(sig, msg.ptr, msg.len, pub) == 0 ? TACIT_OK
                                                                                : TACIT_SIGNATURE;
}
