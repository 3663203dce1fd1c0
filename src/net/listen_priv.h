/* Inside the server only: opening its listener. */
#ifndef NET_LISTEN_PRIV_H
#define NET_LISTEN_PRIV_H

#include "net/conn_priv.h"

/* Binds and listens at s->opts.addr. s->is_listening says, on failure too, that there is a handle
 * to close; why then holds a sentence for the operator. */
MUST_CHECK enum tacit_err listen_open(struct server *s, uv_connection_cb on_connection,
                                      char why[static 256]);

#endif
