/* HTTP server: listeners, connections, and the one exchange abstraction above HTTP/1.1 and HTTP/2.
 *
 * Life of an exchange: the server parses a head and calls handler->on_request, which must at once
 * either reply or call exchange_listen to receive the body. Whatever happens, on_closed is the last
 * call for an exchange that is listened to; after it the pointer is dead. Without listening it is
 * dead when on_request returns. All calls happen on the loop's thread; events never fire from
 * inside an exchange_ function. Limits and all time limits (head, body progress, write progress,
 * idle) are the server's own and end the exchange by themselves.
 *
 * HTTP/1.1 requests of one connection are served one after the other. A client that closes its
 * sending side has left: running exchanges of that connection are closed. While an exchange is
 * paused with more than LIMIT_CONN_INPUT unread, its client's leaving is seen only on resumption.
 * HTTP/2 is spoken where TLS negotiates it, and on plain sockets with prior knowledge. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/buf.h"
#include "base/log.h"
#include "http/header.h"
#include "net/addr.h"
#include "net/loop.h"
#include "net/tls.h"

struct server;
struct exchange;

/* Borrowed from the exchange, valid until on_closed (or until on_request returns, if not listened).
 */
struct request {
    struct bytes method; /* as sent: "GET" */
    struct bytes path;   /* without query, percent-encoding untouched, begins with '/' */
    struct bytes query;  /* after '?', may be empty */
    const struct header *headers;
    size_t header_count;
    bool has_body;          /* content-length > 0, chunked, or an HTTP/2 stream left open */
    int64_t content_length; /* -1 if unknown */
    bool is_h2;
    bool is_tls;
    char peer[64];    /* address without port; "unix" */
    struct log_id id; /* random, made by the server */
};

/* First header of that (lower-case) name; an empty view with ptr NULL if absent. */
struct bytes request_header(const struct request *req, const char *name);

struct handler {
    void (*on_request)(struct exchange *x, const struct request *req, void *ctx);
    void *ctx;
};

struct exchange_events {
    /* A piece of the request body, in order. */
    void (*on_body)(struct exchange *x, struct bytes chunk, void *ctx);
    /* The request body is complete (called once, also when there is none). */
    void (*on_end)(struct exchange *x, void *ctx);
    /* The queue towards the client fell below LIMIT_QUEUE_LOW after having been high. May be NULL.
     */
    void (*on_drain)(struct exchange *x, void *ctx);
    /* Last call. is_complete: the whole reply was handed to the kernel before the client left. */
    void (*on_closed)(struct exchange *x, bool is_complete, void *ctx);
};

void exchange_listen(struct exchange *x, const struct exchange_events *events, void *ctx);
const struct request *exchange_request(const struct exchange *x);
/* Stops reading the request body / goes on. Backpressure reaches the client's socket or stream. */
void exchange_pause(struct exchange *x);
void exchange_resume(struct exchange *x);

/* Starts the reply. body_len -1: length unknown (chunked, or HTTP/2 DATA frames). Adds date,
 * content-length or transfer-encoding, connection; these and other hop-by-hop fields are left out
 * of what the caller gives, names in lower case. An illegal name or value makes it a 500. What is
 * called out of order (writing before the head, beyond or short of body_len) aborts the exchange;
 * anything called after the end is ignored. */
void exchange_head(struct exchange *x, unsigned status, const struct header *headers, size_t count,
                   int64_t body_len);
/* Queues body bytes (copied). Returns the octets now queued towards the client: above
 * LIMIT_QUEUE_HIGH the caller should pause its source until on_drain. */
size_t exchange_write(struct exchange *x, struct bytes chunk);
/* The reply is complete. */
void exchange_finish(struct exchange *x);
/* Head, body and finish in one call. */
void exchange_reply(struct exchange *x, unsigned status, const struct header *headers, size_t count,
                    struct bytes body);
/* The reply cannot be completed: what is queued is sent, then HTTP/1.1 closes without the final
 * chunk, HTTP/2 resets the stream, so that the client cannot take it for whole. */
void exchange_abort(struct exchange *x);
bool exchange_is_head_sent(const struct exchange *x);

struct server_opts {
    struct net_addr addr;
    struct tls_server *tls;    /* NULL: plain */
    uint64_t head_timeout_ms;  /* whole head, TLS handshake included; 0 = 10 s */
    uint64_t body_timeout_ms;  /* between body bytes; 0 = 30 s */
    uint64_t write_timeout_ms; /* no progress while bytes are queued; 0 = 30 s */
    uint64_t idle_timeout_ms;  /* keep-alive; 0 = 75 s */
    size_t max_connections;    /* 0 = 4096; beyond it new ones wait in the backlog */
    uint64_t max_body_bytes;   /* of a request, else 413; 0 = LIMIT_BODY_BYTES */
    /* Writes the JSON body of an answer that the server gives by itself: 400 408 413 414 417 431
     * 500 501 505. why: a sentence without quotes or controls. NULL: OpenAI's form,
     * {"error":{"message":why,"type":"invalid_request_error","param":null,"code":null}}, with
     * "server_error" for 500. */
    void (*error_body)(struct buf *out, unsigned status, const char *why);
};

/* Listens (SO_REUSEPORT for TCP, so that each worker thread has its own; a unix socket gets mode
 * 0600, and one left behind by a dead process is replaced). opts and handler are copied. why gets a
 * sentence for the operator on failure: TACIT_IO, TACIT_EXISTS (in use), TACIT_CONFIG (no such
 * address), TACIT_NOMEM. */
MUST_CHECK enum tacit_err server_new(struct server **out, struct loop *loop,
                                     const struct server_opts *opts, const struct handler *handler,
                                     char why[static 256]);
/* The port in use (useful when 0 was asked for). */
uint16_t server_port(const struct server *s);
size_t server_connections(const struct server *s);
/* Graceful end: stops accepting, closes idle connections, lets running exchanges finish
 * (connection: close / GOAWAY), at most until grace_ms; then calls done(ctx) once. */
void server_drain(struct server *s, uint64_t grace_ms, void (*done)(void *ctx), void *ctx);
/* Closes everything at once; on_closed fires for what was running. Not from inside an event of one
 * of its exchanges; from `done` of server_drain is fine. Accepts NULL. */
void server_free(struct server *s);

#endif
