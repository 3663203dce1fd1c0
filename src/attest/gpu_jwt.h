/* Signed tokens of NVIDIA's attestation service: compact JWS with ES384 and nothing else, and the
 * service's key set, whose keys count only with a certificate from a pinned issuer. */
#ifndef ATTEST_GPU_JWT_H
#define ATTEST_GPU_JWT_H

#include "base/arena.h"
#include "codec/jscan.h"
#include "crypto/x509.h"

struct gpu_jwt {
    struct bytes text;        /* whole compact form */
    struct bytes signed_part; /* header '.' payload, as sent */
    struct bytes kid;
    struct jval claims; /* an object; validated, in the arena */
    uint8_t signature[96];
};

/* Split and decode a token. Header: exactly alg ES384, kid, and optionally typ JWT. Verifies no
 * signature.
 *
 * why       static sentence on failure
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_LIMIT; TACIT_NOMEM. Spec gpu.md 4.5, RFC 7515 */
MUST_CHECK enum tacit_err gpu_jwt_parse(struct gpu_jwt *out, const char **why, struct bytes text,
                                        struct arena *arena);

/* A key set and the issuer its certificates must come from. */
struct gpu_jwks {
    struct jval keys;               /* array, validated */
    uint8_t issuer_spki_sha256[32]; /* of the certificate that issued the keys */
    bool is_simulated;              /* that certificate is not NVIDIA's */
    struct bytes kid;               /* of the key found last, with its certificate's dates */
    struct pubkey *key;
    int64_t not_before_unix_s, not_after_unix_s;
};

/* issuer    certificate (PEM or DER) that must have issued the keys; len 0: NVIDIA's own, pinned
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_LIMIT; TACIT_USAGE for `issuer`. Then gpu_jwks_done. */
MUST_CHECK enum tacit_err gpu_jwks_open(struct gpu_jwks *out, const char **why, struct bytes json,
                                        struct bytes issuer, struct arena *arena);
void gpu_jwks_done(struct gpu_jwks *set);

/* Verify a token's signature with the one key of its kid. The key's certificate must be issued by
 * the pinned one, hold the very same key, and be valid when the token was issued.
 *
 * Returns   TACIT_OK; TACIT_NOT_FOUND (no or two such keys); TACIT_UNTRUSTED; TACIT_EXPIRED;
 *           TACIT_SIGNATURE; TACIT_FORMAT; TACIT_NOMEM; *why a static sentence. */
MUST_CHECK enum tacit_err gpu_jwks_verify(struct gpu_jwks *set, const char **why,
                                          const struct gpu_jwt *jwt, int64_t issued_unix_s,
                                          struct arena *arena);

#endif
