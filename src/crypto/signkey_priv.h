/* What signkey.c and signkey_seed.c share: the key object, and the deterministic half. */
#ifndef CRYPTO_SIGNKEY_PRIV_H
#define CRYPTO_SIGNKEY_PRIV_H

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "crypto/signkey.h"

struct signkey {
    enum signkey_kind kind;
    EVP_PKEY *pkey;
    BIGNUM *scalar;  /* only of EC keys from a seed: signing is then deterministic */
    EC_GROUP *group; /* with scalar */
};

/* Octets of a scalar, and of a digest of the curve's own hash. 0 for RSA. */
size_t signkey_scalar_len(enum signkey_kind kind);

/* Fill in pkey (and scalar, group) of a key whose kind is set. TACIT_NOMEM on any failure. */
MUST_CHECK enum tacit_err
seed_make_ec(struct signkey *key, const uint8_t seed[static SIGNKEY_SEED_LEN], const char *label);
MUST_CHECK enum tacit_err
seed_make_rsa(struct signkey *key, const uint8_t seed[static SIGNKEY_SEED_LEN], const char *label);
/* r ‖ s with a nonce from key and digest (RFC 6979; for P-384 with HMAC-SHA-384). */
MUST_CHECK enum tacit_err seed_sign(const struct signkey *key, uint8_t *sig, struct bytes digest);

#endif
