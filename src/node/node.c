/* `tacit node`: reads its configuration, opens the TEE, makes its keys, measures what it runs,
 * starts the engine and the workers, and ends all of it in order. */
#include "node/node.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/random.h"
#include "node/report.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_BAD_USAGE = 2 };

static const char usage_text[] =
    "usage: tacit node --config FILE [--check]\n"
    "\n"
    "Runs a node: supervises or uses an inference engine, hashes and signs every reply, and shows\n"
    "what it is at /v1/attestation/report. tacit-node(1) describes the configuration.\n"
    "\n"
    "  --config FILE   the configuration; its SHA-256 is measured\n"
    "  --check         read the configuration, say whether it is right, and leave\n"
    "  -h, --help      this text\n";

struct node_args {
    const char *config;
    bool is_check;
};

static int complain(const char *what)
{
    (void)fprintf(stderr, "tacit node: %s\n", what);
    return EXIT_FAILED;
}

/* -1: go on; else the exit code. */
static int read_args(struct node_args *out, int argc, char **argv)
{
    *out = (struct node_args){0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            (void)fputs(usage_text, stdout);
            return EXIT_OK;
        }
        if (strcmp(argv[i], "--check") == 0) {
            out->is_check = true;
        } else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc && out->config == NULL) {
            out->config = argv[++i];
        } else if (strncmp(argv[i], "--config=", 9) == 0 && out->config == NULL) {
            out->config = argv[i] + 9;
        } else {
            (void)fputs(usage_text, stderr);
            return EXIT_BAD_USAGE;
        }
    }
    if (out->config != NULL)
        return -1;
    (void)fputs(usage_text, stderr);
    return EXIT_BAD_USAGE;
}

bool node_engine_is_ready(const struct node *n)
{
    if (n->engine != NULL)
        return engine_state_now(n->engine) == ENGINE_READY;
    return atomic_load(&n->is_external_up);
}

/* --- identity and measurement -------------------------------------------------------------------
 */

static enum tacit_err open_evidence(struct node *n, char why[static 256])
{
    const struct node_conf *c = n->conf;
    enum tacit_err err = tee_open(&n->tee, &c->tee, why);

    if (err == TACIT_OK && c->gpu.kind != GPUS_NONE)
        err = gpus_open(&n->gpus, &c->gpu, why);
    if (err == TACIT_OK)
        err = identity_new(&n->identity, n->tee, c->model, c->host, why);
    if (err == TACIT_OK && c->has_tls) {
        (void)snprintf(why, 256, "the TLS key cannot be used");
        err =
            tls_server_new(&n->tls, identity_cert_pem(n->identity), identity_key_pem(n->identity));
    }
    return err;
}

/* One event; where the environment cannot extend, that is an error unless the operator said
 * otherwise. */
static enum tacit_err measure(struct node *n, const char *event, struct bytes payload,
                              char why[static 256])
{
    enum tacit_err err = tee_event(n->tee, event, payload);

    if (err == TACIT_UNSUPPORTED && !n->conf->needs_events) {
        log_warn("event_not_measured");
        return TACIT_OK;
    }
    if (err == TACIT_UNSUPPORTED)
        (void)snprintf(why, 256,
                       "this TEE cannot measure %s at run time; [tee] events = if-possible starts "
                       "without it",
                       event);
    else if (err != TACIT_OK)
        (void)snprintf(why, 256, "the event %s could not be measured", event);
    return err;
}

static enum tacit_err measure_file(struct node *n, const char *event, const char *path,
                                   char why[static 256])
{
    uint8_t digest[32];
    enum tacit_err err = engine_file_digest(digest, path);

    if (err == TACIT_OK)
        return measure(n, event, BYTES_ARRAY(digest), why);
    (void)snprintf(why, 256, "%.200s cannot be read", path);
    return err;
}

/* docs/man/tacit-node.1 lists the events. */
static enum tacit_err measure_all(struct node *n, char why[static 256])
{
    const struct node_conf *c = n->conf;
    enum tacit_err err = measure(n, "tacit-config", BYTES_ARRAY(c->digest), why);

    if (err == TACIT_OK)
        err = measure(n, "tacit-model-name", bytes_of(c->model), why);
    if (c->engine_kind == NODE_ENGINE_EXTERNAL) {
        if (err == TACIT_OK)
            err = measure(n, "tacit-engine-external",
                          bytes_of(conf_str(c->file, "engine", 0, "url")), why);
        return err;
    }
    if (err == TACIT_OK)
        err = measure_file(n, "tacit-engine-binary", c->binary, why);
    if (err == TACIT_OK)
        err = measure_file(n, "tacit-model-file", c->model_file, why);
    return err;
}

/* --- the engine ---------------------------------------------------------------------------------
 */

/* A folder that is ours alone; made fresh unless the configuration names one. */
static enum tacit_err make_run_dir(struct node *n, char out[static 96], char why[static 256])
{
    const char *given = n->conf->run_dir;

    (void)snprintf(why, 256, "the engine's folder cannot be made");
    if (given == NULL) {
        (void)snprintf(out, 96, "/tmp/tacit-node-XXXXXX");
        return mkdtemp(out) == NULL ? TACIT_IO : TACIT_OK;
    }
    if (given[0] != '/' || strlen(given) >= 80) {
        (void)snprintf(why, 256, "[engine] run_dir must be absolute and shorter than 80");
        return TACIT_CONFIG;
    }
    (void)snprintf(out, 96, "%s", given);
    return dir_make(out, 0700);
}

static enum tacit_err start_engine(struct node *n, const char *run_dir, char why[static 256])
{
    const struct node_conf *c = n->conf;
    char socket_path[112];
    const struct engine_opts opts = {
        .binary = c->binary,
        .model_path = c->model_file,
        .alias = c->engine_model,
        .socket_path = socket_path,
        .threads = c->threads,
        .parallel = c->parallel,
        .context_tokens = c->context_tokens,
        .max_connections = c->max_outstanding,
        .has_prompt_cache = c->has_prompt_cache,
        .start_timeout_ms = c->start_timeout_ms,
    };

    (void)snprintf(socket_path, sizeof(socket_path), "%s/engine.sock", run_dir);
    n->engine_url = (struct net_url){.addr.is_unix = true};
    (void)snprintf(n->engine_url.addr.host, sizeof(n->engine_url.addr.host), "%s", socket_path);
    return engine_start(&n->engine, &opts, why);
}

static enum tacit_err use_engine(struct node *n, char why[static 256])
{
    n->engine_url = n->conf->engine_url;
    if (!n->engine_url.is_tls)
        return TACIT_OK;
    (void)snprintf(why, 256, "TLS to the engine cannot be set up");
    return tls_client_new(&n->engine_tls, TLS_TRUST_SYSTEM, NULL);
}

/* --- workers ------------------------------------------------------------------------------------
 */

static void print_listening(const struct node *n, uint16_t port)
{
    const struct net_addr *a = &n->conf->listen;

    if (a->is_unix)
        (void)printf("listening on unix:%s\n", a->host);
    else
        (void)printf(strchr(a->host, ':') == NULL ? "listening on %s://%s:%u\n"
                                                  : "listening on %s://[%s]:%u\n",
                     n->tls == NULL ? "http" : "https", a->host, (unsigned)port);
    (void)fflush(stdout);
}

static enum tacit_err open_workers(struct node *n, char why[static 256])
{
    struct net_addr listen = n->conf->listen;

    n->workers = calloc(n->conf->workers, sizeof(*n->workers));
    if (n->workers == NULL)
        return TACIT_NOMEM;
    for (size_t i = 0; i < n->conf->workers; i++) {
        enum tacit_err err;

        n->worker_count = i + 1;
        err = worker_open(&n->workers[i], n, i, &listen, why);
        if (err != TACIT_OK)
            return err;
        listen.port = server_port(n->workers[0].server);
    }
    return TACIT_OK;
}

static void drain_all(void *ctx)
{
    struct node *n = ctx;

    if (atomic_exchange(&n->is_draining, true)) {
        log_warn("stop_again");
        _exit(EXIT_FAILED); /* the operator insists; the engine dies with us */
    }
    log_info("draining", L_NUM("outstanding", atomic_load(&n->outstanding)));
    for (size_t i = 0; i < n->worker_count; i++)
        worker_drain(&n->workers[i]);
}

void node_worker_ended(void *ctx)
{
    struct node *n = ctx;

    if (++n->workers_ended == n->worker_count)
        loop_stop(n->control);
}

/* Runs until all workers have drained. */
static enum tacit_err run_workers(struct node *n, char why[static 256])
{
    size_t started = 0;
    enum tacit_err err = loop_on_stop_signal(n->control, drain_all, n);

    (void)snprintf(why, 256, "signals or threads cannot be set up");
    if (err != TACIT_OK)
        return err;
    while (started < n->worker_count &&
           pthread_create(&n->workers[started].thread, NULL, worker_run, &n->workers[started]) == 0)
        started++;
    if (started < n->worker_count) {
        (void)complain(why);
        _exit(EXIT_FAILED); /* threads that run already end with the process, and the engine */
    }
    print_listening(n, server_port(n->workers[0].server));
    log_info("node_ready", L_NUM("workers", n->worker_count));
    loop_run(n->control);
    for (size_t i = 0; i < started; i++)
        pthread_join(n->workers[i].thread, NULL);
    return TACIT_OK;
}

/* --- start and end ------------------------------------------------------------------------------
 */

static enum tacit_err open_node(struct node *n, char run_dir[static 96], char why[static 256])
{
    enum tacit_err err;

    (void)snprintf(why, 256, "out of memory");
    n->started_unix_s = clock_unix_s();
    n->control = loop_new();
    n->signatures = sign_cache_new(0);
    n->reports = reports_new(n);
    if (n->control == NULL || n->signatures == NULL || n->reports == NULL)
        return TACIT_NOMEM;
    err = random_fill(n->salt_key, sizeof(n->salt_key));
    if (err == TACIT_OK)
        err = open_evidence(n, why);
    if (err == TACIT_OK)
        err = measure_all(n, why);
    if (err == TACIT_OK && n->conf->engine_kind == NODE_ENGINE_EXTERNAL)
        return use_engine(n, why);
    if (err == TACIT_OK)
        err = make_run_dir(n, run_dir, why);
    if (err == TACIT_OK)
        err = start_engine(n, run_dir, why);
    return err;
}

static void close_node(struct node *n, const char *run_dir)
{
    for (size_t i = 0; i < n->worker_count; i++)
        worker_close(&n->workers[i]);
    free(n->workers);
    engine_stop(n->engine);
    if (run_dir[0] != 0 && n->conf->run_dir == NULL)
        (void)rmdir(run_dir);
    reports_free(n->reports);
    sign_cache_free(n->signatures);
    tls_server_unref(n->tls);
    tls_client_unref(n->engine_tls);
    identity_free(n->identity);
    gpus_close(n->gpus);
    tee_close(n->tee);
    loop_free(n->control);
    explicit_bzero(n->salt_key, sizeof(n->salt_key));
}

static int run(const struct node_conf *conf)
{
    struct node n = {.conf = conf};
    char run_dir[96] = "", why[256] = "";
    enum tacit_err err = open_node(&n, run_dir, why);

    if (err == TACIT_OK)
        err = open_workers(&n, why);
    if (err == TACIT_OK)
        err = run_workers(&n, why);
    if (err != TACIT_OK)
        (void)complain(why[0] != 0 ? why : tacit_err_text(err));
    close_node(&n, run_dir);
    if (err == TACIT_OK)
        log_info("node_stopped");
    return err == TACIT_OK ? EXIT_OK : EXIT_FAILED;
}

int node_main(int argc, char **argv)
{
    struct node_args args;
    struct node_conf conf;
    char why[NODE_WHY_MAX];
    int code = read_args(&args, argc, argv);

    if (code >= 0)
        return code;
    (void)signal(SIGPIPE, SIG_IGN);
    if (node_conf_load(&conf, why, args.config) != TACIT_OK) {
        (void)complain(why);
        code = EXIT_BAD_USAGE;
    } else if (args.is_check) {
        (void)printf("%s is right\n", args.config);
        code = EXIT_OK;
    } else {
        code = run(&conf);
    }
    node_conf_done(&conf);
    return code;
}
