/* Where a request enters: authentication and the choice of what serves it. */
#include <stdio.h>

#include "base/clock.h"
#include "codec/jwrite.h"
#include "gateway/gateway_priv.h"

enum { MODELS_BODY_MAX = 256 * 1024 };

/* --- small routes -------------------------------------------------------------------------------
 */

static void health_reply(struct exchange *x)
{
    uint8_t mem[128];
    struct buf body = buf_over(mem, sizeof(mem));
    struct header cache = {BYTES_LIT("cache-control"), BYTES_LIT("public, max-age=5")};

    buf_puts(&body, "{\"status\":\"ok\",\"version\":\"" TACIT_VERSION "\"}");
    reply_json(x, 200, buf_bytes(&body), &cache, 1);
}

/* A model is listed once, and only while some node that serves it holds a lease. */
static bool is_listed(struct nodes *nodes, size_t index)
{
    const char *model = nodes_conf(nodes, index)->model;

    if (!nodes_lease(nodes, index).is_held)
        return false;
    for (size_t i = 0; i < index; i++)
        if (strcmp(nodes_conf(nodes, i)->model, model) == 0 && nodes_lease(nodes, i).is_held)
            return false;
    return true;
}

static void models_reply(struct gateway *gw, struct exchange *x)
{
    struct buf body = buf_make(MODELS_BODY_MAX);
    struct jw w = jw_make(&body);
    struct header cache = {BYTES_LIT("cache-control"),
                           BYTES_LIT("public, max-age=30, stale-while-revalidate=120")};

    jw_object(&w);
    jw_key_cstr(&w, "object", "list");
    jw_key(&w, "data");
    jw_array(&w);
    for (size_t i = 0; i < nodes_count(gw->nodes); i++) {
        if (!is_listed(gw->nodes, i))
            continue;
        jw_object(&w);
        jw_key_cstr(&w, "id", nodes_conf(gw->nodes, i)->model);
        jw_key_cstr(&w, "object", "model");
        jw_key(&w, "created");
        jw_i64(&w, gw->started_unix_s);
        jw_key_cstr(&w, "owned_by", "tacit");
        jw_key(&w, "is_ready");
        jw_bool(&w, true);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    reply_json(x, 200, buf_bytes(&body), &cache, 1);
    buf_done(&body);
}

static void key_reply(struct exchange *x, const struct store_key *key)
{
    uint8_t mem[512];
    struct buf body = buf_over(mem, sizeof(mem));
    struct jw w = jw_make(&body);

    jw_object(&w);
    jw_key(&w, "valid");
    jw_bool(&w, true);
    jw_key_cstr(&w, "organization_id", key->organization_id);
    jw_key_cstr(&w, "workspace_id", key->workspace_id);
    jw_key_cstr(&w, "api_key_id", key->id);
    jw_end(&w);
    reply_json(x, 200, buf_bytes(&body), NULL, 0);
}

/* --- authentication -----------------------------------------------------------------------------
 */

/* Replies and returns false unless the key is fine. */
static bool key_ask(struct gateway *gw, struct exchange *x, const struct request *req,
                    struct store_key *key)
{
    switch (keys_check(gw->keys, key, request_header(req, "authorization"), clock_unix_s())) {
    case KEY_FINE:
        return true;
    case KEY_MISSING:
        reply_fault(x, FAULT_AUTH_MISSING);
        break;
    case KEY_MALFORMED:
        reply_fault(x, FAULT_AUTH_MALFORMED);
        break;
    case KEY_INVALID:
        reply_fault(x, FAULT_AUTH_INVALID);
        break;
    }
    atomic_fetch_add(&gw->counters.requests_refused, 1);
    return false;
}

/* --- the table ----------------------------------------------------------------------------------
 */

enum route_id {
    ROUTE_CHAT,
    ROUTE_COMPLETIONS,
    ROUTE_MODELS,
    ROUTE_HEALTH,
    ROUTE_REPORT,
    ROUTE_CHECK_KEY,
    ROUTE_SIGNATURE,
};

struct route_row {
    enum route_id id;
    const char *method;
    const char *path;
    bool is_prefix; /* something, without further slash, follows */
    bool needs_key;
};

static const struct route_row routes[] = {
    {ROUTE_CHAT, "POST", "/v1/chat/completions", false, true},
    {ROUTE_COMPLETIONS, "POST", "/v1/completions", false, true},
    {ROUTE_MODELS, "GET", "/v1/models", false, false},
    {ROUTE_HEALTH, "GET", "/v1/health", false, false},
    {ROUTE_REPORT, "GET", "/v1/attestation/report", false, false},
    {ROUTE_CHECK_KEY, "POST", "/v1/check_api_key", false, true},
    {ROUTE_SIGNATURE, "GET", "/v1/signature/", true, true},
};

/* Paths that OpenAI's clients know and we do not serve: said so, instead of "not found". */
static const char *const unimplemented[] = {
    "/v1/images/variations",
    "/v1/audio/translations",
    "/v1/moderations",
    "/v1/batches",
    "/v1/threads",
    "/v1/assistants",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/audio/transcriptions",
    "/v1/files",
    "/v1/messages",
    "/v1/fine_tuning",
    "/v1/vector_stores",
};

static bool path_fits(const struct route_row *row, struct bytes path)
{
    if (!row->is_prefix)
        return bytes_eq_cstr(path, row->path);
    return bytes_starts_with(path, bytes_of(row->path)) && path.len > strlen(row->path) &&
           bytes_find_byte(bytes_slice(path, strlen(row->path), SIZE_MAX), '/') == SIZE_MAX;
}

static bool is_unimplemented(struct bytes path)
{
    for (size_t i = 0; i < ARRAY_LEN(unimplemented); i++) {
        size_t len = strlen(unimplemented[i]);

        if (bytes_starts_with(path, bytes_of(unimplemented[i])) &&
            (path.len == len || path.ptr[len] == '/'))
            return true;
    }
    return bytes_starts_with(path, BYTES_LIT("/v1/models/"));
}

static void unknown_reply(struct exchange *x, struct bytes path, bool is_known_path)
{
    if (is_known_path)
        reply_fault(x, FAULT_METHOD);
    else if (is_unimplemented(path))
        reply_error(x, 501, "not_implemented", "This endpoint is not implemented by tacit yet",
                    NULL);
    else
        reply_fault(x, FAULT_NO_ROUTE);
}

static void route_serve(const struct route_row *row, struct worker *w, struct exchange *x,
                        const struct request *req)
{
    struct store_key key = {0};

    if (row->needs_key && !key_ask(w->gw, x, req, &key))
        return;
    switch (row->id) {
    case ROUTE_CHAT:
    case ROUTE_COMPLETIONS:
        relay_begin(w, x, &key, row->id == ROUTE_CHAT);
        break;
    case ROUTE_MODELS:
        models_reply(w->gw, x);
        break;
    case ROUTE_HEALTH:
        health_reply(x);
        break;
    case ROUTE_REPORT:
        report_begin(w, x, req);
        break;
    case ROUTE_CHECK_KEY:
        key_reply(x, &key);
        break;
    case ROUTE_SIGNATURE:
        signature_begin(w, x, bytes_slice(req->path, strlen(row->path), SIZE_MAX), req->query);
        break;
    }
}

void gateway_on_request(struct exchange *x, const struct request *req, void *ctx)
{
    struct worker *w = ctx;
    bool is_known_path = false;

    atomic_fetch_add(&w->gw->counters.requests, 1);
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (!path_fits(&routes[i], req->path))
            continue;
        is_known_path = true;
        if (bytes_eq_cstr(req->method, routes[i].method)) {
            route_serve(&routes[i], w, x, req);
            return;
        }
    }
    atomic_fetch_add(&w->gw->counters.requests_refused, 1);
    unknown_reply(x, req->path, is_known_path);
}

/* --- admin --------------------------------------------------------------------------------------
 */

static void metric(struct buf *b, const char *name, const char *type, unsigned long long value)
{
    buf_putf(b, "# TYPE tacit_gateway_%s %s\ntacit_gateway_%s %llu\n", name, type, name, value);
}

static void node_metrics(struct buf *b, struct nodes *nodes)
{
    buf_puts(b, "# TYPE tacit_gateway_node_lease gauge\n");
    for (size_t i = 0; i < nodes_count(nodes); i++)
        buf_putf(b, "tacit_gateway_node_lease{node=\"%s\"} %d\n", nodes_conf(nodes, i)->name,
                 nodes_lease(nodes, i).is_held);
    buf_puts(b, "# TYPE tacit_gateway_node_outstanding gauge\n");
    for (size_t i = 0; i < nodes_count(nodes); i++)
        buf_putf(b, "tacit_gateway_node_outstanding{node=\"%s\"} %zu\n", nodes_conf(nodes, i)->name,
                 nodes_outstanding(nodes, i));
}

static void metrics_reply(struct gateway *gw, struct exchange *x)
{
    struct gateway_counters *c = &gw->counters;
    struct buf body = buf_make(MODELS_BODY_MAX);
    struct header type = {BYTES_LIT("content-type"), BYTES_LIT("text/plain; version=0.0.4")};

    metric(&body, "requests_total", "counter", atomic_load(&c->requests));
    metric(&body, "requests_refused_total", "counter", atomic_load(&c->requests_refused));
    metric(&body, "upstream_errors_total", "counter", atomic_load(&c->upstream_errors));
    metric(&body, "retries_total", "counter", atomic_load(&c->retries));
    metric(&body, "streams_broken_total", "counter", atomic_load(&c->streams_broken));
    metric(&body, "clients_gone_total", "counter", atomic_load(&c->clients_gone));
    metric(&body, "input_tokens_total", "counter", atomic_load(&c->tokens_in));
    metric(&body, "output_tokens_total", "counter", atomic_load(&c->tokens_out));
    metric(&body, "reports_total", "counter", atomic_load(&c->reports));
    node_metrics(&body, gw->nodes);
    exchange_reply(x, 200, &type, 1, buf_bytes(&body));
    buf_done(&body);
}

void gateway_on_admin(struct exchange *x, const struct request *req, void *ctx)
{
    if (!bytes_eq_cstr(req->path, "/metrics"))
        reply_fault(x, FAULT_NO_ROUTE);
    else if (!bytes_eq_cstr(req->method, "GET"))
        reply_fault(x, FAULT_METHOD);
    else
        metrics_reply(ctx, x);
}
