/* HTTP/2, server side, as an engine over memory (RFC 9113): bytes from the client in, bytes for the
 * client out, and events between. Frames, HPACK and flow control are nghttp2's; what a request may
 * look like, and what a peer may make us do for nothing, is decided here.
 *
 * Flow control is open only as far as h2_consumed says: what was given out by on_body and not
 * consumed bounds what the client may send. Replies are asked for piece by piece by on_take. */
#ifndef HTTP_H2_H
#define HTTP_H2_H

#include "base/buf.h"
#include "http/h1.h"

struct h2;

/* A request head. Views are valid during on_head only. */
struct h2_head {
    struct bytes method;
    struct bytes path;
    struct bytes query;
    const struct header *headers; /* without pseudo-headers; "host" is there, from :authority */
    size_t count;
    int64_t content_length; /* -1 when not given */
    bool has_body;          /* the stream is still open for data */
    bool expects_continue;
    struct h1_refusal no; /* status 0: fine; else answer with it: method, path are not set then */
};

enum h2_take { H2_TAKE_SOME, H2_TAKE_LATER, H2_TAKE_END, H2_TAKE_FAIL };

/* Called from inside h2_feed and h2_take_out. They may call the h2_ functions of one stream, not
 * h2_feed, h2_take_out or h2_free. */
struct h2_events {
    void (*on_head)(void *ctx, int32_t stream, const struct h2_head *head);
    void (*on_body)(void *ctx, int32_t stream, struct bytes piece);
    void (*on_end)(void *ctx, int32_t stream); /* of the request's body */
    /* Wants up to cap octets of the reply's body. SOME: *len > 0 were written, more may follow.
     * LATER: none now, h2_resume will tell. END: *len octets (0 too) and no more. FAIL: reset. */
    enum h2_take (*on_take)(void *ctx, int32_t stream, uint8_t *out, size_t cap, size_t *len);
    void (*on_sent)(void *ctx, int32_t stream);  /* the reply's end is among the bytes taken out */
    void (*on_close)(void *ctx, int32_t stream); /* last event of a stream, whatever the reason */
};

/* NULL when out of memory. max_streams: at a time, the client is told. */
struct h2 *h2_new(const struct h2_events *events, void *ctx, uint32_t max_streams);
/* No event is called. Accepts NULL. */
void h2_free(struct h2 *h);

/* Bytes from the client.
 *
 * now_ms    any monotonic clock; refills the allowance for resets and control frames
 * Returns   TACIT_OK; TACIT_FORMAT: the peer broke the protocol; TACIT_LIMIT: it made us work for
 *           nothing (rapid resets, floods of PING, SETTINGS, CONTINUATION, empty DATA);
 *           TACIT_NOMEM. After an error send what h2_take_out gives (the GOAWAY) and close. */
MUST_CHECK enum tacit_err h2_feed(struct h2 *h, struct bytes in, uint64_t now_ms);
/* Next bytes for the client, valid until the next call; empty when there are none now. */
struct bytes h2_take_out(struct h2 *h);

/* Starts the reply; names lower-case, no connection-specific fields. has_body: on_take follows.
 * TACIT_FORMAT: a field is illegal; TACIT_NOMEM; TACIT_STATE: there is no such stream any more. */
MUST_CHECK enum tacit_err h2_reply(struct h2 *h, int32_t stream, unsigned status,
                                   const struct header *headers, size_t count, bool has_body);
/* Sends "100 Continue". */
void h2_continue(struct h2 *h, int32_t stream);
/* on_take of this stream has something to give again. */
void h2_resume(struct h2 *h, int32_t stream);
/* Ends the stream as failed. */
void h2_reset(struct h2 *h, int32_t stream);
/* len octets given out by on_body are done with: the client may send as many more. */
void h2_consumed(struct h2 *h, int32_t stream, size_t len);
/* Tells the client that this connection takes no new streams. */
void h2_goaway(struct h2 *h);
/* Nothing to send or to wait for: close the connection. */
bool h2_is_done(const struct h2 *h);
/* A header block has begun and not ended: slow senders of heads are the owner's to time out. */
bool h2_is_mid_head(const struct h2 *h);

#endif
