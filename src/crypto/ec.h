/* Public keys and signature verification: ECDSA on P-256 and P-384, RSA for AMD's and NVIDIA's
 * chains. Verification only; nothing here holds a secret. A key object is immutable after creation
 * and may be used by several threads at once. */
#ifndef CRYPTO_EC_H
#define CRYPTO_EC_H

#include "base/bytes.h"
#include "base/err.h"

enum {
    P256_POINT_LEN = 64, /* x || y, big-endian */
    P256_SIG_LEN = 64,   /* r || s, big-endian */
    P384_POINT_LEN = 96,
    P384_SIG_LEN = 96,
};

enum pubkey_kind { PUBKEY_P256, PUBKEY_P384, PUBKEY_RSA };

/* How a signature was made. The PSS form is exactly: MGF1 with the same hash, salt as long as the
 * hash, trailer 1. */
enum sig_alg {
    SIG_UNKNOWN = 0,
    SIG_ECDSA_SHA256,
    SIG_ECDSA_SHA384,
    SIG_RSA_SHA256, /* PKCS #1 v1.5 */
    SIG_RSA_SHA384,
    SIG_RSA_PSS_SHA384,
};

struct pubkey;

/* Make a key from a curve point.
 *
 * kind      PUBKEY_P256 or PUBKEY_P384
 * xy        64 or 96 octets, x || y big-endian; checked to lie on the curve and not at infinity
 * like      NULL, or a key of the same kind whose curve parameters are shared: five times faster
 *
 * Returns   TACIT_OK; TACIT_FORMAT for another length or a point off the curve; TACIT_NOMEM.
 *           `*out` is NULL on failure.
 * Memory    the caller owns `*out`: pubkey_free.
 * Threads   any. */
MUST_CHECK enum tacit_err pubkey_from_point(struct pubkey **out, enum pubkey_kind kind,
                                            struct bytes xy, const struct pubkey *like);

/* Make a key from a DER SubjectPublicKeyInfo: an uncompressed point on the named curve P-256 or
 * P-384, or RSA of 2048 to 4096 bits with an odd exponent of 3 to 2^32-1. Other algorithms,
 * explicit curve parameters and stray bytes are refused.
 *
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_UNSUPPORTED for another algorithm; TACIT_NOMEM.
 * Memory    the caller owns `*out`: pubkey_free. Threads any. */
MUST_CHECK enum tacit_err pubkey_from_spki(struct pubkey **out, struct bytes spki_der,
                                           const struct pubkey *like);

/* Another owner of the same key; each is given up with pubkey_free. */
struct pubkey *pubkey_ref(struct pubkey *key);
/* Accepts NULL. */
void pubkey_free(struct pubkey *key);
enum pubkey_kind pubkey_kind(const struct pubkey *key);

/* Verify ECDSA r || s (big-endian, 64 octets on P-256, 96 on P-384) over `msg`, hashed with the
 * curve's own hash: SHA-256 or SHA-384. High s is valid, as in every DCAP verifier.
 *
 * Returns   TACIT_OK; TACIT_SIGNATURE if it does not verify, has another length, or r or s is out
 *           of range; TACIT_UNSUPPORTED for an RSA key; TACIT_NOMEM.
 * Threads   any; the key is not changed. */
MUST_CHECK enum tacit_err pubkey_verify_raw(const struct pubkey *key, struct bytes sig,
                                            struct bytes msg);

/* The same over a digest that the caller has made: 32 octets on P-256, 48 on P-384. */
MUST_CHECK enum tacit_err pubkey_verify_raw_digest(const struct pubkey *key, struct bytes sig,
                                                   struct bytes digest);

/* Verify a signature as X.509 and JWT-RS256 carry it: DER SEQUENCE {r, s} (strict) for ECDSA, the
 * plain octets for RSA. The key must be of the kind that `alg` asks for; ECDSA with SHA-256 needs
 * P-256 or P-384, with SHA-384 likewise.
 *
 * Returns   TACIT_OK; TACIT_SIGNATURE; TACIT_UNSUPPORTED if key and algorithm do not go together;
 *           TACIT_NOMEM. Threads any. */
MUST_CHECK enum tacit_err pubkey_verify(const struct pubkey *key, enum sig_alg alg,
                                        struct bytes sig, struct bytes msg);

#endif
