/* Inside net/ only: one TLS 1.3 connection as an engine over memory. Ciphertext from the peer goes
 * in by tls_conn_feed, ciphertext for the peer comes out by tls_conn_take; the owner moves both
 * over its socket. No step blocks, none does I/O. After any step, look at tls_conn_pending.
 *
 * Order of use: feed, then tls_conn_handshake until TACIT_OK; then feed and tls_conn_read,
 * tls_conn_write at will; tls_conn_shutdown last. An object belongs to one thread. */
#ifndef NET_TLS_PRIV_H
#define NET_TLS_PRIV_H

#include "base/buf.h"
#include "net/tls.h"

struct tls_conn;

/* Hold a reference to the context. NULL when out of memory. host: the name for SNI and, under
 * TLS_TRUST_SYSTEM, the one the certificate must carry; an address is checked as an address and
 * sends no SNI. */
struct tls_conn *tls_conn_server(struct tls_server *tls);
struct tls_conn *tls_conn_client(struct tls_client *tls, const char *host);
void tls_conn_free(struct tls_conn *c);

/* Ciphertext from the peer; copied. The owner bounds what it feeds before reading it out. */
MUST_CHECK enum tacit_err tls_conn_feed(struct tls_conn *c, struct bytes cipher);

/* Drives the handshake; the client calls it once before the first feed.
 *
 * Returns   TACIT_OK: established, and the peer is who it must be. TACIT_BUSY: needs more input.
 *           TACIT_MISMATCH: not the pinned key; TACIT_UNTRUSTED: CAs or name; TACIT_UNSUPPORTED: no
 *           common version, cipher or protocol; TACIT_FORMAT: not TLS or broken; TACIT_CLOSED: the
 *           peer gave up. After a failure send what is pending (the alert) and close. Only
 *           tls_conn_take, tls_conn_free may follow. */
MUST_CHECK enum tacit_err tls_conn_handshake(struct tls_conn *c);
/* After the handshake. */
bool tls_conn_is_h2(const struct tls_conn *c);

/* Decrypts up to `cap` octets.
 *
 * Returns   TACIT_OK with *got > 0; TACIT_BUSY: needs more input; TACIT_CLOSED: the peer ended in
 *           order (close_notify); TACIT_FORMAT: a record was forged or broken. */
MUST_CHECK enum tacit_err tls_conn_read(struct tls_conn *c, uint8_t *out, size_t cap, size_t *got);
/* Encrypts all of it. The owner bounds what is pending. TACIT_NOMEM, TACIT_STATE. */
MUST_CHECK enum tacit_err tls_conn_write(struct tls_conn *c, struct bytes plain);
/* Queues close_notify. Nothing can be written afterwards; reading may go on. */
void tls_conn_shutdown(struct tls_conn *c);

/* Ciphertext waiting for the peer, octets; and moving up to `cap` of them out. */
size_t tls_conn_pending(const struct tls_conn *c);
size_t tls_conn_take(struct tls_conn *c, uint8_t *out, size_t cap);

#endif
