/* The name that a TLS key has throughout tacit: SHA-256 of its DER SubjectPublicKeyInfo (near.md
 * 3.4), independent of the certificate around it. */
#ifndef CRYPTO_SPKI_H
#define CRYPTO_SPKI_H

#include "base/bytes.h"
#include "base/err.h"

/* Fingerprint of the key in the first certificate of a PEM text. Does not verify anything.
 *
 * cert_pem  one or more PEM certificates, any length; only the first is looked at
 * out       32 octets; zeroed on failure
 *
 * Returns   TACIT_OK; TACIT_FORMAT if there is no readable certificate; TACIT_NOMEM.
 * Threads   pure, any thread.
 * Spec      near.md 3.4 */
MUST_CHECK enum tacit_err spki_of_cert_pem(uint8_t out[static 32], struct bytes cert_pem);

#endif
