/* The keyset of a gateway or node: secp256k1 and Ed25519 signing keys and a TLS key, born in this
 * process (or released by the TEE's KMS to this very software), never written anywhere. Its public
 * half goes into report data. Shared by src/node and src/gateway, which may not include each other.
 */
#ifndef TEE_IDENTITY_H
#define TEE_IDENTITY_H

#include "base/buf.h"
#include "receipt/near_signature.h"
#include "tee/tee.h"

struct identity;

enum {
    IDENTITY_ADDRESS_MAX = NEAR_ADDRESS_TEXT_MAX + 1, /* with NUL */
    IDENTITY_PUBLIC_MAX = 2 * K1_PUB_LEN + 1,         /* 128 hex X||Y, or 64 hex; with NUL */
    IDENTITY_SIGNATURE_MAX = NEAR_SIG_TEXT_MAX + 1,
};

/* Keys from tee_key(path_prefix + "/ecdsa-signing-key" …) where the environment has them (near.md
 * 2.4), random otherwise; the TLS key is always random, its self-signed certificate names `host`.
 * why gets a sentence on failure. tee must outlive the identity. */
MUST_CHECK enum tacit_err identity_new(struct identity **out, struct tee *tee,
                                       const char *path_prefix, const char *host,
                                       char why[static 256]);
/* Erases the keys. Accepts NULL. */
void identity_free(struct identity *id);

/* Encodings of near.md 2.4. Static for the identity's life. Threads: any. */
const char *identity_address(const struct identity *id, enum near_algo algo);
const char *identity_public_key(const struct identity *id, enum near_algo algo);
void identity_spki(const struct identity *id, uint8_t out[static 32]);
/* Certificate and private key for net/tls.h; the key view is the identity's own memory. */
struct bytes identity_cert_pem(const struct identity *id);
struct bytes identity_key_pem(const struct identity *id);

/* Signature over the text, encoded as near.md 2.4. Threads: any. */
MUST_CHECK enum tacit_err identity_sign(const struct identity *id,
                                        char out[static IDENTITY_SIGNATURE_MAX],
                                        enum near_algo algo, struct bytes text);
/* report_data of near.md 3.4 for this nonce, with the TLS fingerprint bound or not. */
void identity_report_data(const struct identity *id, uint8_t out[static 64], enum near_algo algo,
                          bool with_tls, const uint8_t nonce[static 32]);

#endif
