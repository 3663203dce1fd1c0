/* The processes of `tacit up`: started in order, watched, stopped in the reverse order. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "cli/args.h"
#include "cli/attested.h"
#include "cli/show.h"
#include "cli/up_priv.h"
#include "codec/jscan.h"

enum {
    NODE_START_MS = 5 * 60 * 1000, /* a large model loads slowly */
    GATEWAY_START_MS = 60 * 1000,
    STOP_MS = 70 * 1000, /* beyond the children's own grace */
    POLL_NS = 100 * 1000 * 1000,
    RESTARTS_MAX = 10,
    SMALL_BODY = 64 * 1024,
};

static bool say(struct up *up, const char *what, const struct proc *p)
{
    (void)snprintf(up->why, sizeof up->why, "%s %s; its log: %.300s", p->name, what, p->log_path);
    return false;
}

static bool start(struct up *up, struct proc *p, const char *name, const char *command,
                  char conf[static UP_PATH_MAX])
{
    char file[64];

    (void)snprintf(p->name, sizeof p->name, "%s", name);
    (void)snprintf(file, sizeof file, "%s.log", name);
    if (!up_path(up, p->log_path, file))
        return false;
    (void)snprintf(file, sizeof file, "%s.conf", name);
    if (!up_path(up, conf, file))
        return false;
    p->args[0] = command;
    p->args[1] = "--config";
    p->args[2] = conf;
    p->args[3] = NULL;
    return proc_start(p) == TACIT_OK || say(up, "cannot be started", p);
}

/* A signal that asks us to stop, taken without waiting. */
static bool is_stop_asked(void)
{
    sigset_t set;
    struct timespec now = {0};

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return sigtimedwait(&set, NULL, &now) > 0;
}

static bool answers(const char *url, const char *auth, const char *needle)
{
    const char *headers[] = {auth, NULL};
    struct fetch_request req = {.method = "GET",
                                .url = url,
                                .headers = auth != NULL ? headers : NULL,
                                .trust = FETCH_TRUST_ANY,
                                .connect_timeout_ms = 2000,
                                .total_timeout_ms = 5000,
                                .body_limit = SMALL_BODY};
    struct fetch_reply reply = {0};
    bool is_good =
        fetch(&reply, &req) == TACIT_OK && reply.status == 200 &&
        (needle == NULL || bytes_find(buf_bytes(&reply.body), bytes_of(needle)) != SIZE_MAX);

    fetch_reply_done(&reply);
    return is_good;
}

static bool wait_for(struct up *up, struct proc *p, const char *url, const char *auth,
                     const char *needle, uint64_t limit_ms)
{
    uint64_t end_ms = clock_mono_ms() + limit_ms;
    struct timespec pause = {.tv_nsec = POLL_NS};
    int status;

    while (!answers(url, auth, needle)) {
        if (proc_has_ended(p, &status))
            return say(up, "ended while it was starting", p);
        if (is_stop_asked())
            return say(up, "was not ready yet when we were asked to stop", p);
        if (clock_mono_ms() > end_ms)
            return say(up, "was not ready in time", p);
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

/* Our own gateway gets no trust for being ours: its key goes into the printed lines only after its
 * report was verified like anybody's. */
static bool verify_gateway(struct up *up)
{
    char url[64], root[UP_PATH_MAX], collateral[UP_PATH_MAX];
    char gpu_root[UP_PATH_MAX], gpu_rim_root[UP_PATH_MAX], gpu_rims[UP_PATH_MAX];
    bool has_gpus = up->gpu_count > 0;
    struct upfile file = {.trust_root = root,
                          .collateral = collateral,
                          .gpu_root = has_gpus ? gpu_root : NULL,
                          .gpu_rim_root = has_gpus ? gpu_rim_root : NULL,
                          .gpu_rims = has_gpus ? gpu_rims : NULL};
    struct attested server = {.url = url, .model = up->model_name, .algo = "ecdsa"};
    struct trust trust = {0};
    struct tacit_verdict *v = calloc(1, sizeof *v);
    bool is_trusted = false;

    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u", up->gateway_port);
    if (v != NULL && up_path(up, root, "sim/root.pem") &&
        up_path(up, collateral, "sim/collateral.json") &&
        up_path(up, gpu_root, "sim/gpu-device-root.pem") &&
        up_path(up, gpu_rim_root, "sim/gpu-rim-root.pem") && up_path(up, gpu_rims, "sim/gpu-rim")) {
        trust_take_up(&trust, &file);
        if (trust_load(&trust, "up") && attested_open(&server, v, &trust) == TACIT_OK) {
            is_trusted = tacit_verdict_is_trusted(v);
            if (!is_trusted)
                show_verdict(stderr, v, true);
        }
        (void)snprintf(up->why, sizeof up->why, "the gateway's own attestation was refused. %s",
                       server.why);
        memcpy(up->gateway_spki, server.spki, sizeof up->gateway_spki);
    }
    attested_done(&server);
    trust_done(&trust);
    free(v);
    return is_trusted;
}

static bool start_node(struct up *up, size_t i)
{
    char name[32];

    (void)snprintf(name, sizeof name, "node-%zu", i + 1);
    return start(up, &up->nodes[i], name, "node", up->node_confs[i]);
}

bool up_start(struct up *up)
{
    char url[64], auth[64], quoted[160];

    for (size_t i = 0; i < up->node_count; i++)
        if (!start_node(up, i))
            return false;
    for (size_t i = 0; i < up->node_count; i++) {
        (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/healthz", up->node_ports[i]);
        if (!wait_for(up, &up->nodes[i], url, NULL, NULL, NODE_START_MS))
            return false;
    }
    if (!start(up, &up->gateway, "gateway", "gateway", up->gateway_conf))
        return false;
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/v1/models", up->gateway_port);
    (void)snprintf(auth, sizeof auth, "authorization: Bearer %s", up->key_text);
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", up->model_name);
    bool is_up = wait_for(up, &up->gateway, url, auth, quoted, GATEWAY_START_MS);
    explicit_bzero(auth, sizeof auth);
    return is_up && verify_gateway(up);
}

/* Starts again what died, up to a number of times. Returns whether anything changed. */
static bool revive(struct proc *p)
{
    int status = 0;

    if (!proc_has_ended(p, &status))
        return false;
    (void)fprintf(stderr, "tacit up: %s ended (%s %d); its log: %s\n", p->name,
                  WIFSIGNALED(status) ? "signal" : "exit code",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), p->log_path);
    if (p->restarts >= RESTARTS_MAX || proc_start(p) != TACIT_OK) {
        (void)fprintf(stderr, "tacit up: %s is not started again\n", p->name);
        return true;
    }
    p->restarts++;
    return true;
}

void up_watch(struct up *up)
{
    sigset_t set;
    struct timespec second = {.tv_sec = 1};

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    for (;;) {
        int sig = sigtimedwait(&set, NULL, &second);
        bool is_changed;

        if (sig > 0 && sig != SIGCHLD)
            return;
        is_changed = revive(&up->gateway);
        for (size_t i = 0; i < up->node_count; i++)
            is_changed = revive(&up->nodes[i]) || is_changed;
        if (is_changed && !up_announce(up))
            (void)fprintf(stderr, "tacit up: %s\n", up->why);
    }
}

void up_stop(struct up *up)
{
    struct proc *nodes[UP_NODES_MAX];

    for (size_t i = 0; i < up->node_count; i++)
        nodes[i] = &up->nodes[i];
    proc_stop(&up->gateway, STOP_MS);
    proc_stop_all(nodes, up->node_count, STOP_MS);
}
