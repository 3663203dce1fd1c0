/* Incremental splitting of server-sent events: bytes in any portions in, whole events with their
 * exact byte ranges out. LF and CRLF line ends; an event ends at an empty line. One stream, one
 * thread. Invariant: the `raw` of all events in order, plus what is pending, is the input. */
#ifndef OPENAI_SSE_H
#define OPENAI_SSE_H

#include "base/buf.h"
#include "base/limits.h"

struct sse {
    struct buf pending; /* bytes not handed out yet, at most LIMIT_SSE_EVENT_BYTES an event */
    struct buf joined;  /* data of an event that has several data lines */
    size_t taken;       /* octets of `pending` already handed out */
    size_t last_end;    /* where the last whole event in `pending` ends */
    size_t line_at;     /* where the line begins that is not complete */
    size_t scanned;     /* no line ends between line_at and here */
    bool is_failed;
};

struct sse_event {
    struct bytes raw;  /* all of it, the empty line at its end included */
    struct bytes data; /* payload of its data lines, joined by LF; empty for comments */
    bool has_data;     /* false: only comments or other fields */
    bool is_done;      /* data is [DONE] */
};

/* Start and end of life; the second erases (completions pass through here) and accepts zeros. */
void sse_init(struct sse *s);
void sse_done(struct sse *s);
/* Take more bytes. Invalidates events handed out before.
 *
 * Returns   TACIT_OK; TACIT_LIMIT when one event grew beyond LIMIT_SSE_EVENT_BYTES; TACIT_NOMEM.
 *           After a failure the stream is dead and yields nothing more. */
MUST_CHECK enum tacit_err sse_feed(struct sse *s, struct bytes chunk);
/* Next whole event, borrowed until the next sse_feed or sse_next; false when more bytes are
 * needed. */
bool sse_next(struct sse *s, struct sse_event *event);
/* Whether nothing is pending: true after a stream that ended between events. */
bool sse_is_between(const struct sse *s);

#endif
