/* The end of a relay: the receipt from the node that served it, the record in the ledger, and only
 * then the bytes that end the reply. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/uuid.h"
#include "gateway/relay_priv.h"

/* --- the record ---------------------------------------------------------------------------------
 */

static void record_fill(struct relay *r)
{
    struct store_usage *u = &r->record.usage;

    u->input_tokens = r->usage.prompt_tokens;
    u->output_tokens = r->usage.completion_tokens;
    u->cached_tokens = r->usage.cached_tokens;
    uuid5_dns(u->inference_id, bytes_of(r->chat_id));
    snprintf(u->organization_id, sizeof(u->organization_id), "%s", r->key.organization_id);
    snprintf(u->workspace_id, sizeof(u->workspace_id), "%s", r->key.workspace_id);
    snprintf(u->api_key_id, sizeof(u->api_key_id), "%s", r->key.id);
    snprintf(u->model, sizeof(u->model), "%s", r->req.model);
    snprintf(u->node, sizeof(u->node), "%s", nodes_conf(r->worker->gw->nodes, r->node)->name);
    u->stop_reason = r->stop_reason;
    u->is_stream = r->req.is_stream;
    u->started_unix_ms = r->started_unix_ms;
    u->first_byte_ms = r->first_byte_ms;
    u->total_ms = clock_mono_ms() - r->started_mono_ms;
    atomic_fetch_add(&r->worker->gw->counters.tokens_in, u->input_tokens);
    atomic_fetch_add(&r->worker->gw->counters.tokens_out, u->output_tokens);
}

/* --- the last bytes -----------------------------------------------------------------------------
 */

static void stream_conclude(struct relay *r)
{
    uint8_t mem[1024];
    struct buf frame = buf_over(mem, sizeof(mem));
    struct openai_error e;

    if (r->ledger_err == TACIT_OK) {
        (void)exchange_write(r->x, buf_bytes(&r->whole));
    } else {
        openai_error_make(&e, OPENAI_GATEWAY, FAULT_INTERNAL, BYTES_LIT(""));
        openai_error_put_event(&frame, &e);
        (void)exchange_write(r->x, buf_bytes(&frame));
    }
    exchange_finish(r->x);
}

static void whole_conclude(struct relay *r)
{
    char inference_id[UUID_TEXT_LEN + 1];
    struct header extra = {BYTES_LIT("inference-id"), bytes_make(inference_id, UUID_TEXT_LEN)};

    if (r->ledger_err != TACIT_OK) {
        reply_fault(r->x, FAULT_INTERNAL);
        return;
    }
    uuid5_dns(inference_id, bytes_of(r->chat_id));
    reply_json(r->x, 200, buf_bytes(&r->whole), &extra, 1);
}

static void conclude(struct relay *r)
{
    bool was_settled = r->state == RELAY_LEDGER;

    r->state = RELAY_ENDED;
    if (r->ledger_err != TACIT_OK)
        log_error("ledger_failed", L_ERR("err", r->ledger_err));
    if (r->x == NULL || !was_settled)
        relay_release(r); /* nobody waits, or the end has been sent already */
    else if (r->is_sse)
        stream_conclude(r);
    else
        whole_conclude(r);
}

/* --- the ledger ---------------------------------------------------------------------------------
 */

static void ledger_told(void *ctx)
{
    struct relay *r = ctx;

    r->is_in_ledger = false;
    conclude(r);
}

/* On the writer's thread. A loop that takes no more messages has closed all exchanges: then nobody
 * else holds the relay. */
static void ledger_done(void *ctx, enum tacit_err err)
{
    struct relay *r = ctx;
    struct loop *loop = r->worker->loop;

    r->ledger_err = err;
    if (loop_post(loop, ledger_told, r))
        return;
    r->x = NULL;
    r->call = NULL;
    r->receipt = NULL;
    r->is_in_ledger = false;
    relay_release(r);
}

static void ledger_write(struct relay *r)
{
    enum tacit_err err;

    record_fill(r);
    r->is_in_ledger = true;
    err = writer_submit(r->worker->gw->writer, &r->record, ledger_done, r);
    if (err == TACIT_OK)
        return;
    r->is_in_ledger = false;
    r->ledger_err = err;
    conclude(r);
}

/* Without usage from the node the chunks that were passed on are the only count there is: one chunk
 * holds at least one token. A reply that never began costs nothing. The caller ends the exchange.
 */
void relay_record_cut(struct relay *r, const char *stop_reason)
{
    r->state = RELAY_ENDED;
    if (r->chat_id[0] == 0)
        return;
    r->stop_reason = stop_reason;
    if (!r->usage.is_present)
        r->usage = (struct openai_usage){.is_present = true, .completion_tokens = r->chunk_count};
    r->record.signature_count = 2;
    for (size_t i = 0; i < 2; i++) {
        struct store_signature *sig = &r->record.signatures[i];

        *sig = (struct store_signature){.kind = "disconnected"};
        snprintf(sig->chat_id, sizeof(sig->chat_id), "%s", r->chat_id);
        snprintf(sig->algo, sizeof(sig->algo), "%s", i == 0 ? "ecdsa" : "ed25519");
    }
    record_fill(r);
    r->is_in_ledger = true;
    if (writer_submit(r->worker->gw->writer, &r->record, ledger_done, r) != TACIT_OK) {
        r->is_in_ledger = false;
        log_error("ledger_failed");
    }
}

/* --- the receipt --------------------------------------------------------------------------------
 */

static void receipt_on_head(struct call *c, const struct reply *reply, void *ctx)
{
    UNUSED(c);
    ((struct relay *)ctx)->receipt_status = reply->status;
}

static void receipt_on_body(struct call *c, struct bytes chunk, void *ctx)
{
    UNUSED(c);
    buf_put(&((struct relay *)ctx)->receipt_body, chunk);
}

/* A receipt that cannot be had costs the client its signature, not its answer: verification then
 * says so. What the reply itself told of usage is charged. */
static void receipt_on_end(struct call *c, enum tacit_err err, bool sent, void *ctx)
{
    struct relay *r = ctx;
    struct openai_usage usage;

    UNUSED(c);
    UNUSED(sent);
    r->receipt = NULL;
    if (err == TACIT_OK && r->receipt_status == 200)
        err = receipt_read(&usage, &r->record, buf_bytes(&r->receipt_body), r->chat_id);
    else if (err == TACIT_OK)
        err = TACIT_NOT_FOUND;
    if (err == TACIT_OK)
        r->usage = usage;
    else
        log_warn("receipt_missing", L_NUM("node", r->node), L_ERR("err", err));
    r->state = RELAY_LEDGER;
    ledger_write(r);
}

static bool receipt_ask(struct relay *r)
{
    static const struct call_events events = {receipt_on_head, receipt_on_body, receipt_on_end};
    const struct gateway_node_conf *node = nodes_conf(r->worker->gw->nodes, r->node);
    struct upstream *up = worker_upstream(r->worker, r->node);
    char auth[GATEWAY_TOKEN_MAX + 8];
    char target[OPENAI_ID_MAX + 32];
    struct header header = {BYTES_LIT("authorization"), bytes_make(auth, strlen(node->token) + 7)};

    if (up == NULL)
        return false;
    snprintf(auth, sizeof(auth), "Bearer %s", node->token);
    snprintf(target, sizeof(target), "/v1/internal/receipt/%s", r->chat_id);
    r->receipt = call_start(up, "GET", bytes_of(target), &header, 1, BYTES_LIT(""), &events, r);
    explicit_bzero(auth, sizeof(auth));
    return r->receipt != NULL;
}

void relay_settle(struct relay *r)
{
    r->stop_reason = "completed";
    r->state = RELAY_SETTLE;
    if (r->chat_id[0] != 0 && receipt_ask(r))
        return;
    log_warn("receipt_missing", L_NUM("node", r->node));
    r->state = RELAY_LEDGER;
    ledger_write(r);
}
