/* The request side of a relay: the body as it comes, the checks, the choice of a node, retries. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/sha2.h"
#include "gateway/relay_priv.h"

void relay_uncount(struct relay *r)
{
    if (r->is_counted)
        nodes_end(r->worker->gw->nodes, r->node);
    r->is_counted = false;
}

void relay_release(struct relay *r)
{
    if (r->x != NULL || r->call != NULL || r->receipt != NULL || r->is_in_ledger)
        return;
    relay_uncount(r);
    buf_done(&r->body);
    buf_done(&r->whole);
    buf_done(&r->receipt_body);
    sse_done(&r->sse);
    explicit_bzero(r, sizeof(*r));
    free(r);
}

/* --- choosing and sending -----------------------------------------------------------------------
 */

static void none_reply(struct relay *r, enum nodes_none none)
{
    struct openai_error e;

    r->state = RELAY_ENDED;
    atomic_fetch_add(&r->worker->gw->counters.upstream_errors, none != NODES_UNKNOWN_MODEL);
    switch (none) {
    case NODES_UNKNOWN_MODEL:
        openai_error_make(&e, OPENAI_GATEWAY, FAULT_MODEL_UNKNOWN, bytes_of(r->req.model));
        break;
    case NODES_NO_LEASE:
        openai_error_make(&e, OPENAI_GATEWAY, r->tried != 0 ? FAULT_BAD_GATEWAY : FAULT_UNAVAILABLE,
                          BYTES_LIT(""));
        break;
    case NODES_ALL_BUSY:
        openai_error_make(&e, OPENAI_GATEWAY, FAULT_OVERLOADED, BYTES_LIT(""));
        break;
    }
    reply_openai(r->x, &e);
}

static bool request_send(struct relay *r, struct upstream *up)
{
    const struct gateway_node_conf *node = nodes_conf(r->worker->gw->nodes, r->node);
    char auth[GATEWAY_TOKEN_MAX + 8];
    const struct header headers[] = {
        {BYTES_LIT("authorization"), bytes_make(auth, strlen(node->token) + 7)},
        {BYTES_LIT("content-type"), BYTES_LIT("application/json")},
        {BYTES_LIT("x-request-hash"), bytes_of(r->body_hash)},
        {BYTES_LIT("x-request-id"), bytes_of(r->request_id)},
        {BYTES_LIT("x-org-id"), bytes_of(r->key.organization_id)},
        {BYTES_LIT("x-workspace-id"), bytes_of(r->key.workspace_id)},
    };

    snprintf(auth, sizeof(auth), "Bearer %s", node->token);
    r->call = call_start(
        up, "POST", r->is_chat ? BYTES_LIT("/v1/chat/completions") : BYTES_LIT("/v1/completions"),
        headers, ARRAY_LEN(headers), buf_bytes(&r->body), &relay_call_events, r);
    explicit_bzero(auth, sizeof(auth));
    return r->call != NULL;
}

void relay_dispatch(struct relay *r)
{
    struct gateway *gw = r->worker->gw;
    enum nodes_none none;

    for (;;) {
        struct upstream *up;

        r->node = nodes_pick(gw->nodes, bytes_of(r->req.model), r->tried, &none);
        if (r->node == SIZE_MAX) {
            none_reply(r, none);
            return;
        }
        if (r->tried != 0)
            atomic_fetch_add(&gw->counters.retries, 1);
        r->tried |= UINT64_C(1) << r->node;
        up = worker_upstream(r->worker, r->node);
        if (up == NULL || !request_send(r, up))
            continue;
        nodes_begin(gw->nodes, r->node);
        r->is_counted = true;
        r->state = RELAY_UPSTREAM;
        return;
    }
}

/* --- the client's side --------------------------------------------------------------------------
 */

static void too_large(struct relay *r)
{
    struct openai_error e;
    char limit[24];

    r->state = RELAY_ENDED;
    snprintf(limit, sizeof(limit), "%d", LIMIT_BODY_BYTES);
    openai_error_make(&e, OPENAI_GATEWAY, FAULT_TOO_LARGE, bytes_of(limit));
    reply_openai(r->x, &e);
}

static void on_body(struct exchange *x, struct bytes chunk, void *ctx)
{
    struct relay *r = ctx;

    UNUSED(x);
    if (r->state != RELAY_BODY)
        return;
    buf_put(&r->body, chunk);
    if (r->body.failed)
        too_large(r);
}

static void body_hash_set(struct relay *r)
{
    uint8_t digest[SHA256_LEN];
    struct buf hex = buf_over((uint8_t *)r->body_hash, sizeof(r->body_hash) - 1);

    sha256(digest, buf_bytes(&r->body));
    buf_hex(&hex, BYTES_ARRAY(digest));
    r->body_hash[64] = 0;
}

static void on_end(struct exchange *x, void *ctx)
{
    struct relay *r = ctx;
    struct openai_error e;

    if (r->state != RELAY_BODY)
        return;
    if (openai_request_read(&r->req, &e, buf_bytes(&r->body),
                            r->is_chat ? OPENAI_CHAT : OPENAI_COMPLETION,
                            OPENAI_GATEWAY) != TACIT_OK) {
        r->state = RELAY_ENDED;
        atomic_fetch_add(&r->worker->gw->counters.requests_refused, 1);
        reply_openai(x, &e);
        return;
    }
    body_hash_set(r);
    relay_dispatch(r);
}

static void on_drain(struct exchange *x, void *ctx)
{
    struct relay *r = ctx;

    UNUSED(x);
    if (r->call != NULL)
        call_resume(r->call);
}

/* A client that leaves in mid-answer ends the node's work, and is charged for what it got. */
static void on_closed(struct exchange *x, bool is_complete, void *ctx)
{
    struct relay *r = ctx;

    UNUSED(x);
    r->x = NULL;
    if (!is_complete && r->state == RELAY_UPSTREAM) {
        atomic_fetch_add(&r->worker->gw->counters.clients_gone, 1);
        if (r->call != NULL)
            call_cancel(r->call);
        r->call = NULL;
        relay_uncount(r);
        relay_record_cut(r, "client_disconnect");
    }
    relay_release(r);
}

void relay_begin(struct worker *w, struct exchange *x, const struct store_key *key, bool is_chat)
{
    static const struct exchange_events events = {on_body, on_end, on_drain, on_closed};
    const struct request *req = exchange_request(x);
    struct relay *r = calloc(1, sizeof(*r));

    if (r == NULL) {
        reply_fault(x, FAULT_INTERNAL);
        return;
    }
    r->worker = w;
    r->x = x;
    r->key = *key;
    r->is_chat = is_chat;
    r->body = buf_make_secret(LIMIT_BODY_BYTES);
    r->whole = buf_make_secret(LIMIT_REPLY_BYTES);
    r->receipt_body = buf_make(LIMIT_HEAD_BYTES);
    sse_init(&r->sse);
    r->started_unix_ms = clock_unix_ms();
    r->started_mono_ms = clock_mono_ms();
    request_id_text(r->request_id, req);
    exchange_listen(x, &events, r);
    if (req->content_length > LIMIT_BODY_BYTES)
        too_large(r);
}
