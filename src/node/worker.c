/* One worker: its loop, its listener, its connections to the engine, and their orderly end. */
#include <stdio.h>

#include "node/node_priv.h"

enum {
    /* Shorter than the 5 s after which llama-server and vLLM close a kept connection. */
    ENGINE_IDLE_MS = 4 * 1000,
    POLL_EVERY_MS = 5 * 1000,
    POLL_FAILURES_MAX = 3, /* near.md 2.6 */
};

static enum tacit_err open_engine(struct worker *w)
{
    const struct node *n = w->node;
    const struct upstream_opts opts = {
        .addr = n->engine_url.addr,
        .tls = n->engine_tls,
        .first_byte_timeout_ms = n->conf->first_byte_timeout_ms,
        .between_timeout_ms = n->conf->between_timeout_ms,
        .total_timeout_ms = n->conf->total_timeout_ms,
        .idle_timeout_ms = ENGINE_IDLE_MS,
    };

    w->engine = upstream_new(w->loop, &opts);
    return w->engine == NULL ? TACIT_NOMEM : TACIT_OK;
}

/* --- an external engine's health ----------------------------------------------------------------
 */

static void poll_result(struct worker *w, bool is_up)
{
    w->poll_failures = is_up ? 0 : w->poll_failures + 1;
    if (is_up)
        atomic_store(&w->node->is_external_up, true);
    else if (w->poll_failures >= POLL_FAILURES_MAX)
        atomic_store(&w->node->is_external_up, false);
}

static void on_poll_head(struct call *c, const struct reply *r, void *ctx)
{
    UNUSED(c);
    poll_result(ctx, r->status == 200);
}

static void on_poll_body(struct call *c, struct bytes chunk, void *ctx)
{
    UNUSED(c);
    UNUSED(chunk);
    UNUSED(ctx);
}

static void on_poll_end(struct call *c, enum tacit_err err, bool sent, void *ctx)
{
    struct worker *w = ctx;

    UNUSED(c);
    UNUSED(sent);
    w->poll_call = NULL;
    if (err != TACIT_OK)
        poll_result(w, false);
}

static void poll_engine(void *ctx)
{
    static const struct call_events events = {on_poll_head, on_poll_body, on_poll_end};
    struct worker *w = ctx;
    char target[300];

    if (w->poll_call != NULL) { /* the last one has not been answered: that is an answer */
        call_cancel(w->poll_call);
        w->poll_call = NULL;
        poll_result(w, false);
    }
    (void)snprintf(target, sizeof(target), "%s/health", w->node->engine_url.base);
    w->poll_call =
        call_start(w->engine, "GET", bytes_of(target), NULL, 0, (struct bytes){0}, &events, w);
}

static enum tacit_err open_poll(struct worker *w)
{
    if (w->index != 0 || w->node->engine != NULL)
        return TACIT_OK;
    w->poll = timer_new(w->loop, poll_engine, w);
    if (w->poll == NULL)
        return TACIT_NOMEM;
    timer_start(w->poll, 0, POLL_EVERY_MS);
    return TACIT_OK;
}

/* --- life ---------------------------------------------------------------------------------------
 */

enum tacit_err worker_open(struct worker *w, struct node *n, size_t index,
                           const struct net_addr *listen, char why[static 256])
{
    const struct handler handler = {node_on_request, w};
    const struct server_opts opts = {
        .addr = *listen,
        .tls = n->tls,
        .max_connections = n->conf->max_connections / n->conf->workers + 1,
        .max_body_bytes = LIMIT_BODY_BYTES,
        .error_body = node_reply_server_error,
    };

    w->node = n;
    w->index = index;
    (void)snprintf(why, 256, "out of memory or file descriptors");
    w->loop = loop_new();
    if (w->loop == NULL || open_engine(w) != TACIT_OK || open_poll(w) != TACIT_OK)
        return TACIT_NOMEM;
    return server_new(&w->server, w->loop, &opts, &handler, why);
}

/* All exchanges are over: what is left are engine connections. */
static void drained(void *ctx)
{
    struct worker *w = ctx;

    w->is_drained = true;
    timer_free(w->poll);
    w->poll = NULL;
    upstream_free(w->engine);
    w->engine = NULL;
    server_free(w->server);
    w->server = NULL;
    loop_stop(w->loop);
}

static void drain(void *ctx)
{
    struct worker *w = ctx;

    if (!w->is_drained)
        server_drain(w->server, w->node->conf->grace_ms, drained, w);
}

void worker_drain(struct worker *w)
{
    if (!loop_post(w->loop, drain, w))
        return; /* it has ended already */
}

void *worker_run(void *arg)
{
    struct worker *w = arg;

    loop_run(w->loop);
    if (!loop_post(w->node->control, node_worker_ended, w->node))
        return NULL; /* nobody waits any more */
    return NULL;
}

void worker_close(struct worker *w)
{
    if (w->loop == NULL)
        return;
    timer_free(w->poll);
    upstream_free(w->engine);
    server_free(w->server);
    loop_free(w->loop);
    w->loop = NULL;
}
