/* The table of the node's endpoints (near.md 2.1) and what answers at once: anything that is not in
 * it is 404 here and never reaches the engine. */
#include <stdio.h>

#include "base/clock.h"
#include "codec/jwrite.h"
#include "node/report.h"
#include "openai/models.h"

enum route_name {
    ROUTE_ROOT,
    ROUTE_VERSION,
    ROUTE_HEALTH,
    ROUTE_METRICS,
    ROUTE_ENGINE_METRICS,
    ROUTE_MODELS,
    ROUTE_REPORT,
    ROUTE_SIGNATURE,
    ROUTE_RECEIPT,
    ROUTE_CHAT,
    ROUTE_COMPLETIONS,
};

struct route {
    enum route_name name;
    const char *method;
    const char *path;
    bool is_prefix; /* something not empty follows */
    bool needs_token;
};

static const struct route routes[] = {
    {ROUTE_ROOT, "GET", "/", false, false},
    {ROUTE_VERSION, "GET", "/version", false, false},
    {ROUTE_HEALTH, "GET", "/healthz", false, false},
    {ROUTE_METRICS, "GET", "/metrics", false, false},
    {ROUTE_ENGINE_METRICS, "GET", "/v1/metrics", false, false},
    {ROUTE_MODELS, "GET", "/v1/models", false, false},
    {ROUTE_REPORT, "GET", "/v1/attestation/report", false, false},
    {ROUTE_SIGNATURE, "GET", "/v1/signature/", true, true},
    {ROUTE_RECEIPT, "GET", "/v1/internal/receipt/", true, true},
    {ROUTE_CHAT, "POST", "/v1/chat/completions", false, true},
    {ROUTE_COMPLETIONS, "POST", "/v1/completions", false, true},
};

static bool path_fits(const struct route *r, struct bytes path)
{
    struct bytes own = bytes_of(r->path);

    return r->is_prefix ? path.len > own.len && bytes_starts_with(path, own) : bytes_eq(path, own);
}

/* The route of this path and method; *allowed is another method's if only the path fits. */
static const struct route *route_find(const struct request *req, const char **allowed)
{
    *allowed = NULL;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (!path_fits(&routes[i], req->path))
            continue;
        if (bytes_eq_cstr(req->method, routes[i].method))
            return &routes[i];
        *allowed = routes[i].method;
    }
    return NULL;
}

static bool is_authorised(const struct worker *w, const struct request *req)
{
    struct bytes value = request_header(req, "authorization");
    struct bytes scheme = bytes_slice(value, 0, 7);

    return bytes_eq_nocase(scheme, BYTES_LIT("bearer ")) &&
           node_conf_has_token(w->node->conf, bytes_trim(bytes_slice(value, 7, value.len)));
}

static void reply_version(struct worker *w, struct exchange *x)
{
    node_reply_json(w, x, 200, BYTES_LIT("{\"version\":\"" TACIT_VERSION "\",\"type\":\"proxy\"}"));
}

static const char *engine_word(const struct node *n)
{
    if (n->engine != NULL)
        return engine_state_name(engine_state_now(n->engine));
    return atomic_load(&n->is_external_up) ? "ready" : "down";
}

static void reply_health(struct worker *w, struct exchange *x)
{
    struct node *n = w->node;
    bool is_ready = node_engine_is_ready(n) && !atomic_load(&n->is_draining);
    const struct header retry = {BYTES_LIT("retry-after"), BYTES_LIT("2")};
    uint8_t mem[512];
    struct buf body = buf_over(mem, sizeof(mem));
    struct jw j = jw_make(&body);

    jw_object(&j);
    jw_key_cstr(&j, "status", is_ready ? "ok" : "unavailable");
    jw_key_cstr(&j, "engine", engine_word(n));
    jw_key_cstr(&j, "tee", tee_name(n->tee));
    jw_key_cstr(&j, "version", TACIT_VERSION);
    jw_end(&j);
    node_reply_body(w, x, is_ready ? 200 : 503, "application/json", buf_bytes(&body), &retry,
                    is_ready ? 0 : 1);
}

static void reply_metrics(struct worker *w, struct exchange *x)
{
    struct node *n = w->node;
    struct buf body = buf_make(64 * 1024);
    struct node_gauges gauges = {.outstanding = atomic_load(&n->outstanding),
                                 .signatures = sign_cache_count(n->signatures),
                                 .is_engine_ready = node_engine_is_ready(n)};

    if (n->engine != NULL) {
        struct engine_stats stats = engine_stats_now(n->engine);

        gauges.engine_starts = stats.starts;
        gauges.engine_crashes = stats.crashes;
    }
    node_metrics_put(&body, &n->metrics, &gauges);
    node_reply_body(w, x, 200, "text/plain; version=0.0.4", buf_bytes(&body), NULL, 0);
    buf_done(&body);
}

static void reply_models(struct worker *w, struct exchange *x)
{
    struct openai_model model = {.id = w->node->conf->model,
                                 .created_unix_s = w->node->started_unix_s,
                                 .owned_by = "tacit",
                                 .context_length = w->node->conf->context_tokens,
                                 .has_readiness = true,
                                 .is_ready = node_engine_is_ready(w->node)};
    uint8_t mem[2048];
    struct buf body = buf_over(mem, sizeof(mem));

    openai_models_put(&body, &model, 1);
    node_reply_json(w, x, 200, buf_bytes(&body));
}

static struct near_signature signature_of(const struct node *n, const struct sign_entry *entry,
                                          enum near_algo algo)
{
    return (struct near_signature){.algo = algo == NEAR_ED25519 ? NEAR_ED25519 : NEAR_ECDSA,
                                   .text = bytes_of(entry->text),
                                   .signature = bytes_of(entry->signature[algo]),
                                   .address = bytes_of(identity_address(n->identity, algo))};
}

/* The reply's id is what follows the route's path; false: the 404 has been sent. */
static bool entry_find(struct worker *w, struct exchange *x, const struct request *req,
                       const struct route *r, struct sign_entry *entry)
{
    struct bytes id = bytes_slice(req->path, strlen(r->path), req->path.len);
    struct openai_error e;

    if (sign_cache_get(w->node->signatures, entry, id, clock_mono_ms()) == TACIT_OK)
        return true;
    openai_error_say(&e, OPENAI_NODE, FAULT_NOT_FOUND, NULL, "Chat id not found or expired");
    node_reply_openai(w, x, &e);
    return false;
}

static void reply_signature(struct worker *w, struct exchange *x, const struct request *req,
                            const struct route *r)
{
    enum near_algo algo = NEAR_ECDSA;
    struct near_signature sig;
    struct sign_entry entry;
    uint8_t mem[4096];
    struct buf body = buf_over(mem, sizeof(mem));
    bool is_bad = false;
    char value[32];

    if (query_get(value, sizeof(value), &is_bad, req->query, "signing_algo") &&
        (is_bad || !near_algo_read(&algo, bytes_of(value)))) {
        node_reply_bad(w, x, "Invalid signing algorithm. Must be 'ed25519' or 'ecdsa'");
        return;
    }
    if (!entry_find(w, x, req, r, &entry))
        return;
    sig = signature_of(w->node, &entry, algo);
    near_signature_put(&body, &sig);
    node_reply_json(w, x, 200, buf_bytes(&body));
}

static void put_usage(struct jw *j, const struct openai_usage *u)
{
    jw_key(j, "usage");
    jw_object(j);
    jw_key_u64(j, "prompt_tokens", u->prompt_tokens);
    jw_key_u64(j, "completion_tokens", u->completion_tokens);
    jw_key_u64(j, "total_tokens", u->total_tokens);
    jw_key(j, "prompt_tokens_details");
    jw_object(j);
    jw_key_u64(j, "cached_tokens", u->cached_tokens);
    jw_end(j);
    jw_end(j);
}

/* node.h has the form. */
static void reply_receipt(struct worker *w, struct exchange *x, const struct request *req,
                          const struct route *r)
{
    struct sign_entry entry;
    uint8_t mem[8192], one_mem[4096];
    struct buf body = buf_over(mem, sizeof(mem));
    struct jw j = jw_make(&body);

    if (!entry_find(w, x, req, r, &entry))
        return;
    jw_object(&j);
    jw_key_cstr(&j, "id", entry.id);
    put_usage(&j, &entry.usage);
    jw_key(&j, "signatures");
    jw_array(&j);
    for (int algo = NEAR_ECDSA; algo <= NEAR_ED25519; algo++) {
        struct near_signature sig = signature_of(w->node, &entry, (enum near_algo)algo);
        struct buf one = buf_over(one_mem, sizeof(one_mem));

        near_signature_put(&one, &sig);
        jw_raw(&j, buf_bytes(&one));
    }
    jw_end(&j);
    jw_end(&j);
    node_reply_json(w, x, 200, buf_bytes(&body));
}

static void serve(struct worker *w, struct exchange *x, const struct request *req,
                  const struct route *r)
{
    switch (r->name) {
    case ROUTE_ROOT:
        node_reply_json(w, x, 200, BYTES_LIT("{}"));
        break;
    case ROUTE_VERSION:
        reply_version(w, x);
        break;
    case ROUTE_HEALTH:
        reply_health(w, x);
        break;
    case ROUTE_METRICS:
        reply_metrics(w, x);
        break;
    case ROUTE_ENGINE_METRICS:
        pass_metrics(w, x);
        break;
    case ROUTE_MODELS:
        reply_models(w, x);
        break;
    case ROUTE_REPORT:
        node_report_begin(w, x, req);
        break;
    case ROUTE_SIGNATURE:
        reply_signature(w, x, req, r);
        break;
    case ROUTE_RECEIPT:
        reply_receipt(w, x, req, r);
        break;
    case ROUTE_CHAT:
        infer_begin(w, x, req, OPENAI_CHAT);
        break;
    case ROUTE_COMPLETIONS:
        infer_begin(w, x, req, OPENAI_COMPLETION);
        break;
    }
}

static void refuse(struct worker *w, struct exchange *x, const char *allowed)
{
    struct openai_error e;
    const struct header allow = {BYTES_LIT("allow"), bytes_of(allowed)};
    uint8_t mem[1024];
    struct buf body = buf_over(mem, sizeof(mem));

    if (allowed == NULL) {
        node_reply_fault(w, x, FAULT_NO_ROUTE);
        return;
    }
    openai_error_make(&e, OPENAI_NODE, FAULT_METHOD, BYTES_LIT(""));
    openai_error_put(&body, &e);
    node_reply_body(w, x, e.status, "application/json", buf_bytes(&body), &allow, 1);
}

void node_on_request(struct exchange *x, const struct request *req, void *ctx)
{
    struct worker *w = ctx;
    const char *allowed;
    const struct route *r = route_find(req, &allowed);

    if (r == NULL)
        refuse(w, x, allowed);
    else if (r->needs_token && !is_authorised(w, req))
        node_reply_fault(w, x, FAULT_AUTH_INVALID);
    else
        serve(w, x, req, r);
}
