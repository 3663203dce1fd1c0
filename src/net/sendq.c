/* The byte queue: it moves its content only when at least half of the memory is gone. */
#include "net/sendq.h"

enum { SENDQ_KEEP = 4096 };

struct sendq sendq_make(size_t limit)
{
    return (struct sendq){.buf = buf_make(2 * limit)};
}

void sendq_done(struct sendq *q)
{
    buf_done(&q->buf);
    q->head = 0;
}

size_t sendq_len(const struct sendq *q)
{
    return q->buf.len - q->head;
}

struct bytes sendq_view(const struct sendq *q)
{
    return bytes_slice(buf_bytes(&q->buf), q->head, SIZE_MAX);
}

bool sendq_put(struct sendq *q, struct bytes in)
{
    if (in.len > q->buf.limit / 2 - sendq_len(q))
        return false;
    if (q->head > q->buf.len / 2) {
        buf_consume(&q->buf, q->head);
        q->head = 0;
    }
    buf_put(&q->buf, in);
    if (!q->buf.failed)
        return true;
    q->buf.failed = false; /* the content is untouched */
    return false;
}

void sendq_skip(struct sendq *q, size_t count)
{
    q->head += count < sendq_len(q) ? count : sendq_len(q);
    if (q->head < q->buf.len)
        return;
    q->head = 0;
    if (q->buf.cap > SENDQ_KEEP)
        buf_done(&q->buf);
    else
        buf_reset(&q->buf);
}
