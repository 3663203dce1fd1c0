/* Inside the server only: what server.c, conn.c, conn_h1.c, conn_h2.c and exchange.c share.
 *
 * Everything that happens to a connection happens in conn_run, entered from the socket's callbacks,
 * the server's clock and its prepare handle. The exchange_ functions, called by programs at any
 * time, only note what is wanted and call conn_wake; so no event ever fires inside them, and
 * nothing is freed under its caller. All on the loop's thread. */
#ifndef NET_CONN_PRIV_H
#define NET_CONN_PRIV_H

#include <uv.h>

#include "base/limits.h"
#include "http/h1.h"
#include "http/h2.h"
#include "net/loop_priv.h"
#include "net/sendq.h"
#include "net/server.h"
#include "net/tls_priv.h"

struct conn;

enum {
    SCRATCH_LEN = 64 * 1024,
    LINGER_MS = 1000,
};

struct server {
    struct loop *loop;
    struct server_opts opts;
    struct handler handler;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } listener;
    uv_prepare_t prepare; /* runs woken connections before the loop sleeps */
    uv_timer_t clock;     /* looks at deadlines while there are connections */
    uint64_t clock_ms;    /* its period */
    struct conn *conns;
    struct conn *woken;
    size_t conn_count;
    size_t open_handles; /* of libuv, ours and the connections' */
    bool is_listening;
    bool has_waiting; /* the listener holds a connection that we have no room for */
    bool is_draining;
    bool is_freed; /* memory goes with the last handle */
    void (*on_drained)(void *ctx);
    void *drained_ctx;
    uint64_t drain_deadline_ms;
    int64_t date_unix_s;
    char date[32];
    uint8_t scratch[SCRATCH_LEN]; /* one read, used up before the next */
};

enum conn_state {
    CONN_HANDSHAKE, /* TLS */
    CONN_HEAD,      /* waiting for or inside a request head */
    CONN_BODY,      /* the request's body is not complete, whatever the reply does */
    CONN_REPLY,     /* the request is complete, the reply is not out */
    CONN_H2,        /* streams look after themselves */
    CONN_LINGER,    /* all is sent; waiting for the peer to close, so that it can read it */
    CONN_CLOSED,
};

struct conn {
    struct server *server;
    struct conn *prev, *next;
    struct conn *next_woken;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    uv_write_t write;
    uv_shutdown_t shutdown;
    enum conn_state state;
    struct tls_conn *tls;
    struct sendq in;      /* received, decrypted, not used yet */
    struct sendq out;     /* plaintext for the peer */
    struct buf inflight;  /* what the socket is being given: ciphertext under TLS */
    uint64_t put_total;   /* octets ever queued in out; the clock by which replies are complete */
    uint64_t taken_total; /* of these, ever moved on towards the socket */
    uint64_t done_total;  /* of these, ever handed to the kernel */
    bool is_reading, is_writing, is_listed, is_woken, is_running;
    bool is_eof;    /* the peer has ended its side */
    bool is_over;   /* close at once */
    bool is_ending; /* when all is out: end in order, linger */
    bool is_cut;    /* when all is out: close without saying so */
    uint64_t head_deadline_ms, idle_deadline_ms, write_deadline_ms,
        linger_deadline_ms; /* 0: none */
    size_t write_left;      /* of inflight when last looked at */
    char peer[64];
    /* HTTP/1.1 */
    struct h1_scan scan;
    struct h1_chunks chunks;
    enum h1_framing framing;
    uint64_t body_left; /* under H1_BODY_LENGTH */
    size_t discarded;
    bool is_keep_alive;
    bool has_served; /* past the first head */
    struct exchange *x;
    /* HTTP/2 */
    struct h2 *h2;
    struct exchange *streams;
    bool is_h2_failed, is_goaway_sent;
};

enum reply_state {
    REPLY_NONE,
    REPLY_OPEN,     /* head queued */
    REPLY_FINISHED, /* all queued */
    REPLY_ABORTED,
};

struct exchange {
    struct conn *conn;
    struct exchange *prev, *next; /* streams of an HTTP/2 connection */
    int32_t stream;
    struct request req;
    struct header *headers; /* in the same allocation, then the text they point into */
    uint8_t *text;
    size_t text_len;
    struct exchange_events events;
    void *ctx;
    bool is_listened, is_paused;
    bool expects_continue;          /* and has not been told to */
    bool is_body_done, is_end_told; /* the request is complete; on_end has fired */
    bool is_high;                   /* on_drain is owed */
    bool is_bodyless;               /* the reply has no body whatever is written: HEAD, 204, 304 */
    bool is_gone;                   /* HTTP/2: nghttp2 has closed the stream */
    bool is_sent;                   /* the reply's end is queued; complete at sent_mark */
    bool is_chunked;                /* HTTP/1.1: the reply's body goes out in chunks */
    enum reply_state reply;
    int64_t reply_left;  /* octets the head promised and that are not written; -1: not promised */
    uint64_t sent_mark;  /* of conn.put_total */
    uint64_t body_bytes; /* received so far */
    uint64_t body_deadline_ms, write_deadline_ms;
    struct sendq out;  /* HTTP/2: reply body that nghttp2 has not taken */
    struct sendq held; /* HTTP/2: request body that came while paused */
};

/* conn.c */
uint64_t conn_now_ms(const struct conn *c);
/* Sees to it that conn_run runs (again) soon. */
void conn_wake(struct conn *c);
void conn_run(struct conn *c);
/* The only way from state to state; asserts that the move is legal. */
void conn_enter(struct conn *c, enum conn_state to);
/* Queues plaintext for the peer; a failure ends the connection. */
void conn_put(struct conn *c, struct bytes plain);
/* Octets queued towards the peer, in all stages. */
size_t conn_queued(const struct conn *c);
void conn_shut(struct conn *c);
/* Takes over an accepted socket from the server's listener. False: out of memory. */
bool conn_accept(struct server *s);

/* conn_io.c: bytes between the socket and the queues */
void conn_read_start(struct conn *c);
void conn_read_stop(struct conn *c);
/* Decrypts what the protocol has room for. */
void conn_decrypt(struct conn *c);
/* Gives the socket what it takes. */
void conn_flush(struct conn *c);
/* Everything queued is with the kernel. */
bool conn_is_flushed(const struct conn *c);
/* Says goodbye to the peer, and waits for its own. */
void conn_linger(struct conn *c);

/* conn_time.c: deadlines of one connection; called by the server's clock. */
void conn_check_time(struct conn *c, uint64_t now_ms);

/* conn_h1.c, conn_h2.c: a step uses input and makes output, settling looks at what has left; both
 * return whether anything moved. */
bool h1_step(struct conn *c);
bool h1_settle(struct conn *c);
/* The head did not come in time. */
void h1_head_late(struct conn *c);
void h2_start(struct conn *c);
bool h2_step(struct conn *c);
bool h2_settle(struct conn *c);

/* exchange.c */
struct exchange *exchange_new(struct conn *c, size_t text_len, size_t header_count);
/* on_request, and what must hold after it. */
void exchange_begin(struct exchange *x);
/* Fires on_closed if listened to, and frees. */
void exchange_end(struct exchange *x, bool is_complete);
/* on_end, once. */
void exchange_tell_end(struct exchange *x);
/* The server's own verdict: on_closed(false) fires, then the error is answered, or, when a reply
 * has begun, the exchange is aborted. */
void exchange_fail(struct exchange *x, unsigned status, const char *why);
void exchange_drain_tell(struct exchange *x);
/* Whether the program wants the body now. */
bool exchange_wants_body(const struct exchange *x);
/* Hands over a piece of body; 413 when it is one too many. */
void exchange_body(struct exchange *x, struct bytes piece);
/* Octets queued towards this exchange's client. */
size_t exchange_queued(const struct exchange *x);
void exchange_check_time(struct exchange *x, uint64_t now_ms);

/* server.c */
/* Date header text of now. */
struct bytes server_date(struct server *s);
void server_conn_gone(struct server *s);
void server_handle_closed(uv_handle_t *handle);

#endif
