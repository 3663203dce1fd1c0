/* The reply side of a relay: the node's bytes to the client as they are, read in passing.
 * Invariant: the terminating event, and the whole of a reply that is not streamed, are held back
 * until the ledger has the charge (relay_settle.c). */
#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/uuid.h"
#include "gateway/relay_priv.h"

/* --- heads --------------------------------------------------------------------------------------
 */

static void stream_head_send(struct relay *r)
{
    char inference_id[UUID_TEXT_LEN + 1];
    struct header headers[5] = {
        {BYTES_LIT("content-type"), BYTES_LIT("text/event-stream")},
        {BYTES_LIT("cache-control"), BYTES_LIT("no-cache")},
        {BYTES_LIT("x-request-id"), bytes_of(r->request_id)},
    };
    size_t n = 3;

    if (r->chat_id[0] != 0) {
        uuid5_dns(inference_id, bytes_of(r->chat_id));
        headers[n++] = (struct header){BYTES_LIT("inference-id"), bytes_of(inference_id)};
    }
    r->is_head_sent = true;
    r->first_byte_ms = clock_mono_ms() - r->started_mono_ms;
    exchange_head(r->x, 200, headers, n, -1);
}

/* What a client may hear of a node's failing: its own mistakes in the node's words (which the node
 * has sanitised), everything else in ours. */
static bool is_clients_mistake(unsigned status)
{
    return status == 400 || status == 413 || status == 415 || status == 422;
}

static void error_reply(struct relay *r)
{
    struct header retry = {BYTES_LIT("x-should-retry"), BYTES_LIT("false")};

    r->state = RELAY_ENDED;
    if (is_clients_mistake(r->status))
        reply_json(r->x, r->status, buf_bytes(&r->whole), &retry, 1);
    else if (r->status == 429)
        reply_fault(r->x, FAULT_OVERLOADED);
    else if (r->status == 503)
        reply_fault(r->x, FAULT_UNAVAILABLE);
    else if (r->status == 504)
        reply_fault(r->x, FAULT_TIMEOUT);
    else
        reply_fault(r->x, FAULT_BAD_GATEWAY);
}

/* --- retries ------------------------------------------------------------------------------------
 */

/* Nothing has reached the client yet, so another node may try. */
static bool may_retry(struct relay *r)
{
    enum nodes_none none;

    return r->x != NULL && !r->is_head_sent &&
           nodes_pick(r->worker->gw->nodes, bytes_of(r->req.model), r->tried, &none) != SIZE_MAX;
}

static void node_gave_up(struct relay *r)
{
    struct gateway *gw = r->worker->gw;

    atomic_fetch_add(&gw->counters.upstream_errors, 1);
    nodes_failed(gw->nodes, r->node);
    relay_uncount(r);
}

static void retry(struct relay *r)
{
    buf_reset(&r->whole);
    sse_done(&r->sse);
    sse_init(&r->sse);
    r->status = 0;
    r->is_sse = false;
    relay_dispatch(r);
}

/* --- streams ------------------------------------------------------------------------------------
 */

static void event_note(struct relay *r, const struct sse_event *event)
{
    struct chunk_facts facts;

    if (!event->has_data || chunk_read(&facts, event->data) != TACIT_OK)
        return;
    if (r->chat_id[0] == 0 && facts.id.len > 0)
        snprintf(r->chat_id, sizeof(r->chat_id), "%.*s", BYTES_FMT(facts.id));
    if (facts.error.type != JVAL_NONE && facts.error.type != JVAL_NULL)
        r->is_broken = true;
    if (facts.usage.is_present)
        r->usage = facts.usage;
    r->chunk_count += facts.has_choices;
}

static void event_pass(struct relay *r, const struct sse_event *event)
{
    event_note(r, event);
    if (!r->is_head_sent)
        stream_head_send(r);
    if (exchange_write(r->x, event->raw) > LIMIT_QUEUE_HIGH && r->call != NULL)
        call_pause(r->call);
}

/* The stream cannot be completed: an event in the protocol says so, then it ends. */
static void stream_break(struct relay *r, enum openai_fault fault)
{
    uint8_t mem[1024];
    struct buf frame = buf_over(mem, sizeof(mem));
    struct openai_error e;

    atomic_fetch_add(&r->worker->gw->counters.streams_broken, 1);
    openai_error_make(&e, OPENAI_GATEWAY, fault, BYTES_LIT(""));
    openai_error_put_event(&frame, &e);
    (void)exchange_write(r->x, buf_bytes(&frame));
    relay_record_cut(r, fault == FAULT_TIMEOUT ? "timeout" : "provider_error");
    exchange_finish(r->x);
}

static void stream_feed(struct relay *r, struct bytes chunk)
{
    struct sse_event event;
    enum tacit_err err = sse_feed(&r->sse, chunk);

    while (err == TACIT_OK && r->state == RELAY_UPSTREAM && sse_next(&r->sse, &event)) {
        if (event.is_done) {
            buf_put(&r->whole, event.raw);
            relay_settle(r);
        } else {
            event_pass(r, &event);
        }
    }
    if (err == TACIT_OK || r->state != RELAY_UPSTREAM)
        return;
    if (r->call != NULL)
        call_cancel(r->call);
    r->call = NULL;
    node_gave_up(r);
    if (!r->is_head_sent)
        stream_head_send(r);
    stream_break(r, FAULT_BAD_GATEWAY);
}

static void stream_end(struct relay *r, enum tacit_err err)
{
    if (err == TACIT_OK && r->is_broken) {
        relay_record_cut(r, "provider_error");
        exchange_finish(r->x);
        return;
    }
    node_gave_up(r);
    if (err != TACIT_TIMEOUT && may_retry(r)) {
        retry(r);
        return;
    }
    if (!r->is_head_sent)
        stream_head_send(r);
    stream_break(r, err == TACIT_TIMEOUT ? FAULT_TIMEOUT : FAULT_BAD_GATEWAY);
}

/* --- replies that are not streamed
 * ---------------------------------------------------------------- */

static void whole_end(struct relay *r)
{
    struct chunk_facts facts;

    if (r->status != 200) {
        error_reply(r);
        return;
    }
    if (chunk_read(&facts, buf_bytes(&r->whole)) != TACIT_OK || facts.id.len == 0) {
        r->status = 502;
        error_reply(r);
        return;
    }
    snprintf(r->chat_id, sizeof(r->chat_id), "%.*s", BYTES_FMT(facts.id));
    r->usage = facts.usage;
    r->first_byte_ms = clock_mono_ms() - r->started_mono_ms;
    relay_settle(r);
}

/* --- events of the call -------------------------------------------------------------------------
 */

static void call_on_head(struct call *c, const struct reply *reply, void *ctx)
{
    struct relay *r = ctx;
    struct bytes type = reply_header(reply, "content-type");

    r->status = reply->status;
    r->is_sse = reply->status == 200 &&
                bytes_eq_nocase(bytes_slice(type, 0, 17), BYTES_LIT("text/event-stream"));
    if (reply->status != 429 && reply->status < 500)
        return;
    node_gave_up(r);
    if (!may_retry(r))
        return; /* its body is read, and error_reply says the rest */
    call_cancel(c);
    r->call = NULL;
    retry(r);
}

static void call_on_body(struct call *c, struct bytes chunk, void *ctx)
{
    struct relay *r = ctx;

    if (r->state != RELAY_UPSTREAM)
        return;
    if (r->is_sse) {
        stream_feed(r, chunk);
        return;
    }
    buf_put(&r->whole, chunk);
    if (!r->whole.failed)
        return;
    call_cancel(c);
    r->call = NULL;
    node_gave_up(r);
    r->status = 502;
    error_reply(r);
}

static void call_failed(struct relay *r, enum tacit_err err)
{
    if (err == TACIT_MISMATCH || err == TACIT_IO || err == TACIT_CLOSED)
        nodes_suspect(r->worker->gw->nodes, r->node);
    if (r->is_sse) {
        stream_end(r, err);
        return;
    }
    node_gave_up(r);
    if (err != TACIT_TIMEOUT && may_retry(r)) {
        retry(r);
        return;
    }
    r->status = err == TACIT_TIMEOUT ? 504 : 502;
    error_reply(r);
}

static void call_on_end(struct call *c, enum tacit_err err, bool sent, void *ctx)
{
    struct relay *r = ctx;

    UNUSED(c);
    UNUSED(sent);
    r->call = NULL;
    if (err == TACIT_OK && r->status < 500 && r->status != 429)
        nodes_worked(r->worker->gw->nodes, r->node);
    if (r->state != RELAY_UPSTREAM) {
        relay_uncount(r);
        relay_release(r);
        return;
    }
    if (err != TACIT_OK) {
        call_failed(r, err);
        return;
    }
    relay_uncount(r);
    if (r->is_sse)
        stream_end(r, TACIT_OK);
    else
        whole_end(r);
}

const struct call_events relay_call_events = {call_on_head, call_on_body, call_on_end};
