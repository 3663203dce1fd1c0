/* Inside net/ only: the libuv loop under a struct loop, for handles of our own. */
#ifndef NET_LOOP_PRIV_H
#define NET_LOOP_PRIV_H

#include <uv.h>

#include "net/loop.h"

/* Handles made on it must be closed before loop_free. Loop's thread only. */
uv_loop_t *loop_uv(struct loop *loop);

#endif
