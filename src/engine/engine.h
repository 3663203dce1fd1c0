/* Supervision of the inference engine beside the node: llama-server as a child process with an
 * otherwise empty environment, on a unix socket that only this user can reach. Started, judged
 * ready, restarted with back-off when it dies, stopped for good. One thread of its own does the
 * blocking.
 *
 * What the engine prints may hold prompts. It is kept only while the process has never been ready
 * (then it has never seen a request), and after that counted and dropped. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/buf.h"

struct engine;

enum engine_state {
    ENGINE_STARTING = 0, /* loading, also after a crash */
    ENGINE_READY,
    ENGINE_WAITING, /* it died; the next start comes after the back-off */
    ENGINE_STOPPED, /* for good, by engine_stop */
};

struct engine_opts {
    const char *binary;        /* path of llama-server */
    const char *model_path;    /* GGUF file */
    const char *alias;         /* the model's name in replies; else they would show the path */
    const char *socket_path;   /* absolute; its folder exists and belongs to this user alone */
    unsigned threads;          /* 0: cores - 1, one for models below 50 MB (engine.md 6.4) */
    unsigned parallel;         /* requests decoded together; 0 = 4 */
    unsigned context_tokens;   /* for each of them; 0: what the model was trained for */
    unsigned max_connections;  /* requests that may be open at once; 0 = 64 */
    bool has_prompt_cache;     /* reuse prompt prefixes: only with one tenant per engine */
    uint64_t start_timeout_ms; /* from exec to ready; 0 = 10 min */
    uint64_t stop_timeout_ms;  /* from SIGTERM to SIGKILL; 0 = 5 s */
    uint64_t backoff_min_ms;   /* first wait after a crash, doubled each time; 0 = 200 ms */
    uint64_t backoff_max_ms;   /* 0 = 30 s */
    /* Called on the engine's thread at every change of state; may be NULL. */
    void (*on_state)(enum engine_state state, void *ctx);
    void *ctx;
};

struct engine_stats {
    uint64_t starts;       /* processes started */
    uint64_t crashes;      /* of these, ended without being asked to */
    uint64_t output_lines; /* printed, all together */
    uint64_t output_bytes;
    int64_t pid; /* of the running process; 0: none */
};

/* Starts the thread and the first process; does not wait until it is ready. The strings are copied.
 *
 * why       a sentence for the operator on failure: a file that is missing or not executable
 *
 * Returns   TACIT_OK; TACIT_CONFIG; TACIT_NOMEM; TACIT_IO.
 * Memory    *out is the caller's, for engine_stop; NULL on failure. */
MUST_CHECK enum tacit_err engine_start(struct engine **out, const struct engine_opts *opts,
                                       char why[static 256]);
/* Ends the process (SIGTERM, then SIGKILL), joins the thread, frees. Blocks up to stop_timeout_ms.
 * Requests should have been drained before. Accepts NULL. */
void engine_stop(struct engine *e);

/* Threads: any. */
enum engine_state engine_state_now(const struct engine *e);
struct engine_stats engine_stats_now(struct engine *e);
const char *engine_state_name(enum engine_state state);
/* Appends what the engine printed before it was first ready (at most 16 KiB, its end), with
 * everything but printable ASCII and line ends replaced: for the operator of a start that fails.
 * Empty once it has been ready. Threads: any. */
void engine_startup_text(struct engine *e, struct buf *out);

/* SHA-256 of a file of any size (the engine's binary, a model's weights), for the event log.
 *
 * Returns   TACIT_OK; TACIT_NOT_FOUND; TACIT_IO; out zeroed on failure. Blocks. Threads: any. */
MUST_CHECK enum tacit_err engine_file_digest(uint8_t out[static 32], const char *path);

#endif
