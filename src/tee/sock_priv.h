/* Blocking stream sockets with a deadline, for agents and services beside us. */
#ifndef TEE_SOCK_PRIV_H
#define TEE_SOCK_PRIV_H

#include "base/buf.h"

/* Connected descriptors, or -1 with errno set. */
int sock_unix(const char *path);
int sock_vsock(uint32_t cid, uint32_t port);

/* Milliseconds from now as an absolute time of clock_mono_ms. */
uint64_t sock_deadline(unsigned timeout_ms);

/* All of `out`, whatever signals come. TACIT_OK; TACIT_TIMEOUT; TACIT_CLOSED; TACIT_IO. */
MUST_CHECK enum tacit_err sock_send(int fd, struct bytes out, uint64_t deadline_ms);
/* Some octets appended to `in`, at most `max`; TACIT_CLOSED at the end of the stream. */
MUST_CHECK enum tacit_err sock_receive(int fd, struct buf *in, size_t max, uint64_t deadline_ms);
/* Exactly `len` more octets. */
MUST_CHECK enum tacit_err sock_receive_all(int fd, struct buf *in, size_t len,
                                           uint64_t deadline_ms);

#endif
