/* One call: the phases of an exchange, their time limits, and the reply's bytes handed on as they
 * come. Events reach the user only from the loop, never from inside call_start or call_resume. */
#include <stdlib.h>

#include "net/client_priv.h"

static uint64_t now_ms(const struct call *call)
{
    return uv_now(loop_uv(call->upstream->loop));
}

static void set_phase(struct call *call, enum call_phase phase)
{
    call->phase = phase;
    call->phase_ms = now_ms(call);
    call_arm(call);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct call *call = handle->data;

    buf_done(&call->head);
    free(call->headers);
    request_bytes_unref(call->request);
    free(call);
}

static bool is_reusable(const struct call *call, const struct conn *c, enum tacit_err err)
{
    return err == TACIT_OK && call->reply.is_keep_alive && call->reply.framing != H1_BODY_CLOSE &&
           conn_is_sent(c) && conn_in(c).len == 0 && !c->is_eof;
}

static void unlink_call(struct call *call)
{
    struct upstream *u = call->upstream;

    if (call->prev != NULL)
        call->prev->next = call->next;
    else
        u->calls = call->next;
    if (call->next != NULL)
        call->next->prev = call->prev;
    call->prev = call->next = NULL;
}

static void release_conn(struct call *call, enum tacit_err err)
{
    struct conn *c = call->conn;
    struct upstream *u = call->upstream;

    call->conn = NULL;
    if (c == NULL)
        return;
    c->call = NULL;
    if (is_reusable(call, c, err) && !u->is_dead)
        upstream_keep(u, c);
    else
        conn_close(c);
}

static void bury(struct call *call, enum tacit_err err)
{
    call->is_dead = true;
    call->phase = CALL_ENDED;
    release_conn(call, err);
    unlink_call(call);
    uv_close((uv_handle_t *)&call->timer, on_timer_closed);
}

void call_end(struct call *call, enum tacit_err err)
{
    if (call->is_dead)
        return;
    bury(call, err);
    call->events.on_end(call, err, call->is_sent, call->ctx);
}

void call_cancel(struct call *call)
{
    if (!call->is_dead)
        bury(call, TACIT_CLOSED);
}

/* When the present phase is over its time; UINT64_MAX: never. */
static uint64_t phase_deadline_ms(const struct call *call)
{
    const struct upstream_opts *o = &call->upstream->opts;

    switch (call->phase) {
    case CALL_CONNECT:
        return call->phase_ms + o->connect_timeout_ms;
    case CALL_SEND:
        return call->phase_ms + o->between_timeout_ms;
    case CALL_WAIT:
        return call->phase_ms + o->first_byte_timeout_ms;
    case CALL_BODY:
        return call->is_paused ? UINT64_MAX : call->phase_ms + o->between_timeout_ms;
    case CALL_ENDED:
        break;
    }
    return UINT64_MAX;
}

static uint64_t deadline_ms(const struct call *call)
{
    uint64_t total_ms = call->start_ms + call->upstream->opts.total_timeout_ms;
    uint64_t phase_end_ms = phase_deadline_ms(call);

    return phase_end_ms < total_ms ? phase_end_ms : total_ms;
}

static bool reply_step(struct call *call);

/* Works through what has arrived until it is used up, paused, or over. */
static void run(struct call *call)
{
    if (call->is_running)
        return;
    call->is_running = true;
    while (!call->is_dead && !call->is_paused) {
        if (!reply_step(call) && (call->is_dead || !conn_pull(call->conn)))
            break;
    }
    call->is_running = false;
}

static bool may_replace(const struct call *call)
{
    return call->conn->is_reused && !call->has_bytes && !call->is_replaced;
}

/* A kept connection had been closed by the peer: once, a fresh one takes its place. */
static void replace_conn(struct call *call)
{
    struct conn *c = call->conn;

    call->is_replaced = true;
    call->conn = NULL;
    conn_close(c);
    if (!call_connect(call, false))
        call_end(call, TACIT_IO);
}

static void on_eof(struct call *call)
{
    bool is_whole = call->phase == CALL_BODY && call->reply.framing == H1_BODY_CLOSE &&
                    call->conn->is_clean && conn_in(call->conn).len == 0;

    if (is_whole)
        call_end(call, TACIT_OK);
    else if (may_replace(call))
        replace_conn(call);
    else
        call_end(call, TACIT_CLOSED);
}

static void go_on(struct call *call)
{
    run(call);
    if (!call->is_dead && !call->is_paused && call->conn != NULL && call->conn->is_eof)
        on_eof(call);
}

static void on_timer(uv_timer_t *timer)
{
    struct call *call = timer->data;

    if (call->start_err != TACIT_OK) {
        call_end(call, call->start_err);
        return;
    }
    if (call->is_kicked) {
        call->is_kicked = false;
        go_on(call);
        if (call->is_dead)
            return;
    }
    if (now_ms(call) >= deadline_ms(call))
        call_end(call, TACIT_TIMEOUT);
    else
        call_arm(call);
}

void call_arm(struct call *call)
{
    uint64_t now = now_ms(call), at = deadline_ms(call);
    bool is_now = call->is_kicked || call->start_err != TACIT_OK || at <= now;

    if (!call->is_dead)
        (void)uv_timer_start(&call->timer, on_timer, is_now ? 0 : at - now, 0);
}

bool call_connect(struct call *call, bool may_reuse)
{
    struct conn *c = may_reuse ? upstream_take(call->upstream) : NULL;

    if (c != NULL) {
        call->conn = c;
        c->call = call;
        call_conn_ready(call);
        return true;
    }
    call->conn = conn_open(call->upstream, call);
    if (call->conn == NULL)
        return false;
    set_phase(call, CALL_CONNECT);
    return true;
}

void call_conn_ready(struct call *call)
{
    call->is_sent = true;
    set_phase(call, CALL_SEND);
    if (call->is_paused)
        conn_pause(call->conn);
    conn_send(call->conn, call->request);
}

void call_conn_wrote(struct call *call)
{
    if (call->phase != CALL_SEND)
        return;
    call->phase_ms = now_ms(call);
    if (conn_is_sent(call->conn))
        set_phase(call, CALL_WAIT);
}

void call_conn_data(struct call *call)
{
    if (conn_in(call->conn).len > 0) {
        call->has_bytes = true;
        if (call->phase == CALL_BODY)
            call->phase_ms = now_ms(call);
    }
    go_on(call);
}

void call_conn_failed(struct call *call, enum tacit_err err)
{
    if (call->phase != CALL_CONNECT && may_replace(call))
        replace_conn(call);
    else
        call_end(call, err);
}

/* ---- the reply ---- */

static bool take_head(struct call *call, struct bytes head)
{
    size_t cap = call->scan.lines == 0 ? 1 : call->scan.lines;

    buf_reset(&call->head);
    buf_put(&call->head, head);
    free(call->headers);
    call->headers = calloc(cap, sizeof(*call->headers));
    if (call->head.failed || call->headers == NULL) {
        call_end(call, TACIT_NOMEM);
        return false;
    }
    if (h1_reply_parse(&call->reply, call->head.ptr, call->head.len, call->headers, cap,
                       call->is_to_head) == TACIT_OK)
        return true;
    call_end(call, TACIT_FORMAT);
    return false;
}

static void begin_body(struct call *call)
{
    const struct reply reply = {call->reply.status, call->reply.headers, call->reply.header_count};

    call->body_left =
        call->reply.framing == H1_BODY_LENGTH ? (uint64_t)call->reply.content_length : 0;
    set_phase(call, CALL_BODY);
    call->events.on_head(call, &reply, call->ctx);
}

/* Each step: whether it got anywhere, and the call is still alive. */
static bool head_step(struct call *call)
{
    struct bytes in = conn_in(call->conn);
    enum h1_scan_result found = h1_scan(&call->scan, in);
    struct bytes head;

    if (found == H1_SCAN_MORE)
        return false;
    if (found != H1_SCAN_DONE) {
        call_end(call, found == H1_SCAN_BARE_LF ? TACIT_FORMAT : TACIT_LIMIT);
        return false;
    }
    head = bytes_slice(in, call->scan.skip, call->scan.len);
    if (!take_head(call, head))
        return false;
    conn_used(call->conn, call->scan.skip + call->scan.len);
    call->scan = (struct h1_scan){0};
    if (call->reply.status >= 200) /* an interim reply is passed over */
        begin_body(call);
    return !call->is_dead;
}

static bool hand_on(struct call *call, struct bytes data, size_t used)
{
    if (data.len > 0)
        call->events.on_body(call, data, call->ctx);
    if (call->is_dead)
        return false;
    conn_used(call->conn, used);
    return true;
}

static bool length_step(struct call *call)
{
    struct bytes in = conn_in(call->conn);

    if (in.len > call->body_left)
        in = bytes_slice(in, 0, (size_t)call->body_left);
    if (in.len == 0)
        return false;
    call->body_left -= in.len;
    if (!hand_on(call, in, in.len))
        return false;
    if (call->body_left == 0)
        call_end(call, TACIT_OK);
    return !call->is_dead;
}

static bool chunked_step(struct call *call)
{
    struct bytes in = conn_in(call->conn), rest = in, data;
    enum tacit_err err = h1_chunks_next(&call->chunks, &rest, &data);

    if (err != TACIT_OK) {
        call_end(call, TACIT_FORMAT);
        return false;
    }
    if (!hand_on(call, data, in.len - rest.len))
        return false;
    if (call->chunks.is_done)
        call_end(call, TACIT_OK);
    return !call->is_dead && rest.len < in.len;
}

static bool reply_step(struct call *call)
{
    struct bytes in = conn_in(call->conn);

    if (call->phase != CALL_BODY)
        return in.len > 0 && head_step(call);
    switch (call->reply.framing) {
    case H1_BODY_NONE:
        call_end(call, TACIT_OK);
        return false;
    case H1_BODY_LENGTH:
        return length_step(call);
    case H1_BODY_CHUNKED:
        return in.len > 0 && chunked_step(call);
    case H1_BODY_CLOSE:
        return in.len > 0 && hand_on(call, in, in.len);
    }
    return false;
}

void call_pause(struct call *call)
{
    if (call->is_dead || call->is_paused)
        return;
    call->is_paused = true;
    if (call->conn != NULL && call->phase != CALL_CONNECT)
        conn_pause(call->conn);
    call_arm(call);
}

void call_resume(struct call *call)
{
    if (call->is_dead || !call->is_paused)
        return;
    call->is_paused = false;
    call->phase_ms = now_ms(call);
    if (call->conn != NULL && call->phase != CALL_CONNECT)
        conn_resume(call->conn);
    call->is_kicked = true; /* what is already here is handed on from the loop */
    call_arm(call);
}

struct bytes reply_header(const struct reply *r, const char *name)
{
    return header_find(r->headers, r->header_count, name);
}
