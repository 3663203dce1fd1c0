/* Private keys that sign certificates, quotes and reports: P-256, P-384 and RSA. For TLS keys and
 * for simulators. A key made from a seed signs deterministically (RFC 6979) with big-number code
 * that is not constant-time: it is for simulators only, whose keys protect nothing. */
#ifndef CRYPTO_SIGNKEY_H
#define CRYPTO_SIGNKEY_H

#include "base/buf.h"
#include "crypto/ec.h"

struct signkey;

enum signkey_kind { SIGNKEY_P256, SIGNKEY_P384, SIGNKEY_RSA2048, SIGNKEY_RSA3072 };

enum { SIGNKEY_SEED_LEN = 32, SIGNKEY_RAW_MAX = P384_SIG_LEN, SIGNKEY_POINT_MAX = P384_POINT_LEN };

/* A fresh random key.
 *
 * Returns   TACIT_OK; TACIT_NOMEM; TACIT_INTERNAL if the library has no randomness.
 * Memory    *out is the caller's, for signkey_free; NULL on failure. */
MUST_CHECK enum tacit_err signkey_new(struct signkey **out, enum signkey_kind kind);
/* The key of a seed and a label: the same ones give the same key, now and elsewhere. For
 * simulators only (see above). An RSA key takes up to a second. */
MUST_CHECK enum tacit_err signkey_from_seed(struct signkey **out, enum signkey_kind kind,
                                            const uint8_t seed[static SIGNKEY_SEED_LEN],
                                            const char *label);
/* From PKCS #8 PEM text. TACIT_FORMAT if it is unreadable or of another kind. A key read back signs
 * with random nonces. */
MUST_CHECK enum tacit_err signkey_from_pem(struct signkey **out, struct bytes pem);
/* Erases and frees; accepts NULL. */
void signkey_free(struct signkey *key);

enum signkey_kind signkey_kind(const struct signkey *key);
/* Appends the key as PKCS #8 PEM, not encrypted; give a secret buffer. */
MUST_CHECK enum tacit_err signkey_pem(const struct signkey *key, struct buf *pem);
/* Appends the DER SubjectPublicKeyInfo. */
MUST_CHECK enum tacit_err signkey_spki(const struct signkey *key, struct buf *der);
/* x ‖ y, big-endian: 64 octets for P-256, 96 for P-384, whose count is returned; 0 for RSA. */
size_t signkey_point(const struct signkey *key, uint8_t out[static SIGNKEY_POINT_MAX]);

/* Sign a digest: r ‖ s, big-endian, 64 octets on P-256, 96 on P-384 (*sig_len says which).
 *
 * digest    32 octets on P-256, 48 on P-384
 *
 * Returns   TACIT_OK; TACIT_UNSUPPORTED for RSA; TACIT_USAGE for another digest length;
 *           TACIT_NOMEM. sig is zeroed on failure.
 * Threads   any number at once. */
MUST_CHECK enum tacit_err signkey_sign_raw(const struct signkey *key,
                                           uint8_t sig[static SIGNKEY_RAW_MAX], size_t *sig_len,
                                           struct bytes digest);
/* Sign a message as X.509 carries signatures: DER {r, s} or the RSA octets, appended to `sig`.
 * PSS signatures have random salts even with keys from seeds.
 *
 * Returns   TACIT_OK; TACIT_UNSUPPORTED if key and algorithm do not go together; TACIT_NOMEM. */
MUST_CHECK enum tacit_err signkey_sign(const struct signkey *key, enum sig_alg alg, struct buf *sig,
                                       struct bytes msg);
/* ECDSA with SHA-256 for P-256, with SHA-384 for P-384; PKCS #1 with SHA-256 or SHA-384 for RSA of
 * 2048 or 3072 bits. */
enum sig_alg signkey_alg(const struct signkey *key);

#endif
