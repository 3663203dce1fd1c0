/* Child processes of `tacit up`: started from this very program, ended with their parent, whatever
 * ends it. What they print goes to a file. One thread only: the kernel ties a child's end to the
 * thread that made it. */
#ifndef CLI_PROC_H
#define CLI_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

enum { PROC_ARGS_MAX = 16 };

struct proc {
    char name[32];
    const char *args[PROC_ARGS_MAX]; /* of this program, without its own name; NULL-terminated */
    char log_path[4096];
    pid_t pid; /* 0: not running */
    unsigned restarts;
};

/* Starts `tacit args…` with standard output and error appended to log_path (0600), an empty
 * standard input, and no signal blocked. TACIT_IO on failure. */
MUST_CHECK enum tacit_err proc_start(struct proc *p);
/* Asks (SIGTERM) and, after grace_ms, insists (SIGKILL). Nothing for one that does not run. */
void proc_stop(struct proc *p, uint64_t grace_ms);
/* The same for several at once, in the time of one. */
void proc_stop_all(struct proc *const procs[], size_t count, uint64_t grace_ms);
/* Whether it has ended by itself; then pid is 0 and *status is waitpid's. */
bool proc_has_ended(struct proc *p, int *status);

#endif
