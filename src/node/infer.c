/* The client's side of an inference: admission, the body and its hash, the engine's copy, and what
 * happens when the client reads slowly or leaves. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "codec/hex.h"
#include "crypto/hkdf.h"
#include "crypto/random.h"
#include "node/infer_priv.h"

enum { ENGINE_BODY_MAX = 256 * 1024 /* of an engine's error */ };

/* --- life ---------------------------------------------------------------------------------------
 */

static struct infer *infer_new(struct worker *w, struct exchange *x, const struct request *req,
                               enum openai_kind kind)
{
    struct infer *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return NULL;
    f->worker = w;
    f->x = x;
    f->kind = kind;
    f->log_id = req->id;
    f->body = buf_make_secret(LIMIT_BODY_BYTES);
    f->engine_body = buf_make_secret(LIMIT_REPLY_BYTES);
    f->out = buf_make_secret(LIMIT_REPLY_BYTES * 2);
    f->start_ms = clock_mono_ms();
    request_id_text(f->request_id, req);
    sha256_init(&f->request_hash);
    sha256_init(&f->response_hash);
    sse_init(&f->sse);
    return f;
}

void infer_release(struct infer *f)
{
    if (f->x != NULL || f->call != NULL)
        return;
    buf_done(&f->body);
    buf_done(&f->engine_body);
    buf_done(&f->out);
    sse_done(&f->sse);
    assembly_free(f->assembly);
    free(f);
}

static bool admit(struct infer *f)
{
    struct node *n = f->worker->node;

    if (atomic_fetch_add(&n->outstanding, 1) < n->conf->max_outstanding) {
        f->is_admitted = true;
        return true;
    }
    atomic_fetch_sub(&n->outstanding, 1);
    atomic_fetch_add(&n->metrics.refused_busy, 1);
    return false;
}

void infer_ended(struct infer *f)
{
    struct node *n = f->worker->node;

    if (f->state == INFER_ENDED)
        return;
    f->state = INFER_ENDED;
    if (f->is_admitted)
        atomic_fetch_sub(&n->outstanding, 1);
    f->is_admitted = false;
    atomic_fetch_add(&n->metrics.tokens_in, f->usage.prompt_tokens);
    atomic_fetch_add(&n->metrics.tokens_out, f->usage.completion_tokens);
    atomic_fetch_add(&n->metrics.tokens_cached, f->usage.cached_tokens);
}

void infer_fail(struct infer *f, const struct openai_error *e)
{
    if (f->state == INFER_ENDED)
        return;
    infer_ended(f);
    if (f->call != NULL)
        call_cancel(f->call); /* whatever else the engine says is of no use */
    f->call = NULL;
    if (f->x == NULL)
        return;
    log_info("reply_failed", L_ID("req", f->log_id), L_NUM("status", e->status),
             L_NUM("begun", f->is_head_sent));
    if (!f->is_head_sent) {
        node_reply_openai(f->worker, f->x, e);
        return;
    }
    atomic_fetch_add(&f->worker->node->metrics.broken, 1);
    buf_reset(&f->out);
    openai_error_put_event(&f->out, e);
    (void)exchange_write(f->x, buf_bytes(&f->out));
    exchange_finish(f->x);
}

void infer_fault(struct infer *f, enum openai_fault fault)
{
    struct openai_error e;

    openai_error_make(&e, OPENAI_NODE, fault, BYTES_LIT(""));
    infer_fail(f, &e);
}

/* --- the engine's copy --------------------------------------------------------------------------
 */

/* Hash of the client's bytes; a trusted caller may name that of the bytes it got itself (near.md
 * 2.3). Every caller here holds a configured token. */
static void settle_request_hash(struct infer *f)
{
    struct bytes given = request_header(exchange_request(f->x), "x-request-hash");
    uint8_t other[SHA256_LEN];

    sha256_final(&f->request_hash, f->request_sha256);
    if (given.ptr != NULL && hex_decode_fixed(other, sizeof(other), given) == TACIT_OK)
        memcpy(f->request_sha256, other, sizeof(other));
}

/* Prompt prefixes are shared within one organisation only (engine.md 8). */
static void make_salt(const struct infer *f, char out[static 65])
{
    struct bytes org = request_header(exchange_request(f->x), "x-org-id");
    uint8_t mac[SHA256_LEN];

    hmac_sha256(mac, BYTES_ARRAY(f->worker->node->salt_key), org);
    hex_encode(out, 65, BYTES_ARRAY(mac));
}

static enum tacit_err make_engine_body(struct infer *f, struct buf *out)
{
    const struct node_conf *conf = f->worker->node->conf;
    bool is_llama = conf->dialect == NODE_DIALECT_LLAMA_SERVER;
    char salt[65], id[33];
    struct rewrite_opts opts = {.engine_model = conf->engine_model, .is_llama_server = is_llama};

    if (!is_llama) {
        hex_encode(id, sizeof(id), BYTES_ARRAY(f->log_id.bytes));
        opts.engine_id = id;
    }
    if (conf->has_cache_salt) {
        make_salt(f, salt);
        opts.cache_salt = salt;
    }
    return rewrite_for_engine(out, &f->request, &opts);
}

static void ask_engine(struct infer *f)
{
    const struct net_url *url = &f->worker->node->engine_url;
    const struct header headers[] = {
        {BYTES_LIT("content-type"), BYTES_LIT("application/json")},
        {BYTES_LIT("accept"), BYTES_LIT("text/event-stream")},
        {BYTES_LIT("x-request-id"), bytes_of(f->request_id)},
    };
    struct buf body = buf_make_secret(2 * LIMIT_BODY_BYTES + 1024);
    char target[320];

    (void)snprintf(target, sizeof(target), "%s%s", url->base,
                   f->kind == OPENAI_CHAT ? "/v1/chat/completions" : "/v1/completions");
    f->state = INFER_ASKED;
    if (make_engine_body(f, &body) == TACIT_OK)
        f->call = call_start(f->worker->engine, "POST", bytes_of(target), headers,
                             ARRAY_LEN(headers), buf_bytes(&body), &infer_call_events, f);
    buf_done(&body);
    buf_done(&f->body); /* hashed and forwarded: not needed again */
    f->request.root = JVAL_ABSENT;
    if (f->call == NULL)
        infer_fault(f, FAULT_INTERNAL);
}

static enum tacit_err set_chunk_opts(struct infer *f)
{
    f->chunk_opts = (struct chunk_opts){.kind = f->kind,
                                        .model = f->worker->node->conf->model,
                                        .wants_usage = f->request.wants_usage,
                                        .wants_continuous_usage = f->request.wants_continuous_usage,
                                        .created_unix_s = clock_unix_s()};
    return random_fill(f->chunk_opts.random, sizeof(f->chunk_opts.random));
}

static void take_request(struct infer *f)
{
    const char *model = f->worker->node->conf->model;
    struct openai_error e;

    if (openai_request_read(&f->request, &e, buf_bytes(&f->body), f->kind, OPENAI_NODE) !=
        TACIT_OK) {
        infer_fail(f, &e);
        return;
    }
    if (strcmp(f->request.model, model) != 0) {
        openai_error_make(&e, OPENAI_NODE, FAULT_MODEL_UNKNOWN, bytes_of(f->request.model));
        infer_fail(f, &e);
        return;
    }
    settle_request_hash(f);
    if (set_chunk_opts(f) != TACIT_OK)
        infer_fault(f, FAULT_INTERNAL);
    else
        ask_engine(f);
}

/* --- the exchange's events ----------------------------------------------------------------------
 */

static void on_body(struct exchange *x, struct bytes chunk, void *ctx)
{
    struct infer *f = ctx;

    UNUSED(x);
    if (f->state != INFER_BODY)
        return;
    sha256_add(&f->request_hash, chunk);
    buf_put(&f->body, chunk);
    if (f->body.failed) {
        struct openai_error e;
        char limit[24];

        (void)snprintf(limit, sizeof(limit), "%u", (unsigned)LIMIT_BODY_BYTES);
        openai_error_make(&e, OPENAI_NODE, FAULT_TOO_LARGE, bytes_of(limit));
        infer_fail(f, &e);
    }
}

static void on_end(struct exchange *x, void *ctx)
{
    struct infer *f = ctx;

    UNUSED(x);
    if (f->state == INFER_BODY)
        take_request(f);
}

static void on_drain(struct exchange *x, void *ctx)
{
    struct infer *f = ctx;

    UNUSED(x);
    if (f->call != NULL)
        call_resume(f->call);
}

static void on_closed(struct exchange *x, bool is_complete, void *ctx)
{
    struct infer *f = ctx;
    bool was_running = f->state != INFER_ENDED;

    UNUSED(x);
    f->x = NULL;
    if (was_running || !is_complete)
        atomic_fetch_add(&f->worker->node->metrics.clients_gone, 1);
    infer_ended(f);
    log_info("request_end", L_ID("req", f->log_id), L_NUM("complete", is_complete),
             L_NUM("took_ms", clock_mono_ms() - f->start_ms),
             L_NUM("prompt_tokens", f->usage.prompt_tokens),
             L_NUM("completion_tokens", f->usage.completion_tokens));
    /* Closing the engine's connection ends its work; one whose work is over is kept for others. */
    if (f->call != NULL && was_running) {
        call_cancel(f->call);
        f->call = NULL;
    } else if (f->call != NULL) {
        call_resume(f->call);
    }
    infer_release(f);
}

void infer_begin(struct worker *w, struct exchange *x, const struct request *req,
                 enum openai_kind kind)
{
    static const struct exchange_events events = {on_body, on_end, on_drain, on_closed};
    struct infer *f;

    if (!node_engine_is_ready(w->node)) {
        node_reply_fault(w, x, FAULT_UNAVAILABLE);
        return;
    }
    f = infer_new(w, x, req, kind);
    if (f == NULL) {
        node_reply_fault(w, x, FAULT_INTERNAL);
        return;
    }
    if (!admit(f)) {
        f->x = NULL;
        infer_release(f);
        node_reply_fault(w, x, FAULT_OVERLOADED);
        return;
    }
    exchange_listen(x, &events, f);
}
