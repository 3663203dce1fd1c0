/* `tacit gateway`: start, run, drain, stop. The order is: refuse what is wrong in the
 * configuration, open what can fail, measure, then listen; and the reverse at the end. */
#include "gateway/gateway.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/sha2.h"
#include "gateway/gateway_priv.h"

enum {
    KEYS_POLL_MS = 500,
    PRUNE_EVERY_MS = 3600 * 1000,
    KEEP_ATTESTATIONS_S = 30 * 86400,
    KEEP_SIGNATURES_S = 365 * 86400
};

/* The run of one gateway: what the main thread owns beside the shared state. */
struct run {
    struct gateway gw;
    struct loop *loop; /* main loop: signals, polling, admin */
    struct server *admin;
    struct timer *keys_timer;
    struct timer *prune_timer;
    pthread_t threads[GATEWAY_WORKERS_MAX];
    size_t thread_count;
    atomic_size_t draining;
    bool is_stopping;
    bool is_polling;
};

/* --- background work ----------------------------------------------------------------------------
 */

static void keys_poll_work(void *ctx)
{
    struct run *r = ctx;

    if (keys_refresh(r->gw.keys) != TACIT_OK)
        log_error("keys_not_refreshed");
}

static void keys_poll_done(void *ctx)
{
    ((struct run *)ctx)->is_polling = false;
}

static void keys_poll(void *ctx)
{
    struct run *r = ctx;

    if (!r->is_polling)
        r->is_polling = loop_work(r->loop, keys_poll_work, keys_poll_done, r);
}

static void prune_work(void *ctx)
{
    struct run *r = ctx;
    int64_t now = clock_unix_s();

    if (store_prune(r->gw.store, now - KEEP_ATTESTATIONS_S, now - KEEP_SIGNATURES_S) != TACIT_OK)
        log_error("store_not_pruned");
}

static void prune_done(void *ctx)
{
    UNUSED(ctx);
}

static void prune(void *ctx)
{
    struct run *r = ctx;

    if (!loop_work(r->loop, prune_work, prune_done, r))
        log_error("store_not_pruned");
}

static void leases_changed_on_worker(void *ctx)
{
    worker_leases_changed(ctx);
}

static void leases_changed(void *ctx)
{
    struct gateway *gw = ctx;

    for (size_t i = 0; i < gw->worker_count; i++)
        if (gw->workers[i].loop != NULL &&
            !loop_post(gw->workers[i].loop, leases_changed_on_worker, &gw->workers[i]))
            log_warn("worker_not_told");
}

/* --- stopping -----------------------------------------------------------------------------------
 */

/* On the worker's own thread, as everything that touches its objects. */
static void worker_end(void *ctx)
{
    struct worker *w = ctx;

    server_free(w->server);
    w->server = NULL;
    worker_routes_done(w);
    loop_stop(w->loop);
}

/* On the main thread. */
static void workers_stop(void *ctx)
{
    struct run *r = ctx;

    for (size_t i = 0; i < r->gw.worker_count; i++)
        if (!loop_post(r->gw.workers[i].loop, worker_end, &r->gw.workers[i]))
            log_error("worker_not_told");
    server_free(r->admin);
    r->admin = NULL;
    timer_free(r->keys_timer);
    timer_free(r->prune_timer);
    r->keys_timer = r->prune_timer = NULL;
    loop_stop(r->loop);
}

/* On the worker's thread. The last one to drain stops everything. */
static void worker_drained(void *ctx)
{
    struct run *r = ctx;

    if (atomic_fetch_sub(&r->draining, 1) == 1 && !loop_post(r->loop, workers_stop, r))
        log_error("main_loop_not_told");
}

struct drain_order {
    struct run *run;
    struct worker *worker;
};

static void worker_drain(void *ctx)
{
    struct drain_order order = *(struct drain_order *)ctx;

    free(ctx);
    server_drain(order.worker->server, order.run->gw.conf->grace_ms, worker_drained, order.run);
}

static void stop_asked(void *ctx)
{
    struct run *r = ctx;

    if (r->is_stopping) {
        workers_stop(r); /* asked twice: at once */
        return;
    }
    r->is_stopping = true;
    log_info("draining");
    atomic_store(&r->draining, r->gw.worker_count);
    for (size_t i = 0; i < r->gw.worker_count; i++) {
        struct drain_order *order = malloc(sizeof(*order));

        if (order != NULL)
            *order = (struct drain_order){r, &r->gw.workers[i]};
        if (order == NULL || !loop_post(r->gw.workers[i].loop, worker_drain, order)) {
            free(order);
            worker_drained(r);
        }
    }
}

/* --- starting -----------------------------------------------------------------------------------
 */

static void *worker_run(void *arg)
{
    struct worker *w = arg;

    loop_run(w->loop);
    return NULL;
}

/* One free port must serve all workers: the first listener chooses it. */
static enum tacit_err worker_listen(struct gateway *gw, struct worker *w, struct net_addr *addr,
                                    char why[static 256])
{
    struct handler handler = {gateway_on_request, w};
    struct server_opts opts = {.tls = gw->tls, .max_connections = gw->conf->max_connections};
    enum tacit_err err;

    opts.addr = *addr;
    w->loop = loop_new();
    if (w->loop == NULL)
        return TACIT_NOMEM;
    err = server_new(&w->server, w->loop, &opts, &handler, why);
    if (err == TACIT_OK && !addr->is_unix)
        addr->port = server_port(w->server);
    return err;
}

/* Listeners accept into the kernel's backlog until their threads run, when all else is ready. */
static enum tacit_err workers_make(struct gateway *gw, char why[static 256])
{
    struct net_addr addr = gw->conf->listen;
    size_t count = addr.is_unix ? 1 : gw->conf->workers;
    enum tacit_err err = TACIT_OK;

    gw->workers = calloc(count, sizeof(*gw->workers));
    if (gw->workers == NULL)
        return TACIT_NOMEM;
    for (size_t i = 0; i < count && err == TACIT_OK; i++) {
        gw->workers[i].gw = gw;
        gw->workers[i].index = i;
        gw->worker_count++;
        err = worker_listen(gw, &gw->workers[i], &addr, why);
    }
    return err;
}

static enum tacit_err workers_run(struct run *r)
{
    struct gateway *gw = &r->gw;

    for (size_t i = 0; i < gw->worker_count; i++) {
        if (pthread_create(&r->threads[i], NULL, worker_run, &gw->workers[i]) != 0)
            return TACIT_NOMEM;
        r->thread_count++;
    }
    log_info("listening", L_NUM("port", server_port(gw->workers[0].server)),
             L_NUM("workers", gw->worker_count));
    return TACIT_OK;
}

/* What this software is configured to do is part of what it proves. */
static enum tacit_err conf_measure(struct gateway *gw, char why[static 256])
{
    uint8_t digest[SHA256_LEN];
    enum tacit_err err;

    sha256(digest, conf_raw(gw->conf->file));
    err = tee_event(gw->tee, "tacit-config", BYTES_ARRAY(digest));
    if (err == TACIT_UNSUPPORTED) {
        log_warn("config_not_measured");
        return TACIT_OK;
    }
    if (err != TACIT_OK)
        snprintf(why, 256, "cannot measure the configuration: %s", tacit_err_text(err));
    return err;
}

static enum tacit_err store_start(struct gateway *gw, char why[static 256])
{
    char path[4096];

    if (dir_make(gw->conf->state, 0700) != TACIT_OK) {
        snprintf(why, 256, "cannot make the state folder %.180s", gw->conf->state);
        return TACIT_IO;
    }
    if (snprintf(path, sizeof(path), "%s/gateway.db", gw->conf->state) >= (int)sizeof(path))
        return TACIT_LIMIT;
    if (store_open(&gw->store, path, why) != TACIT_OK)
        return TACIT_IO;
    gw->writer = writer_new(gw->store);
    gw->keys = keys_new(gw->store);
    return gw->writer != NULL && gw->keys != NULL ? TACIT_OK : TACIT_NOMEM;
}

static enum tacit_err admin_start(struct run *r, char why[static 256])
{
    struct handler handler = {gateway_on_admin, &r->gw};
    struct server_opts opts = {.addr = r->gw.conf->admin, .max_connections = 64};

    return r->gw.conf->has_admin ? server_new(&r->admin, r->loop, &opts, &handler, why) : TACIT_OK;
}

static enum tacit_err timers_start(struct run *r)
{
    r->keys_timer = timer_new(r->loop, keys_poll, r);
    r->prune_timer = timer_new(r->loop, prune, r);
    if (r->keys_timer == NULL || r->prune_timer == NULL)
        return TACIT_NOMEM;
    timer_start(r->keys_timer, KEYS_POLL_MS, KEYS_POLL_MS);
    timer_start(r->prune_timer, PRUNE_EVERY_MS, PRUNE_EVERY_MS);
    return TACIT_OK;
}

static enum tacit_err identity_start(struct gateway *gw, char why[static 256])
{
    enum tacit_err err = tee_open(&gw->tee, &gw->conf->tee, why);

    if (err == TACIT_OK)
        err = identity_new(&gw->identity, gw->tee, "/signing-key", gw->conf->host, why);
    if (err == TACIT_OK)
        err = conf_measure(gw, why);
    if (err == TACIT_OK)
        err = tls_server_new(&gw->tls, identity_cert_pem(gw->identity),
                             identity_key_pem(gw->identity));
    return err;
}

static enum tacit_err run_start(struct run *r, char why[static 256])
{
    struct gateway *gw = &r->gw;
    enum tacit_err err = store_start(gw, why);

    gw->started_unix_s = clock_unix_s();
    if (err == TACIT_OK)
        err = identity_start(gw, why);
    r->loop = loop_new();
    if (err == TACIT_OK && r->loop == NULL)
        err = TACIT_NOMEM;
    if (err == TACIT_OK)
        err = loop_on_stop_signal(r->loop, stop_asked, r);
    if (err == TACIT_OK)
        err = timers_start(r);
    if (err == TACIT_OK)
        err = admin_start(r, why);
    if (err == TACIT_OK)
        err = workers_make(gw, why);
    if (err == TACIT_OK) {
        gw->nodes = nodes_new(gw->conf, gw->store, leases_changed, gw, why);
        err = gw->nodes == NULL ? TACIT_CONFIG : workers_run(r);
    }
    return err;
}

/* Leases end first (they tell workers), then the ledger: its last records are told to workers'
 * loops, which still exist. After a failed start the workers' objects are ended here: no thread
 * runs them. */
static void run_done(struct run *r)
{
    struct gateway *gw = &r->gw;

    if (r->thread_count > 0 && r->thread_count < gw->worker_count)
        workers_stop(r);
    for (size_t i = 0; i < r->thread_count; i++)
        pthread_join(r->threads[i], NULL);
    nodes_free(gw->nodes);
    for (size_t i = r->thread_count; i < gw->worker_count; i++) {
        server_free(gw->workers[i].server);
        worker_routes_done(&gw->workers[i]);
    }
    writer_free(gw->writer);
    for (size_t i = 0; i < gw->worker_count; i++)
        loop_free(gw->workers[i].loop);
    free(gw->workers);
    server_free(r->admin);
    timer_free(r->keys_timer);
    timer_free(r->prune_timer);
    loop_free(r->loop);
    keys_free(gw->keys);
    store_close(gw->store);
    tls_server_unref(gw->tls);
    identity_free(gw->identity);
    tee_close(gw->tee);
}

static int usage(FILE *to, int code)
{
    fputs("usage: tacit gateway --config FILE\n\n"
          "Serves an OpenAI-compatible API over attested TLS and relays to verified nodes.\n"
          "See tacit-gateway(1) for the configuration file.\n",
          to);
    return code;
}

static int gateway_run(const char *path)
{
    struct run *r = calloc(1, sizeof(*r));
    struct gateway_conf *conf = NULL;
    char conf_why[CONF_MESSAGE_MAX] = "";
    char why[256] = "";
    enum tacit_err err = r == NULL ? TACIT_NOMEM : gateway_conf_load(&conf, path, conf_why);

    if (err != TACIT_OK) {
        fprintf(stderr, "tacit gateway: %s\n", conf_why[0] != 0 ? conf_why : tacit_err_text(err));
        free(r);
        return 2;
    }
    r->gw.conf = conf;
    err = run_start(r, why);
    if (err == TACIT_OK) {
        loop_run(r->loop);
        log_info("stopped");
    } else {
        fprintf(stderr, "tacit gateway: %s\n", why[0] != 0 ? why : tacit_err_text(err));
    }
    run_done(r);
    gateway_conf_free(conf);
    free(r);
    return err == TACIT_OK ? 0 : 1;
}

int gateway_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *path = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (c == 'h')
            return usage(stdout, 0);
        if (c != 'c')
            return usage(stderr, 2);
        path = optarg;
    }
    if (path == NULL || optind != argc)
        return usage(stderr, 2);
    return gateway_run(path);
}
