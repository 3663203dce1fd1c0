/* The engine's side of an inference: its bytes become the final bytes of the reply, which are
 * hashed as they are sent. Invariant: a reply is signed only when it is whole, and its signature
 * can be fetched before its last bytes leave. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "node/infer_priv.h"

enum { ENGINE_ERROR_MAX = 64 * 1024 };

/* --- signing ------------------------------------------------------------------------------------
 */

enum tacit_err infer_sign(struct infer *f, const char *id, const struct openai_usage *usage)
{
    struct node *n = f->worker->node;
    struct sign_entry entry = {.usage = *usage};
    uint8_t response[SHA256_LEN];
    enum tacit_err err;

    sha256_final(&f->response_hash, response);
    if (id[0] == 0)
        return TACIT_FORMAT;
    (void)snprintf(entry.id, sizeof(entry.id), "%s", id);
    err = near_text_make(entry.text, bytes_of(n->conf->model), f->request_sha256, response);
    for (int algo = NEAR_ECDSA; err == TACIT_OK && algo <= NEAR_ED25519; algo++)
        err = identity_sign(n->identity, entry.signature[algo], (enum near_algo)algo,
                            bytes_of(entry.text));
    if (err == TACIT_OK)
        err = sign_cache_put(n->signatures, &entry, clock_mono_ms());
    if (err != TACIT_OK)
        log_error("sign_failed", L_ID("req", f->log_id), L_ERR("err", err));
    return err;
}

static void completed(struct infer *f)
{
    struct node *n = f->worker->node;

    atomic_fetch_add(&n->metrics.completed, 1);
    metric_observe(&n->metrics.whole_reply, clock_mono_ms() - f->start_ms);
    infer_ended(f);
}

static void first_chunk(struct infer *f)
{
    if (f->first_ms != 0)
        return;
    f->first_ms = clock_mono_ms();
    metric_observe(&f->worker->node->metrics.first_chunk, f->first_ms - f->start_ms);
}

/* --- a stream -----------------------------------------------------------------------------------
 */

static void send_head(struct infer *f)
{
    const struct header headers[] = {
        {BYTES_LIT("content-type"), BYTES_LIT("text/event-stream")},
        {BYTES_LIT("cache-control"), BYTES_LIT("no-cache")},
        {BYTES_LIT("x-request-id"), bytes_of(f->request_id)},
    };

    if (f->is_head_sent)
        return;
    f->is_head_sent = true;
    atomic_fetch_add(&f->worker->node->metrics.replies[2], 1);
    exchange_head(f->x, 200, headers, ARRAY_LEN(headers), -1);
}

/* Sends what is in `out`, hashed; a slow client stops the engine's bytes. */
static void send_frames(struct infer *f)
{
    sha256_add(&f->response_hash, buf_bytes(&f->out));
    send_head(f);
    if (exchange_write(f->x, buf_bytes(&f->out)) > LIMIT_QUEUE_HIGH && f->call != NULL)
        call_pause(f->call);
}

static void stream_done(struct infer *f)
{
    f->usage = f->stream.usage;
    if (f->stream.id[0] == 0) {
        infer_fault(f, FAULT_BAD_GATEWAY);
        return;
    }
    sha256_add(&f->response_hash, buf_bytes(&f->out));
    if (infer_sign(f, f->stream.id, &f->usage) != TACIT_OK) {
        infer_fault(f, FAULT_INTERNAL);
        return;
    }
    send_head(f);
    (void)exchange_write(f->x, buf_bytes(&f->out));
    exchange_finish(f->x);
    completed(f);
}

static void stream_event(struct infer *f, struct bytes data)
{
    enum chunk_result result;

    buf_reset(&f->out);
    result = chunk_stream_event(&f->stream, &f->out, data);
    f->usage = f->stream.usage;
    switch (result) {
    case CHUNK_DATA:
        first_chunk(f);
        send_frames(f);
        break;
    case CHUNK_DROPPED:
        break;
    case CHUNK_DONE:
        stream_done(f);
        break;
    case CHUNK_ERROR:
        infer_fail(f, &f->stream.error);
        break;
    case CHUNK_BAD:
        infer_fault(f, FAULT_BAD_GATEWAY);
        break;
    }
}

/* --- a whole reply ------------------------------------------------------------------------------
 */

static void send_whole(struct infer *f, const char *id)
{
    sha256_add(&f->response_hash, buf_bytes(&f->out));
    if (infer_sign(f, id, &f->usage) != TACIT_OK) {
        infer_fault(f, FAULT_INTERNAL);
        return;
    }
    node_reply_json(f->worker, f->x, 200, buf_bytes(&f->out));
    completed(f);
}

static void whole_done(struct infer *f)
{
    buf_reset(&f->out);
    f->usage = *assembly_usage(f->assembly);
    if (assembly_write(f->assembly, &f->out) != TACIT_OK)
        infer_fault(f, FAULT_BAD_GATEWAY);
    else
        send_whole(f, assembly_id(f->assembly));
}

static void whole_event(struct infer *f, struct bytes data)
{
    switch (assembly_event(f->assembly, data)) {
    case CHUNK_DATA:
        first_chunk(f);
        break;
    case CHUNK_DROPPED:
        break;
    case CHUNK_DONE:
        whole_done(f);
        break;
    case CHUNK_ERROR:
        infer_fail(f, assembly_error(f->assembly));
        break;
    case CHUNK_BAD:
        infer_fault(f, FAULT_BAD_GATEWAY);
        break;
    }
}

static void take_events(struct infer *f, struct bytes chunk)
{
    struct sse_event event;

    if (sse_feed(&f->sse, chunk) != TACIT_OK) {
        infer_fault(f, FAULT_BAD_GATEWAY);
        return;
    }
    while (f->state != INFER_ENDED && sse_next(&f->sse, &event)) {
        if (!event.has_data)
            continue;
        if (f->state == INFER_STREAM)
            stream_event(f, event.data);
        else
            whole_event(f, event.data);
    }
}

/* --- plain JSON, although a stream was asked for ------------------------------------------------
 */

/* A client that asked for a stream gets one chunk's worth: the document as a frame would lie about
 * its kind, so the engine's answer counts as broken then. */
static void plain_done(struct infer *f)
{
    char id[OPENAI_ID_MAX + 1];

    if (f->request.is_stream) {
        infer_fault(f, FAULT_BAD_GATEWAY);
        return;
    }
    buf_reset(&f->out);
    if (f->engine_body.failed || reply_normalise(&f->out, id, &f->usage, buf_bytes(&f->engine_body),
                                                 &f->chunk_opts) != TACIT_OK)
        infer_fault(f, FAULT_BAD_GATEWAY);
    else
        send_whole(f, id);
}

static void refused_done(struct infer *f)
{
    struct openai_error e;

    openai_error_of_engine(&e, f->engine_status, buf_bytes(&f->engine_body));
    infer_fail(f, &e);
}

/* --- the call's events --------------------------------------------------------------------------
 */

static bool is_kind(const struct reply *r, struct bytes kind)
{
    struct bytes value = reply_header(r, "content-type");
    size_t end = bytes_find_byte(value, ';');

    return bytes_eq_nocase(bytes_trim(bytes_slice(value, 0, end)), kind);
}

static void on_head(struct call *c, const struct reply *r, void *ctx)
{
    struct infer *f = ctx;

    UNUSED(c);
    if (f->state != INFER_ASKED)
        return;
    f->engine_status = r->status;
    if (r->status != 200) {
        f->state = INFER_REFUSED;
    } else if (!is_kind(r, BYTES_LIT("text/event-stream"))) {
        f->state = INFER_PLAIN;
    } else if (f->request.is_stream) {
        f->state = INFER_STREAM;
        chunk_stream_init(&f->stream, &f->chunk_opts);
    } else {
        f->state = INFER_WHOLE;
        f->assembly = assembly_new(&f->chunk_opts);
        if (f->assembly == NULL)
            infer_fault(f, FAULT_INTERNAL);
    }
}

static void on_body(struct call *c, struct bytes chunk, void *ctx)
{
    struct infer *f = ctx;

    UNUSED(c);
    switch (f->state) {
    case INFER_STREAM:
    case INFER_WHOLE:
        take_events(f, chunk);
        break;
    case INFER_PLAIN:
        buf_put(&f->engine_body, chunk);
        break;
    case INFER_REFUSED:
        if (f->engine_body.len < ENGINE_ERROR_MAX)
            buf_put(&f->engine_body, chunk);
        break;
    case INFER_BODY:
    case INFER_ASKED:
    case INFER_ENDED:
        break; /* what comes after the end is read to its end and dropped */
    }
}

static void engine_lost(struct infer *f, enum tacit_err err)
{
    log_warn("engine_call_failed", L_ID("req", f->log_id), L_ERR("err", err));
    if (err == TACIT_TIMEOUT)
        infer_fault(f, FAULT_TIMEOUT);
    else if (!f->is_head_sent && (err == TACIT_IO || err == TACIT_CLOSED))
        infer_fault(f, FAULT_UNAVAILABLE); /* it died; it is being started again */
    else
        infer_fault(f, FAULT_BAD_GATEWAY);
}

static void on_end(struct call *c, enum tacit_err err, bool sent, void *ctx)
{
    struct infer *f = ctx;

    UNUSED(c);
    UNUSED(sent);
    f->call = NULL;
    if (err != TACIT_OK && f->state != INFER_ENDED)
        engine_lost(f, err);
    else if (f->state == INFER_PLAIN)
        plain_done(f);
    else if (f->state == INFER_REFUSED)
        refused_done(f);
    else if (f->state != INFER_ENDED)
        infer_fault(f, FAULT_BAD_GATEWAY); /* a stream without its [DONE] */
    infer_release(f);
}

const struct call_events infer_call_events = {on_head, on_body, on_end};
