/* Serving reports: the query, the cache of those without a nonce, and the work threads on which
 * quotes are made. Invariant: at most REPORTS_RUNNING_MAX quotes are under way in this process. */
#include "node/report.h"

#include <stdlib.h>

#include "base/clock.h"
#include "codec/hex.h"
#include "crypto/random.h"

/* By algorithm and TLS flag. */
enum { CACHE_KINDS = 4, QUERY_VALUE_MAX = 160 };

struct cached {
    struct buf text;
    uint64_t made_ms;
    bool is_present;
    bool is_refreshing;
};

struct reports {
    struct node *node;
    pthread_mutex_t lock; /* around cached and running */
    struct cached cached[CACHE_KINDS];
    unsigned running;
    pthread_mutex_t making[CACHE_KINDS]; /* held while one without a nonce is made */
};

/* One report being made; belongs to a loop, its work runs elsewhere. */
struct report_job {
    struct worker *worker;
    struct exchange *x; /* NULL: the client left, or nobody asked (a refresh) */
    struct report_query query;
    bool is_refresh; /* ahead of time, for nobody */
    struct buf text;
    enum tacit_err err;
};

struct reports *reports_new(struct node *n)
{
    struct reports *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->node = n;
    pthread_mutex_init(&r->lock, NULL);
    for (size_t i = 0; i < CACHE_KINDS; i++) {
        pthread_mutex_init(&r->making[i], NULL);
        r->cached[i].text = buf_make(LIMIT_REPORT_BYTES);
    }
    return r;
}

void reports_free(struct reports *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < CACHE_KINDS; i++) {
        pthread_mutex_destroy(&r->making[i]);
        buf_done(&r->cached[i].text);
    }
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* --- the query ----------------------------------------------------------------------------------
 */

static enum tacit_err bad(struct openai_error *e, const char *message)
{
    openai_error_say(e, OPENAI_NODE, FAULT_BAD_REQUEST, NULL, "%s", message);
    return TACIT_FORMAT;
}

static enum tacit_err read_nonce(struct report_query *out, struct openai_error *e,
                                 struct bytes text)
{
    if (!hex_is(text, text.len) || text.len % 2 != 0)
        return bad(e, "Nonce must be hex-encoded");
    if (hex_decode_fixed(out->nonce, sizeof(out->nonce), text) != TACIT_OK)
        return bad(e, "Nonce must be 32 bytes");
    out->has_nonce = true;
    return TACIT_OK;
}

static enum tacit_err read_bool(bool *out, struct openai_error *e, const char *text)
{
    struct bytes b = bytes_of(text);

    *out = bytes_eq_nocase(b, BYTES_LIT("true")) || bytes_eq_cstr(b, "1");
    if (*out || bytes_eq_nocase(b, BYTES_LIT("false")) || bytes_eq_cstr(b, "0"))
        return TACIT_OK;
    return bad(e, "include_tls_fingerprint must be true or false");
}

enum tacit_err report_query_read(struct report_query *out, struct openai_error *error,
                                 struct bytes query, const struct identity *identity)
{
    char value[QUERY_VALUE_MAX];
    enum tacit_err err = TACIT_OK;
    bool is_bad = false;

    *out = (struct report_query){0};
    if (query_get(value, sizeof(value), &is_bad, query, "signing_algo") &&
        (is_bad || !near_algo_read(&out->algo, bytes_of(value))))
        return bad(error, "Invalid signing algorithm. Must be 'ed25519' or 'ecdsa'");
    if (query_get(value, sizeof(value), &is_bad, query, "nonce"))
        err =
            is_bad ? bad(error, "Nonce must be 32 bytes") : read_nonce(out, error, bytes_of(value));
    if (err == TACIT_OK &&
        query_get(value, sizeof(value), &is_bad, query, "include_tls_fingerprint"))
        err = is_bad ? bad(error, "include_tls_fingerprint must be true or false")
                     : read_bool(&out->with_tls, error, value);
    if (err != TACIT_OK)
        return err;
    if (query_get(value, sizeof(value), &is_bad, query, "signing_address") &&
        (is_bad ||
         !bytes_eq_nocase(bytes_of(value), bytes_of(identity_address(identity, out->algo))))) {
        openai_error_say(error, OPENAI_NODE, FAULT_NOT_FOUND, NULL,
                         "Signing address not found on this server");
        return TACIT_NOT_FOUND;
    }
    return TACIT_OK;
}

/* --- the cache ----------------------------------------------------------------------------------
 */

static size_t kind_of(const struct report_query *q)
{
    return (q->algo == NEAR_ED25519 ? 2U : 0U) + (q->with_tls ? 1U : 0U);
}

static struct cached *cached_for(struct reports *r, const struct report_query *q)
{
    return &r->cached[kind_of(q)];
}

/* Copies a report that is still young; *is_due: somebody should make the next one. */
static bool cache_get(struct reports *r, struct buf *out, bool *is_due,
                      const struct report_query *q, uint64_t now_ms)
{
    struct cached *c = cached_for(r, q);
    bool is_young;

    *is_due = false;
    pthread_mutex_lock(&r->lock);
    is_young = c->is_present && now_ms - c->made_ms < REPORT_TTL_MS;
    if (is_young) {
        buf_put(out, buf_bytes(&c->text));
        *is_due = now_ms - c->made_ms >= REPORT_TTL_MS / 2 && !c->is_refreshing;
        c->is_refreshing |= *is_due;
    }
    pthread_mutex_unlock(&r->lock);
    return is_young && !out->failed;
}

static void cache_put(struct reports *r, const struct report_query *q, struct bytes text,
                      enum tacit_err err)
{
    struct cached *c = cached_for(r, q);

    pthread_mutex_lock(&r->lock);
    c->is_refreshing = false;
    if (err == TACIT_OK) {
        buf_reset(&c->text);
        buf_put(&c->text, text);
        c->made_ms = clock_mono_ms();
        c->is_present = !c->text.failed;
    }
    pthread_mutex_unlock(&r->lock);
}

/* --- making -------------------------------------------------------------------------------------
 */

static bool take_turn(struct reports *r)
{
    bool is_free;

    pthread_mutex_lock(&r->lock);
    is_free = r->running < REPORTS_RUNNING_MAX;
    r->running += is_free ? 1 : 0;
    pthread_mutex_unlock(&r->lock);
    return is_free;
}

static void give_turn(struct reports *r)
{
    pthread_mutex_lock(&r->lock);
    r->running--;
    pthread_mutex_unlock(&r->lock);
}

/* One at a time of each kind; who waited finds it made. A refresh makes it anyway. */
static enum tacit_err make_cached(struct report_job *job, struct node *n)
{
    struct reports *r = n->reports;
    pthread_mutex_t *making = &r->making[kind_of(&job->query)];
    enum tacit_err err = TACIT_OK;
    bool is_due;

    pthread_mutex_lock(making);
    if (job->is_refresh || !cache_get(r, &job->text, &is_due, &job->query, clock_mono_ms())) {
        buf_reset(&job->text);
        err = random_fill(job->query.nonce, sizeof(job->query.nonce));
        if (err == TACIT_OK)
            err = report_make(&job->text, n, &job->query);
        cache_put(r, &job->query, buf_bytes(&job->text), err);
    }
    pthread_mutex_unlock(making);
    return err;
}

/* On a work thread. */
static void job_work(void *ctx)
{
    struct report_job *job = ctx;
    struct node *n = job->worker->node;

    if (job->query.has_nonce)
        job->err = report_make(&job->text, n, &job->query);
    else
        job->err = make_cached(job, n);
    give_turn(n->reports);
}

static void reply_report(struct worker *w, struct exchange *x, struct bytes text)
{
    const struct header no_store = {BYTES_LIT("cache-control"), BYTES_LIT("no-store")};

    atomic_fetch_add(&w->node->metrics.reports, 1);
    node_reply_body(w, x, 200, "application/json", text, &no_store, 1);
}

static void job_done(void *ctx)
{
    struct report_job *job = ctx;

    if (job->err != TACIT_OK)
        atomic_fetch_add(&job->worker->node->metrics.reports_failed, 1);
    if (job->x != NULL && job->err == TACIT_OK)
        reply_report(job->worker, job->x, buf_bytes(&job->text));
    else if (job->x != NULL && (job->err == TACIT_BUSY || job->err == TACIT_TIMEOUT))
        node_reply_fault(job->worker, job->x, FAULT_OVERLOADED);
    else if (job->x != NULL)
        node_reply_fault(job->worker, job->x, FAULT_INTERNAL);
    if (job->x != NULL) {
        job->worker = NULL; /* freed when the exchange closes */
        return;
    }
    buf_done(&job->text);
    free(job);
}

/* The exchange is gone: before the job is done it goes on without it, afterwards it goes too. */
static void on_closed(struct exchange *x, bool is_complete, void *ctx)
{
    struct report_job *job = ctx;

    UNUSED(x);
    UNUSED(is_complete);
    job->x = NULL;
    if (job->worker != NULL)
        return;
    buf_done(&job->text);
    free(job);
}

static void ignore_body(struct exchange *x, struct bytes chunk, void *ctx)
{
    UNUSED(x);
    UNUSED(chunk);
    UNUSED(ctx);
}

static void ignore_end(struct exchange *x, void *ctx)
{
    UNUSED(x);
    UNUSED(ctx);
}

/* x NULL: a refresh. False: not started, and nothing is kept. */
static bool job_start(struct worker *w, struct exchange *x, const struct report_query *q)
{
    static const struct exchange_events events = {ignore_body, ignore_end, NULL, on_closed};
    struct reports *r = w->node->reports;
    struct report_job *job;

    if (!take_turn(r))
        return false;
    job = calloc(1, sizeof(*job));
    if (job != NULL) {
        *job = (struct report_job){.worker = w, .x = x, .query = *q, .is_refresh = x == NULL};
        job->text = buf_make(LIMIT_REPORT_BYTES);
        if (loop_work(w->loop, job_work, job_done, job)) {
            if (x != NULL)
                exchange_listen(x, &events, job);
            return true;
        }
    }
    free(job);
    give_turn(r);
    return false;
}

void node_report_begin(struct worker *w, struct exchange *x, const struct request *req)
{
    struct reports *r = w->node->reports;
    struct buf text = buf_make(LIMIT_REPORT_BYTES);
    struct report_query query;
    struct openai_error error;
    bool is_due = false;

    if (report_query_read(&query, &error, req->query, w->node->identity) != TACIT_OK) {
        node_reply_openai(w, x, &error);
        return;
    }
    /* Without a TLS certificate the flag is ignored (near.md 3.1). */
    query.with_tls = query.with_tls && w->node->tls != NULL;
    if (!query.has_nonce && cache_get(r, &text, &is_due, &query, clock_mono_ms())) {
        reply_report(w, x, buf_bytes(&text));
        if (is_due && !job_start(w, NULL, &query))
            cache_put(r, &query, (struct bytes){0}, TACIT_BUSY); /* the next caller tries again */
    } else if (!job_start(w, x, &query)) {
        node_reply_fault(w, x, FAULT_OVERLOADED);
    }
    buf_done(&text);
}
