/* The id under which a request is known to its client and in logs of the next hop. */
#ifndef NET_REQUEST_ID_H
#define NET_REQUEST_ID_H

#include "net/server.h"

enum { REQUEST_ID_LEN = 36 };

/* The client's x-request-id if it is a UUID (near.md 1.1), else the server's own random id as one.
 * Writes text and NUL. Threads: pure. */
void request_id_text(char out[static REQUEST_ID_LEN + 1], const struct request *req);

#endif
