/* Inside the client only: connections below, calls above, and the upstream that holds both. All of
 * it belongs to the loop's thread. Memory rule: a conn, call or upstream is freed only in a close
 * callback of the loop, never below an event of the user's, so that code that called out may look
 * at is_dead and is_closed afterwards. */
#ifndef NET_CLIENT_PRIV_H
#define NET_CLIENT_PRIV_H

#include <uv.h>

#include "base/limits.h"
#include "http/h1.h"
#include "net/client.h"
#include "net/loop_priv.h"
#include "net/tls_priv.h"

enum {
    CLIENT_READ_PIECE = 16 * 1024,  /* one read; also a TLS record */
    CLIENT_WRITE_PIECE = 64 * 1024, /* one write: progress is seen in these steps */
    /* Plain text not yet handed on: a whole head and one read behind it. */
    CLIENT_IN_HIGH = LIMIT_HEAD_BYTES + CLIENT_READ_PIECE,
    CLIENT_IN_MAX = CLIENT_IN_HIGH + 2 * CLIENT_READ_PIECE,
};

/* The bytes of one request, shared by the call and the connections that send it. */
struct request_bytes {
    unsigned refs;
    struct buf buf;
};

struct request_bytes *request_bytes_ref(struct request_bytes *r);
void request_bytes_unref(struct request_bytes *r);

struct conn {
    struct upstream *upstream; /* NULL once closed */
    struct call *call;         /* NULL: idle */
    struct conn *next_idle;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } socket;
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    uv_write_t write;
    struct addrinfo *addrs;      /* of the name, to be freed */
    const struct addrinfo *addr; /* being tried, or NULL */
    struct tls_conn *tls;        /* NULL: plain */
    struct request_bytes *out;   /* being sent */
    size_t out_at;               /* octets of it handed to TLS or the kernel */
    struct buf in;               /* plain text received */
    size_t in_at;                /* octets of it already used */
    uint64_t idle_since_ms;
    bool has_socket, is_resolving, is_established, is_writing, is_reading;
    bool is_closed; /* nothing happens on it any more; freed by the loop */
    bool is_reused; /* has carried a whole exchange before */
    bool is_eof;    /* the peer ended; is_clean: in order */
    bool is_clean;
    bool is_write_broken;
    char read_mem[CLIENT_READ_PIECE];
    uint8_t cipher[CLIENT_READ_PIECE];
};

/* A connection that is being opened; call_conn_ready or call_conn_failed follows, never from
 * inside. NULL when out of memory or descriptors. */
struct conn *conn_open(struct upstream *u, struct call *call);
/* Sends the bytes after what is queued; takes a reference. */
void conn_send(struct conn *c, struct request_bytes *out);
bool conn_is_sent(const struct conn *c);
void conn_pause(struct conn *c);
void conn_resume(struct conn *c);
/* Moves decrypted text to `in`; whether there is more than before. Plain connections: false. */
bool conn_pull(struct conn *c);
struct bytes conn_in(const struct conn *c);
void conn_used(struct conn *c, size_t count);
void conn_close(struct conn *c);

/* What connections tell the call that holds them. */
void call_conn_ready(struct call *call);
void call_conn_wrote(struct call *call);
/* New bytes in `in`, or the end of the stream. */
void call_conn_data(struct call *call);
void call_conn_failed(struct call *call, enum tacit_err err);

enum call_phase { CALL_CONNECT, CALL_SEND, CALL_WAIT, CALL_BODY, CALL_ENDED };

struct call {
    struct upstream *upstream;
    struct call *prev, *next;
    struct conn *conn;
    struct request_bytes *request;
    struct call_events events;
    void *ctx;
    uv_timer_t timer;
    uint64_t start_ms, phase_ms; /* when the call, and the phase or its last progress, began */
    enum call_phase phase;
    enum tacit_err start_err; /* told from the timer, not from call_start */
    struct h1_scan scan;
    struct h1_chunks chunks;
    struct buf head; /* the reply's head, parsed in place */
    struct header *headers;
    struct h1_reply reply;
    uint64_t body_left;
    bool is_to_head, is_sent, is_replaced, is_paused, is_kicked, is_dead, is_running;
    bool has_bytes; /* of the reply */
};

struct upstream {
    struct loop *loop;
    struct upstream_opts opts; /* host is host_text */
    char host_text[300];
    struct call *calls;
    struct conn *idle; /* most recently used first */
    size_t idle_count;
    uv_timer_t idle_timer;
    bool is_dead;
};

/* Takes an idle connection or opens one; false when out of memory. */
bool call_connect(struct call *call, bool may_reuse);
/* Frees nothing by itself when the timer never started: see call_free. */
void call_end(struct call *call, enum tacit_err err);
void call_arm(struct call *call);
/* Back to the pool, or closed when the pool is full. */
void upstream_keep(struct upstream *u, struct conn *c);
void upstream_forget(struct upstream *u, struct conn *c);
struct conn *upstream_take(struct upstream *u);

#endif
