/* Child processes: see proc.h. */
#include "cli/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { POLL_NS = 20 * 1000 * 1000, EXIT_NOT_STARTED = 127 };

/* SIGPIPE stays ignored, as main wants it. In the child, between fork and exec: only
 * async-signal-safe calls. */
_Noreturn static void become(const struct proc *p, pid_t parent)
{
    const char *argv[PROC_ARGS_MAX + 2] = {"tacit"};
    sigset_t none;
    int null_fd = open("/dev/null", O_RDONLY);
    int log_fd = open(p->log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);

    sigemptyset(&none);
    if (null_fd < 0 || log_fd < 0 || sigprocmask(SIG_SETMASK, &none, NULL) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
        _exit(EXIT_NOT_STARTED);
    (void)setpgid(0, 0); /* a terminal's interrupt is for the parent to pass on, in his order */
    if (dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0)
        _exit(EXIT_NOT_STARTED);
    for (size_t i = 0; i < PROC_ARGS_MAX && p->args[i] != NULL; i++)
        argv[i + 1] = p->args[i];
    /* execve does not write to the strings; its type is older than const. */
    execve("/proc/self/exe", (char *const *)(uintptr_t)argv, environ);
    _exit(EXIT_NOT_STARTED);
}

enum tacit_err proc_start(struct proc *p)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0)
        return TACIT_IO;
    if (pid == 0)
        become(p, parent);
    p->pid = pid;
    return TACIT_OK;
}

bool proc_has_ended(struct proc *p, int *status)
{
    if (p->pid == 0 || waitpid(p->pid, status, WNOHANG) != p->pid)
        return false;
    p->pid = 0;
    return true;
}

static bool any_runs(struct proc *const procs[], size_t count)
{
    bool runs = false;
    int status;

    for (size_t i = 0; i < count; i++) {
        (void)proc_has_ended(procs[i], &status);
        runs = runs || procs[i]->pid != 0;
    }
    return runs;
}

static void signal_all(struct proc *const procs[], size_t count, int sig)
{
    for (size_t i = 0; i < count; i++)
        if (procs[i]->pid != 0)
            (void)kill(procs[i]->pid, sig);
}

void proc_stop_all(struct proc *const procs[], size_t count, uint64_t grace_ms)
{
    uint64_t end_ms = clock_mono_ms() + grace_ms;
    struct timespec pause = {.tv_nsec = POLL_NS};

    signal_all(procs, count, SIGTERM);
    while (any_runs(procs, count)) {
        if (clock_mono_ms() > end_ms)
            signal_all(procs, count, SIGKILL);
        (void)nanosleep(&pause, NULL);
    }
}

void proc_stop(struct proc *p, uint64_t grace_ms)
{
    proc_stop_all((struct proc *const[]){p}, 1, grace_ms);
}
