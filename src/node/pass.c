/* GET /v1/metrics: the engine's own counters, passed on whole. They hold no prompts: engine.md 8.
 */
#include <stdio.h>
#include <stdlib.h>

#include "node/node_priv.h"

enum { PASS_BODY_MAX = 1024 * 1024 };

struct pass {
    struct worker *worker;
    struct exchange *x; /* NULL: the client left */
    struct call *call;  /* NULL: over */
    unsigned status;
    struct buf body;
};

static void pass_release(struct pass *p)
{
    if (p->x != NULL || p->call != NULL)
        return;
    buf_done(&p->body);
    free(p);
}

static void on_head(struct call *c, const struct reply *r, void *ctx)
{
    UNUSED(c);
    ((struct pass *)ctx)->status = r->status;
}

static void on_body(struct call *c, struct bytes chunk, void *ctx)
{
    UNUSED(c);
    buf_put(&((struct pass *)ctx)->body, chunk);
}

static void on_end(struct call *c, enum tacit_err err, bool sent, void *ctx)
{
    struct pass *p = ctx;

    UNUSED(c);
    UNUSED(sent);
    p->call = NULL;
    if (p->x == NULL) {
        pass_release(p);
        return;
    }
    if (err == TACIT_OK && p->status == 200 && !p->body.failed)
        node_reply_body(p->worker, p->x, 200, "text/plain; charset=utf-8", buf_bytes(&p->body),
                        NULL, 0);
    else
        node_reply_fault(p->worker, p->x, err == TACIT_OK ? FAULT_BAD_GATEWAY : FAULT_UNAVAILABLE);
}

static void on_request_body(struct exchange *x, struct bytes chunk, void *ctx)
{
    UNUSED(x);
    UNUSED(chunk);
    UNUSED(ctx);
}

static void on_request_end(struct exchange *x, void *ctx)
{
    UNUSED(x);
    UNUSED(ctx);
}

static void on_closed(struct exchange *x, bool is_complete, void *ctx)
{
    struct pass *p = ctx;

    UNUSED(x);
    UNUSED(is_complete);
    p->x = NULL;
    if (p->call != NULL)
        call_cancel(p->call);
    p->call = NULL;
    pass_release(p);
}

void pass_metrics(struct worker *w, struct exchange *x)
{
    static const struct call_events call_events = {on_head, on_body, on_end};
    static const struct exchange_events events = {on_request_body, on_request_end, NULL, on_closed};
    struct pass *p = calloc(1, sizeof(*p));
    char target[300];

    if (p == NULL) {
        node_reply_fault(w, x, FAULT_INTERNAL);
        return;
    }
    p->worker = w;
    p->body = buf_make(PASS_BODY_MAX);
    (void)snprintf(target, sizeof(target), "%s/metrics", w->node->engine_url.base);
    p->call =
        call_start(w->engine, "GET", bytes_of(target), NULL, 0, (struct bytes){0}, &call_events, p);
    if (p->call == NULL) {
        free(p);
        node_reply_fault(w, x, FAULT_INTERNAL);
        return;
    }
    p->x = x;
    exchange_listen(x, &events, p);
}
