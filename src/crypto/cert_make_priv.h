/* What the makers of certificates, CRLs and OCSP answers share. */
#ifndef CRYPTO_CERT_MAKE_PRIV_H
#define CRYPTO_CERT_MAKE_PRIV_H

#include "crypto/cert_make.h"

/* The key bits of a SubjectPublicKeyInfo; empty if it is unreadable. */
struct bytes spki_key_bits(struct bytes spki_der);
/* AlgorithmIdentifier of a signature. TACIT_UNSUPPORTED for SIG_UNKNOWN. */
MUST_CHECK enum tacit_err sig_alg_put(struct buf *der, enum sig_alg alg);
void pss_alg_put(struct buf *der);
/* `tag` around SEQUENCE around the extensions; nothing if there are none. */
void extensions_put(struct buf *der, uint8_t tag, struct bytes extensions);
/* Signs what `der` holds from `tbs_from` on and appends algorithm and signature. */
MUST_CHECK enum tacit_err signed_put(struct buf *der, size_t tbs_from, enum sig_alg alg,
                                     const struct signkey *key);

#endif
