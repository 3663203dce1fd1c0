/* A mock of an inference engine for measuring what stands in front of it: answers
 * /v1/chat/completions and /v1/completions with a fixed number of chunks, as fast as it can or one
 * every so many milliseconds. It does no work of its own, so that all that is measured is the way.
 *
 * usage: bench-engine --listen ADDRESS:PORT [--chunks N] [--interval-ms N] */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "net/server.h"

struct engine {
    struct loop *loop;
    struct server *server;
    uint64_t chunks, interval_ms;
};

struct reply {
    const struct engine *engine;
    struct exchange *x;
    struct timer *timer;
    uint64_t sent;
    struct buf body;
};

#define HEAD_JSON \
    "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
#define CHUNK                                                                                 \
    "data: " HEAD_JSON "\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{\"content\":" \
    "\" word\"},\"finish_reason\":null}]}\n\n"
#define LAST                                                                        \
    "data: " HEAD_JSON "\"model\":\"mock\",\"choices\":[{\"index\":0,\"delta\":{}," \
    "\"finish_reason\":\"stop\"}]}\n\n"
#define DONE "data: [DONE]\n\n"

static void usage_put(struct buf *out, uint64_t chunks)
{
    buf_putf(out,
             "\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":%llu,\"total_tokens\":%llu}",
             (unsigned long long)chunks, (unsigned long long)chunks + 8);
}

static void stream_end(struct reply *r)
{
    struct buf out = buf_make(4096);

    buf_puts(&out, LAST "data: " HEAD_JSON "\"model\":\"mock\",\"choices\":[],");
    usage_put(&out, r->engine->chunks);
    buf_puts(&out, "}\n\n" DONE);
    (void)exchange_write(r->x, buf_bytes(&out));
    exchange_finish(r->x);
    buf_done(&out);
}

static void on_tick(void *ctx)
{
    struct reply *r = ctx;

    if (r->sent < r->engine->chunks) {
        r->sent++;
        (void)exchange_write(r->x, BYTES_LIT(CHUNK));
        return;
    }
    timer_stop(r->timer);
    stream_end(r);
}

static void pump(struct reply *r)
{
    while (r->sent < r->engine->chunks) {
        r->sent++;
        if (exchange_write(r->x, BYTES_LIT(CHUNK)) > LIMIT_QUEUE_HIGH)
            return;
    }
    stream_end(r);
}

static void plain_reply(struct reply *r)
{
    static const struct header json = {{(const uint8_t *)"content-type", 12},
                                       {(const uint8_t *)"application/json", 16}};
    struct buf out = buf_make(LIMIT_REPLY_BYTES);

    buf_puts(&out,
             "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,"
             "\"model\":\"mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
             "\"assistant\",\"content\":\"");
    for (uint64_t i = 0; i < r->engine->chunks; i++)
        buf_puts(&out, " word");
    buf_puts(&out, "\"},\"finish_reason\":\"stop\"}],");
    usage_put(&out, r->engine->chunks);
    buf_puts(&out, "}");
    exchange_reply(r->x, 200, &json, 1, buf_bytes(&out));
    buf_done(&out);
}

static void on_body(struct exchange *x, struct bytes chunk, void *ctx)
{
    struct reply *r = ctx;

    UNUSED(x);
    buf_put(&r->body, chunk);
}

static void on_end(struct exchange *x, void *ctx)
{
    static const struct header sse = {{(const uint8_t *)"content-type", 12},
                                      {(const uint8_t *)"text/event-stream", 17}};
    struct reply *r = ctx;
    struct bytes body = buf_bytes(&r->body);

    if (bytes_find(body, BYTES_LIT("\"stream\":true")) == SIZE_MAX &&
        bytes_find(body, BYTES_LIT("\"stream\": true")) == SIZE_MAX) {
        plain_reply(r);
        return;
    }
    exchange_head(x, 200, &sse, 1, -1);
    if (r->engine->interval_ms == 0) {
        pump(r);
        return;
    }
    r->timer = timer_new(r->engine->loop, on_tick, r);
    if (r->timer == NULL)
        exchange_abort(x);
    else
        timer_start(r->timer, r->engine->interval_ms, r->engine->interval_ms);
}

static void on_drain(struct exchange *x, void *ctx)
{
    struct reply *r = ctx;

    UNUSED(x);
    if (r->timer == NULL)
        pump(r);
}

static void on_closed(struct exchange *x, bool is_complete, void *ctx)
{
    struct reply *r = ctx;

    UNUSED(x);
    UNUSED(is_complete);
    timer_free(r->timer);
    buf_done(&r->body);
    free(r);
}

static void on_request(struct exchange *x, const struct request *req, void *ctx)
{
    static const struct exchange_events events = {on_body, on_end, on_drain, on_closed};
    struct engine *engine = ctx;
    struct reply *r;

    if (bytes_eq_cstr(req->path, "/v1/models")) {
        exchange_reply(x, 200, NULL, 0,
                       BYTES_LIT("{\"object\":\"list\",\"data\":[{\"id\":\"mock\","
                                 "\"object\":\"model\"}]}"));
        return;
    }
    if (!bytes_eq_cstr(req->method, "POST")) {
        exchange_reply(x, 200, NULL, 0, BYTES_LIT("{\"status\":\"ok\"}"));
        return;
    }
    r = calloc(1, sizeof(*r));
    if (r == NULL) {
        exchange_reply(x, 503, NULL, 0, BYTES_LIT(""));
        return;
    }
    *r = (struct reply){.engine = engine, .x = x, .body = buf_make(LIMIT_BODY_BYTES)};
    exchange_listen(x, &events, r);
}

static void on_stop(void *ctx)
{
    struct engine *engine = ctx;

    server_free(engine->server);
    loop_stop(engine->loop);
}

static bool number_read(uint64_t *out, const char *text)
{
    return bytes_to_u64(out, bytes_of(text), 1000000);
}

int main(int argc, char **argv)
{
    struct engine engine = {.chunks = 64};
    struct server_opts opts = {0};
    struct handler handler = {on_request, &engine};
    bool is_usable = argc % 2 == 1;
    bool has_address = false;
    char why[256];

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--listen") == 0)
            has_address = addr_parse(&opts.addr, bytes_of(argv[i + 1])) == TACIT_OK;
        else if (strcmp(argv[i], "--chunks") == 0)
            is_usable &= number_read(&engine.chunks, argv[i + 1]);
        else if (strcmp(argv[i], "--interval-ms") == 0)
            is_usable &= number_read(&engine.interval_ms, argv[i + 1]);
        else
            is_usable = false;
    }
    if (!is_usable || !has_address) {
        (void)fprintf(stderr, "usage: bench-engine --listen ADDRESS:PORT [--chunks N] "
                              "[--interval-ms N]\n");
        return 2;
    }
    engine.loop = loop_new();
    if (engine.loop == NULL ||
        server_new(&engine.server, engine.loop, &opts, &handler, why) != TACIT_OK) {
        (void)fprintf(stderr, "bench-engine: %s\n", engine.loop == NULL ? "out of memory" : why);
        loop_free(engine.loop);
        return 1;
    }
    if (loop_on_stop_signal(engine.loop, on_stop, &engine) != TACIT_OK)
        return 1;
    (void)printf("%u\n", server_port(engine.server));
    (void)fflush(stdout);
    loop_run(engine.loop);
    loop_free(engine.loop);
    return 0;
}
