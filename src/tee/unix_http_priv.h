/* One HTTP/1.1 POST to an agent on a unix socket, blocking, strict. */
#ifndef TEE_UNIX_HTTP_PRIV_H
#define TEE_UNIX_HTTP_PRIV_H

#include "base/buf.h"

enum { UNIX_HTTP_REPLY_MAX = 8 * 1024 * 1024 };

/* Post a JSON body and read the whole reply.
 *
 * reply     takes the body; make it secret when keys come back
 * status    of the reply; 0 if none came
 *
 * Returns   TACIT_OK when a reply came, whatever its status; TACIT_NOT_FOUND if nobody listens;
 *           TACIT_TIMEOUT; TACIT_CLOSED for a reply cut short; TACIT_FORMAT; TACIT_LIMIT;
 *           TACIT_NOMEM; TACIT_IO.
 * Threads   any; blocks up to timeout_ms. Spec RFC 9112 */
MUST_CHECK enum tacit_err unix_http_post(struct buf *reply, unsigned *status,
                                         const char *socket_path, const char *target,
                                         struct bytes json, unsigned timeout_ms);

#endif
