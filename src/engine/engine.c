/* The supervisor: one thread that starts the engine, waits until it is ready, watches it end, and
 * starts it again after a growing pause. Invariant: while a process lives, this thread lives. */
#include "engine/engine.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/child_priv.h"
#include "engine/output_priv.h"
#include "engine/probe_priv.h"

enum {
    START_TIMEOUT_MS = 10 * 60 * 1000,
    STOP_TIMEOUT_MS = 5 * 1000,
    BACKOFF_MIN_MS = 200,
    BACKOFF_MAX_MS = 30 * 1000,
    HEALTHY_MS = 60 * 1000, /* up this long: the next crash starts with the shortest pause */
    PROBE_EVERY_MS = 100,
    PROBE_TIMEOUT_MS = 5 * 1000,
    OUTPUT_PIECE = 4096,
    NEVER_MS = 24 * 60 * 60 * 1000,
};

struct engine {
    struct engine_opts opts; /* its strings are our copies */
    pthread_t thread;
    int wake_fd; /* readable once engine_stop was called */
    atomic_int state;
    atomic_uint_least64_t starts, crashes;
    atomic_int_least64_t pid;
    pthread_mutex_t lock; /* around output */
    struct engine_output output;
    struct engine_child child; /* the engine thread's own */
};

static void set_state(struct engine *e, enum engine_state state)
{
    if (atomic_exchange(&e->state, (int)state) == (int)state)
        return;
    if (e->opts.on_state != NULL)
        e->opts.on_state(state, e->opts.ctx);
}

static bool is_stopping(const struct engine *e)
{
    struct pollfd fd = {e->wake_fd, POLLIN, 0};

    return poll(&fd, 1, 0) > 0;
}

/* Takes what was printed; closes our end when nothing more will come. */
static void drain_output(struct engine *e)
{
    uint8_t piece[OUTPUT_PIECE];

    for (int rounds = 0; rounds < 64; rounds++) {
        ssize_t n = read(e->child.out_fd, piece, sizeof(piece));

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (n <= 0) {
            close(e->child.out_fd);
            e->child.out_fd = -1;
            break;
        }
        pthread_mutex_lock(&e->lock);
        output_add(&e->output, bytes_make(piece, (size_t)n));
        pthread_mutex_unlock(&e->lock);
    }
    explicit_bzero(piece, sizeof(piece));
}

enum watch_result { WATCH_TIME, WATCH_ENDED, WATCH_STOP };

/* Reads output until the time is over, the process has ended, or (unless it is already known) a
 * stop is asked for. */
static enum watch_result watch(struct engine *e, uint64_t for_ms, bool heeds_stop)
{
    uint64_t deadline_ms = clock_mono_ms() + for_ms;

    for (;;) {
        uint64_t now_ms = clock_mono_ms();
        struct pollfd fds[3] = {{e->child.out_fd, POLLIN, 0},
                                {e->child.end_fd, POLLIN, 0},
                                {heeds_stop ? e->wake_fd : -1, POLLIN, 0}};

        if (now_ms >= deadline_ms)
            return WATCH_TIME;
        if (poll(fds, 3, (int)(deadline_ms - now_ms)) < 0 && errno != EINTR)
            return WATCH_TIME;
        if (fds[0].revents != 0)
            drain_output(e);
        if (fds[2].revents != 0)
            return WATCH_STOP;
        if (fds[1].revents != 0)
            return WATCH_ENDED;
    }
}

static void end_child(struct engine *e)
{
    child_signal(&e->child, SIGTERM);
    if (watch(e, e->opts.stop_timeout_ms, false) != WATCH_ENDED)
        child_signal(&e->child, SIGKILL);
    atomic_store(&e->pid, 0);
    child_reap(&e->child);
}

/* From exec to ready. */
static enum watch_result await_ready(struct engine *e)
{
    uint64_t start_ms = clock_mono_ms();

    for (;;) {
        enum tacit_err err =
            probe_ready(e->opts.socket_path, e->opts.alias, PROBE_TIMEOUT_MS, e->wake_fd);
        enum watch_result seen;

        if (err == TACIT_OK) {
            log_info("engine_ready", L_NUM("took_ms", clock_mono_ms() - start_ms));
            return WATCH_TIME;
        }
        seen = watch(e, PROBE_EVERY_MS, true);
        if (seen != WATCH_TIME)
            return seen;
        if (clock_mono_ms() - start_ms > e->opts.start_timeout_ms) {
            log_error("engine_start_timeout", L_ERR("last", err));
            return WATCH_ENDED;
        }
    }
}

static void begin_output(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    output_begin(&e->output);
    pthread_mutex_unlock(&e->lock);
}

static void seal_output(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    output_seal(&e->output);
    pthread_mutex_unlock(&e->lock);
}

/* One life of the process. Returns how long it was ready, in milliseconds. */
static uint64_t live_once(struct engine *e)
{
    enum watch_result seen;
    uint64_t ready_ms = 0;

    begin_output(e);
    set_state(e, ENGINE_STARTING);
    atomic_fetch_add(&e->starts, 1);
    if (child_start(&e->child, &e->opts) != TACIT_OK) {
        log_error("engine_start_failed");
        atomic_fetch_add(&e->crashes, 1);
        return 0;
    }
    atomic_store(&e->pid, e->child.pid);
    log_info("engine_started", L_NUM("pid", e->child.pid));
    seen = await_ready(e);
    if (seen == WATCH_TIME) {
        uint64_t since_ms = clock_mono_ms();

        seal_output(e);
        set_state(e, ENGINE_READY);
        do
            seen = watch(e, NEVER_MS, true);
        while (seen == WATCH_TIME);
        ready_ms = clock_mono_ms() - since_ms;
    }
    if (seen == WATCH_ENDED) {
        set_state(e, ENGINE_WAITING);
        atomic_fetch_add(&e->crashes, 1);
        log_error("engine_ended", L_NUM("after_ms", ready_ms));
    }
    if (e->child.out_fd >= 0)
        drain_output(e);
    end_child(e);
    return ready_ms;
}

static void pause_for(struct engine *e, uint64_t for_ms)
{
    struct pollfd fd = {e->wake_fd, POLLIN, 0};

    log_info("engine_restart", L_NUM("in_ms", for_ms));
    (void)poll(&fd, 1, (int)for_ms);
}

static void *engine_thread(void *arg)
{
    struct engine *e = arg;
    uint64_t backoff_ms = e->opts.backoff_min_ms;

    while (!is_stopping(e)) {
        uint64_t ready_ms = live_once(e);

        if (is_stopping(e))
            break;
        if (ready_ms >= HEALTHY_MS)
            backoff_ms = e->opts.backoff_min_ms;
        set_state(e, ENGINE_WAITING);
        pause_for(e, backoff_ms);
        backoff_ms =
            backoff_ms * 2 > e->opts.backoff_max_ms ? e->opts.backoff_max_ms : backoff_ms * 2;
    }
    (void)unlink(e->opts.socket_path);
    set_state(e, ENGINE_STOPPED);
    return NULL;
}

static void free_engine(struct engine *e)
{
    if (e == NULL)
        return;
    if (e->wake_fd >= 0)
        close(e->wake_fd);
    pthread_mutex_destroy(&e->lock);
    output_begin(&e->output);
    free((void *)(uintptr_t)e->opts.binary);
    free((void *)(uintptr_t)e->opts.model_path);
    free((void *)(uintptr_t)e->opts.alias);
    free((void *)(uintptr_t)e->opts.socket_path);
    free(e);
}

static uint64_t or_default(uint64_t v, uint64_t fallback)
{
    return v == 0 ? fallback : v;
}

static struct engine *engine_new(const struct engine_opts *opts)
{
    struct engine *e = calloc(1, sizeof(*e));

    if (e == NULL)
        return NULL;
    e->opts = *opts;
    e->opts.binary = strdup(opts->binary);
    e->opts.model_path = strdup(opts->model_path);
    e->opts.alias = strdup(opts->alias);
    e->opts.socket_path = strdup(opts->socket_path);
    e->opts.start_timeout_ms = or_default(opts->start_timeout_ms, START_TIMEOUT_MS);
    e->opts.stop_timeout_ms = or_default(opts->stop_timeout_ms, STOP_TIMEOUT_MS);
    e->opts.backoff_min_ms = or_default(opts->backoff_min_ms, BACKOFF_MIN_MS);
    e->opts.backoff_max_ms = or_default(opts->backoff_max_ms, BACKOFF_MAX_MS);
    e->child = CHILD_NONE;
    pthread_mutex_init(&e->lock, NULL);
    e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->wake_fd >= 0 && e->opts.binary != NULL && e->opts.model_path != NULL &&
        e->opts.alias != NULL && e->opts.socket_path != NULL)
        return e;
    free_engine(e);
    return NULL;
}

static enum tacit_err check_files(const struct engine_opts *opts, char why[static 256])
{
    if (access(opts->binary, X_OK) != 0) {
        (void)snprintf(why, 256, "the engine %.180s is missing or not executable", opts->binary);
        return TACIT_CONFIG;
    }
    if (access(opts->model_path, R_OK) != 0) {
        (void)snprintf(why, 256, "the model file %.180s cannot be read", opts->model_path);
        return TACIT_CONFIG;
    }
    /* llama-server takes a host that ends so for a socket path. */
    if (opts->socket_path[0] != '/' ||
        !bytes_ends_with(bytes_of(opts->socket_path), BYTES_LIT(".sock")) ||
        strlen(opts->socket_path) > 107) {
        (void)snprintf(why, 256,
                       "the engine's socket must be an absolute path of at most 107 "
                       "characters that ends in .sock");
        return TACIT_CONFIG;
    }
    return TACIT_OK;
}

enum tacit_err engine_start(struct engine **out, const struct engine_opts *opts,
                            char why[static 256])
{
    enum tacit_err err = check_files(opts, why);
    struct engine *e;

    *out = NULL;
    if (err != TACIT_OK)
        return err;
    e = engine_new(opts);
    if (e == NULL || pthread_create(&e->thread, NULL, engine_thread, e) != 0) {
        free_engine(e);
        (void)snprintf(why, 256, "no memory or threads left for the engine's supervisor");
        return TACIT_NOMEM;
    }
    why[0] = 0;
    *out = e;
    return TACIT_OK;
}

void engine_stop(struct engine *e)
{
    const uint64_t one = 1;

    if (e == NULL)
        return;
    while (write(e->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
    pthread_join(e->thread, NULL);
    free_engine(e);
}

enum engine_state engine_state_now(const struct engine *e)
{
    return (enum engine_state)atomic_load(&e->state);
}

struct engine_stats engine_stats_now(struct engine *e)
{
    struct engine_stats s = {.starts = atomic_load(&e->starts),
                             .crashes = atomic_load(&e->crashes),
                             .pid = atomic_load(&e->pid)};

    pthread_mutex_lock(&e->lock);
    s.output_lines = e->output.lines;
    s.output_bytes = e->output.bytes;
    pthread_mutex_unlock(&e->lock);
    return s;
}

const char *engine_state_name(enum engine_state state)
{
    switch (state) {
    case ENGINE_STARTING:
        return "starting";
    case ENGINE_READY:
        return "ready";
    case ENGINE_WAITING:
        return "waiting";
    case ENGINE_STOPPED:
        return "stopped";
    }
    return "stopped";
}

void engine_startup_text(struct engine *e, struct buf *out)
{
    pthread_mutex_lock(&e->lock);
    output_text(&e->output, out);
    pthread_mutex_unlock(&e->lock);
}
