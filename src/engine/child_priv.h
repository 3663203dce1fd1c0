/* The engine's process: how it is started, seen to end, and ended. */
#ifndef ENGINE_CHILD_PRIV_H
#define ENGINE_CHILD_PRIV_H

#include <sys/types.h>

#include "engine/engine.h"

struct engine_child {
    pid_t pid;  /* 0: none */
    int out_fd; /* its standard output and error, non-blocking; -1: closed */
    int end_fd; /* readable when it has ended */
};

/* Forks and executes; call on the thread that stays as long as the child does, for the child is
 * killed when that thread ends. TACIT_IO, TACIT_NOMEM. */
MUST_CHECK enum tacit_err child_start(struct engine_child *c, const struct engine_opts *opts);
void child_signal(const struct engine_child *c, int sig);
#define CHILD_NONE ((struct engine_child){0, -1, -1})
/* Collects the ended child (waits for it) and closes the descriptors. Accepts CHILD_NONE. */
void child_reap(struct engine_child *c);
/* Threads for the engine: opts->threads, or the rule of engine.md 6.4. */
unsigned child_threads(const struct engine_opts *opts);

#endif
