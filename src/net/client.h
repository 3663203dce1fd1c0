/* HTTP/1.1 client on a loop, for streaming relays: an upstream is one address with its pool of
 * reusable connections; a call is one request and its reply. Body bytes are passed on as they are,
 * with backpressure both ways. Nothing is retried here; the events say what the caller needs to
 * know to decide. For blocking code see net/fetch.h. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "base/buf.h"
#include "net/addr.h"
#include "net/loop.h"
#include "net/server.h"
#include "net/tls.h"

struct upstream;
struct call;

struct upstream_opts {
    struct net_addr addr;
    struct tls_client *tls;         /* NULL: plain */
    const char *host;               /* Host header; NULL: from addr, "localhost" for unix */
    uint64_t connect_timeout_ms;    /* TLS included; 0 = 5 s */
    uint64_t first_byte_timeout_ms; /* request sent to reply head; 0 = 120 s */
    uint64_t between_timeout_ms;    /* between reply body bytes; 0 = 60 s */
    uint64_t total_timeout_ms;      /* 0 = 1 h */
    size_t max_idle;                /* idle connections kept; 0 = 64 */
    uint64_t idle_timeout_ms;       /* 0 = 60 s */
};

struct upstream *upstream_new(struct loop *loop, const struct upstream_opts *opts);
/* Cancels running calls (on_end TACIT_CLOSED), closes connections. Accepts NULL. */
void upstream_free(struct upstream *u);

struct reply {
    unsigned status;
    const struct header *headers; /* names in lower case; borrowed until on_end */
    size_t header_count;
};

/* First header of that (lower-case) name; an empty view with ptr NULL if absent. */
struct bytes reply_header(const struct reply *r, const char *name);

struct call_events {
    void (*on_head)(struct call *c, const struct reply *r, void *ctx);
    void (*on_body)(struct call *c, struct bytes chunk, void *ctx);
    /* Last call; the pointer is dead afterwards. TACIT_OK: the reply is complete. TACIT_IO: could
     * not connect or TLS failed; TACIT_MISMATCH: the peer's key is not the pinned one;
     * TACIT_CLOSED: the connection broke; TACIT_TIMEOUT; TACIT_FORMAT: not HTTP; TACIT_LIMIT. sent:
     * whether any byte of the request may have reached the peer (false means retrying elsewhere is
     * safe). */
    void (*on_end)(struct call *c, enum tacit_err err, bool sent, void *ctx);
};

/* Starts a request; head and body are copied. method/target in ASCII. Adds host and
 * content-length. Returns NULL only when out of memory (no event follows). Events never fire from
 * inside this call. A reused connection that turns out closed before any reply byte is replaced by
 * a fresh one once, by itself. */
MUST_CHECK struct call *call_start(struct upstream *u, const char *method, struct bytes target,
                                   const struct header *headers, size_t count, struct bytes body,
                                   const struct call_events *events, void *ctx);
/* Stops and resumes reading the reply; pausing also pauses the between-bytes limit. */
void call_pause(struct call *c);
void call_resume(struct call *c);
/* Closes the connection; no further event, the pointer is dead. */
void call_cancel(struct call *c);

#endif
