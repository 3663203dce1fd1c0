/* TLS 1.3 by OpenSSL (1.2 is refused), as contexts that connections share. A server context holds a
 * key and certificate; a client context says whom to believe. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/buf.h"

struct tls_server; /* reference counted, immutable after creation, any thread */
struct tls_client;

/* cert_pem: leaf first, then its chain; key_pem: private key, erased by the caller. Offers ALPN h2
 * and http/1.1. TACIT_FORMAT / TACIT_MISMATCH when the PEM is bad or key and leaf do not belong
 * together. */
MUST_CHECK enum tacit_err tls_server_new(struct tls_server **out, struct bytes cert_pem,
                                         struct bytes key_pem);
struct tls_server *tls_server_ref(struct tls_server *tls);
void tls_server_unref(struct tls_server *tls);
/* SHA-256 of the leaf's DER SubjectPublicKeyInfo (near.md 3.4). */
void tls_server_spki(const struct tls_server *tls, uint8_t out[static 32]);

enum tls_trust {
    TLS_TRUST_PIN,    /* the peer's SPKI SHA-256 must be `pin`; names and CAs are not looked at */
    TLS_TRUST_SYSTEM, /* system CAs and the host name */
};

/* Offers ALPN http/1.1. */
MUST_CHECK enum tacit_err tls_client_new(struct tls_client **out, enum tls_trust trust,
                                         const uint8_t pin[32]);
struct tls_client *tls_client_ref(struct tls_client *tls);
void tls_client_unref(struct tls_client *tls);

#endif
