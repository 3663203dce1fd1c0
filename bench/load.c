/* A load generator for chat completions: so many connections, each asking again as soon as its
 * answer is complete (a closed loop). Prints one line: requests a second, and medians and 99th
 * percentiles of the time to the first body byte and to the last. An answer that is not a 200, or a
 * stream that does not end with [DONE], is an error.
 *
 * usage: bench-load --url URL [--key-file FILE] [--model NAME] [--connections N] [--seconds N]
 *                   [--stream yes|no] [--name TEXT] */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "net/client.h"
#include "net/fetch.h"

enum { SAMPLES_MAX = 4000000, CONNECTIONS_MAX = 4096, KEY_MAX = 512 };

struct samples {
    uint32_t *us;
    size_t count;
};

struct load;

struct slot {
    struct load *load;
    uint64_t start_ns, first_ns;
    unsigned status;
    uint8_t tail[16]; /* last octets of the answer */
    size_t tail_len;
};

struct load {
    const char *url, *key_file, *model, *name;
    uint64_t connections, seconds;
    bool is_stream;
    struct loop *loop;
    struct upstream *upstream;
    struct net_url to;
    struct buf body, target, authorization;
    struct slot *slots;
    struct samples first, last;
    uint64_t start_ns, end_ns;
    uint64_t requests, errors, octets, running;
    enum tacit_err last_err;
    unsigned last_status;
    bool is_over;
};

static void ask(struct slot *s);

static void on_head(struct call *c, const struct reply *r, void *ctx)
{
    struct slot *s = ctx;

    UNUSED(c);
    s->status = r->status;
}

static void tail_keep(struct slot *s, struct bytes chunk)
{
    size_t keep;

    if (chunk.len >= sizeof(s->tail)) {
        memcpy(s->tail, chunk.ptr + chunk.len - sizeof(s->tail), sizeof(s->tail));
        s->tail_len = sizeof(s->tail);
        return;
    }
    keep = sizeof(s->tail) - chunk.len < s->tail_len ? sizeof(s->tail) - chunk.len : s->tail_len;
    memmove(s->tail, s->tail + s->tail_len - keep, keep);
    memcpy(s->tail + keep, chunk.ptr, chunk.len);
    s->tail_len = keep + chunk.len;
}

static void on_body(struct call *c, struct bytes chunk, void *ctx)
{
    struct slot *s = ctx;

    UNUSED(c);
    if (chunk.len == 0)
        return;
    if (s->first_ns == 0)
        s->first_ns = clock_mono_ns();
    s->load->octets += chunk.len;
    tail_keep(s, chunk);
}

static void sample(struct samples *to, uint64_t ns)
{
    if (to->count < SAMPLES_MAX)
        to->us[to->count++] = (uint32_t)(ns / 1000);
}

static void on_end(struct call *c, enum tacit_err err, bool sent, void *ctx)
{
    struct slot *s = ctx;
    struct load *l = s->load;
    uint64_t now_ns = clock_mono_ns();
    bool is_whole = !l->is_stream || bytes_ends_with((struct bytes){s->tail, s->tail_len},
                                                     BYTES_LIT("data: [DONE]\n\n"));

    UNUSED(c);
    UNUSED(sent);
    if (l->is_over)
        return;
    l->running--;
    if (err == TACIT_OK && s->status == 200 && is_whole && s->first_ns != 0) {
        l->requests++;
        sample(&l->first, s->first_ns - s->start_ns);
        sample(&l->last, now_ns - s->start_ns);
    } else {
        l->errors++;
        l->last_err = err;
        l->last_status = s->status;
    }
    l->end_ns = now_ns;
    /* Many failures in a row mean that nobody is there. */
    if (now_ns - l->start_ns < l->seconds * 1000000000U && l->errors < 100 + l->requests)
        ask(s);
    if (l->running == 0) {
        l->is_over = true;
        loop_stop(l->loop);
    }
}

static void ask(struct slot *s)
{
    static const struct call_events events = {on_head, on_body, on_end};
    struct load *l = s->load;
    const struct header headers[] = {
        {BYTES_LIT("content-type"), BYTES_LIT("application/json")},
        {BYTES_LIT("authorization"), buf_bytes(&l->authorization)},
    };

    s->start_ns = clock_mono_ns();
    s->first_ns = 0;
    s->status = 0;
    s->tail_len = 0;
    if (call_start(l->upstream, "POST", buf_bytes(&l->target), headers, l->key_file == NULL ? 1 : 2,
                   buf_bytes(&l->body), &events, s) != NULL)
        l->running++;
    else
        l->errors++;
}

static void begin(void *ctx)
{
    struct load *l = ctx;

    l->start_ns = clock_mono_ns();
    for (size_t i = 0; i < l->connections; i++)
        ask(&l->slots[i]);
    if (l->running == 0)
        loop_stop(l->loop);
}

static int us_cmp(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double percentile_ms(const struct samples *s, size_t percent)
{
    return s->count == 0 ? 0.0 : (double)s->us[(s->count - 1) * percent / 100] / 1000.0;
}

static void report(struct load *l)
{
    double seconds = (double)(l->end_ns - l->start_ns) / 1e9;

    qsort(l->first.us, l->first.count, sizeof(uint32_t), us_cmp);
    qsort(l->last.us, l->last.count, sizeof(uint32_t), us_cmp);
    (void)printf("%-14s %9.0f %8llu %9.2f %9.2f %9.2f %9.2f %9.1f\n", l->name,
                 seconds > 0 ? (double)l->requests / seconds : 0.0, (unsigned long long)l->errors,
                 percentile_ms(&l->first, 50), percentile_ms(&l->first, 99),
                 percentile_ms(&l->last, 50), percentile_ms(&l->last, 99),
                 seconds > 0 ? (double)l->octets / seconds / 1e6 : 0.0);
    if (l->errors > 0)
        (void)fprintf(stderr, "bench-load: %s: the last error was %s, status %u\n", l->name,
                      tacit_err_name(l->last_err), l->last_status);
}

/* The benchmark attests nobody: it pins whatever key the server shows first. */
static bool tls_learn(struct load *l, struct tls_client **tls)
{
    struct fetch_request req = {
        .method = "GET", .url = l->url, .trust = FETCH_TRUST_ANY, .body_limit = 1 << 20};
    struct fetch_reply reply;
    bool is_learned = fetch(&reply, &req) == TACIT_OK && reply.has_spki &&
                      tls_client_new(tls, TLS_TRUST_PIN, reply.spki) == TACIT_OK;

    if (!is_learned)
        (void)fprintf(stderr, "bench-load: cannot reach %s: %s\n", l->url, reply.why);
    fetch_reply_done(&reply);
    return is_learned;
}

static bool key_load(struct load *l)
{
    struct buf key = buf_make_secret(KEY_MAX);
    bool is_read = l->key_file == NULL || file_read(&key, l->key_file) == TACIT_OK;

    if (!is_read)
        (void)fprintf(stderr, "bench-load: cannot read %s\n", l->key_file);
    buf_puts(&l->authorization, "Bearer ");
    buf_put(&l->authorization, bytes_trim(buf_bytes(&key)));
    buf_done(&key);
    return is_read;
}

static bool prepare(struct load *l, struct tls_client **tls)
{
    struct upstream_opts opts = {0};

    if (url_parse(&l->to, bytes_of(l->url)) != TACIT_OK || l->connections == 0 ||
        l->connections > CONNECTIONS_MAX || !key_load(l))
        return false;
    if (l->to.is_tls && !tls_learn(l, tls))
        return false;
    buf_putf(&l->target, "%s/v1/chat/completions", l->to.base);
    buf_putf(&l->body,
             "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":"
             "\"Say something, please.\"}]}",
             l->model, l->is_stream ? "true" : "false");
    l->slots = calloc((size_t)l->connections, sizeof(*l->slots));
    l->first.us = calloc(SAMPLES_MAX, sizeof(uint32_t));
    l->last.us = calloc(SAMPLES_MAX, sizeof(uint32_t));
    l->loop = loop_new();
    if (l->slots == NULL || l->first.us == NULL || l->last.us == NULL || l->loop == NULL)
        return false;
    for (size_t i = 0; i < l->connections; i++)
        l->slots[i].load = l;
    opts.addr = l->to.addr;
    opts.tls = *tls;
    opts.max_idle = (size_t)l->connections;
    l->upstream = upstream_new(l->loop, &opts);
    return l->upstream != NULL && loop_post(l->loop, begin, l);
}

static void release(struct load *l, struct tls_client *tls)
{
    l->is_over = true;
    upstream_free(l->upstream);
    loop_free(l->loop);
    tls_client_unref(tls);
    free(l->slots);
    free(l->first.us);
    free(l->last.us);
    buf_done(&l->body);
    buf_done(&l->target);
    buf_done(&l->authorization);
}

static bool option_read(struct load *l, const char *name, const char *value)
{
    if (strcmp(name, "--url") == 0)
        l->url = value;
    else if (strcmp(name, "--key-file") == 0)
        l->key_file = value;
    else if (strcmp(name, "--model") == 0)
        l->model = value;
    else if (strcmp(name, "--name") == 0)
        l->name = value;
    else if (strcmp(name, "--stream") == 0)
        l->is_stream = strcmp(value, "yes") == 0;
    else if (strcmp(name, "--connections") == 0)
        return bytes_to_u64(&l->connections, bytes_of(value), CONNECTIONS_MAX);
    else if (strcmp(name, "--seconds") == 0)
        return bytes_to_u64(&l->seconds, bytes_of(value), 3600);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct load l = {.model = "mock",
                     .name = "load",
                     .connections = 16,
                     .seconds = 5,
                     .is_stream = true,
                     .body = buf_make(4096),
                     .target = buf_make(4096),
                     .authorization = buf_make_secret(KEY_MAX + 16)};
    struct tls_client *tls = NULL;
    bool is_usable = argc % 2 == 1;
    bool is_done = false;

    for (int i = 1; i + 1 < argc; i += 2)
        is_usable &= option_read(&l, argv[i], argv[i + 1]);
    if (!is_usable || l.url == NULL) {
        (void)fprintf(stderr, "usage: bench-load --url URL [--key-file FILE] [--model NAME] "
                              "[--connections N] [--seconds N] [--stream yes|no] [--name TEXT]\n");
        return 2;
    }
    if (prepare(&l, &tls)) {
        loop_run(l.loop);
        report(&l);
        is_done = l.requests > 0 && l.errors == 0;
    }
    release(&l, tls);
    return is_done ? 0 : 1;
}
