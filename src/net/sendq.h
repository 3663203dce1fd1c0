/* Inside net/ only: a byte queue over struct buf whose front is dropped in constant time on
 * average. Invariant: head <= buf.len, and head is 0 when the queue is empty. */
#ifndef NET_SENDQ_H
#define NET_SENDQ_H

#include "base/buf.h"

struct sendq {
    struct buf buf;
    size_t head; /* octets at the front that are gone */
};

/* limit: octets; up to as many again may be held for a while by what is gone. */
struct sendq sendq_make(size_t limit);
void sendq_done(struct sendq *q);
size_t sendq_len(const struct sendq *q);
/* Valid until the next call that changes the queue. */
struct bytes sendq_view(const struct sendq *q);
/* False when full or out of memory; nothing was added then. */
MUST_CHECK bool sendq_put(struct sendq *q, struct bytes in);
/* Drops octets from the front (clamped); an empty queue gives its memory back. */
void sendq_skip(struct sendq *q, size_t count);

#endif
