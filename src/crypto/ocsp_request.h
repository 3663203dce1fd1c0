/* OCSP requests (RFC 6960): what is posted to a responder to ask about one certificate. */
#ifndef CRYPTO_OCSP_REQUEST_H
#define CRYPTO_OCSP_REQUEST_H

#include "base/buf.h"
#include "crypto/x509.h"

enum { OCSP_NONCE_LEN = 32 };

/* Append a request about `cert`: one CertID with SHA-384, and a nonce extension, unsigned.
 *
 * cert, issuer  as parsed; that the one issued the other is the caller's business
 * nonce         fresh random octets, which the answer must repeat
 *
 * Returns   TACIT_OK; TACIT_FORMAT if the issuer's key cannot be found in its certificate;
 *           TACIT_NOMEM. About 200 octets.
 * Threads   pure. Spec gpu.md 2.4, RFC 6960 4.1, RFC 8954 */
MUST_CHECK enum tacit_err ocsp_request_make(struct buf *der, const struct x509_cert *cert,
                                            const struct x509_cert *issuer,
                                            const uint8_t nonce[static OCSP_NONCE_LEN]);

#endif
