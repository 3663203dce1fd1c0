/* Starting llama-server: an environment of two variables, no descriptor of ours but one pipe, no
 * core file, no terminal, and death together with us. Between fork and exec only calls that are
 * safe there are made. */
#include "engine/child_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ARGS_MAX = 40,
    NUMBER_MAX = 16,
    SMALL_MODEL_BYTES = 50 * 1000 * 1000, /* below it one thread is fastest (engine.md 6.4) */
    DEFAULT_PARALLEL = 4,
    DEFAULT_CONNECTIONS = 64,
    SPARE_HTTP_THREADS = 8, /* for health and model lists while all others stream */
    FD_CEILING = 65536,
};

struct args {
    const char *list[ARGS_MAX];
    size_t count;
    char threads[NUMBER_MAX], parallel[NUMBER_MAX], context[NUMBER_MAX], http_threads[NUMBER_MAX];
};

static void add(struct args *a, const char *arg)
{
    if (a->count + 1 < ARGS_MAX)
        a->list[a->count++] = arg;
}

static void add_number(struct args *a, const char *flag, char text[static NUMBER_MAX], uint64_t v)
{
    (void)snprintf(text, NUMBER_MAX, "%llu", (unsigned long long)v);
    add(a, flag);
    add(a, text);
}

unsigned child_threads(const struct engine_opts *opts)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct stat st;

    if (opts->threads != 0)
        return opts->threads;
    if (stat(opts->model_path, &st) == 0 && st.st_size < SMALL_MODEL_BYTES)
        return 1;
    return cores > 2 ? (unsigned)cores - 1 : 1;
}

/* No prompt in the slots listing, no download, no page, no file of prompts, no shared prefix unless
 * allowed (engine.md 8). */
static void make_args(struct args *a, const struct engine_opts *opts)
{
    unsigned parallel = opts->parallel == 0 ? DEFAULT_PARALLEL : opts->parallel;
    unsigned open = opts->max_connections == 0 ? DEFAULT_CONNECTIONS : opts->max_connections;

    *a = (struct args){0};
    add(a, opts->binary);
    add(a, "--model"), add(a, opts->model_path);
    add(a, "--alias"), add(a, opts->alias);
    add(a, "--host"), add(a, opts->socket_path);
    add(a, "--no-slots"), add(a, "--offline"), add(a, "--no-ui"), add(a, "--jinja");
    add(a, "--no-context-shift"), add(a, "--metrics");
    add(a, "--cache-ram"), add(a, "0");
    if (!opts->has_prompt_cache)
        add(a, "--no-cache-prompt");
    add_number(a, "--threads", a->threads, child_threads(opts));
    add_number(a, "--parallel", a->parallel, parallel);
    if (opts->context_tokens != 0)
        add_number(a, "--ctx-size", a->context, (uint64_t)opts->context_tokens * parallel);
    add_number(a, "--threads-http", a->http_threads, (uint64_t)open + SPARE_HTTP_THREADS);
}

/* Everything above standard error, whatever this process has open. */
static void close_the_rest(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
        return;
#endif
    for (int fd = 3; fd < FD_CEILING; fd++)
        close(fd);
}

static void reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL); /* an ignored SIGPIPE would be inherited */
}

/* In the child. A core limit of 1 also stops cores that go to a pipe, which 0 does not (core(5)).
 */
static void become_engine(const struct args *a, int out_fd, pid_t parent)
{
    char spin[] = "GOMP_SPINCOUNT=10000", no_trace[] = "GGML_NO_BACKTRACE=1";
    char *const env[] = {spin, no_trace, NULL};
    const struct rlimit no_core = {1, 1};
    int null_fd = open("/dev/null", O_RDONLY);

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || null_fd < 0)
        _exit(127);
    (void)setpgid(0, 0); /* a terminal's interrupt is for us to pass on */
    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)umask(077);
    if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0 ||
        dup2(out_fd, STDERR_FILENO) < 0)
        _exit(127);
    close_the_rest();
    reset_signals();
    execve(a->list[0], (char *const *)(uintptr_t)a->list, env);
    _exit(127);
}

enum tacit_err child_start(struct engine_child *c, const struct engine_opts *opts)
{
    struct args args;
    int fds[2];
    pid_t parent = getpid();

    *c = CHILD_NONE;
    make_args(&args, opts);
    if (unlink(opts->socket_path) != 0 && errno != ENOENT)
        return TACIT_IO;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return TACIT_IO;
    c->pid = fork();
    if (c->pid == 0)
        become_engine(&args, fds[1], parent);
    close(fds[1]);
    c->out_fd = fds[0];
    if (c->pid < 0) {
        c->pid = 0;
        child_reap(c);
        return TACIT_NOMEM;
    }
    c->end_fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
    if (c->end_fd < 0 || fcntl(c->out_fd, F_SETFL, O_NONBLOCK) != 0) {
        child_signal(c, SIGKILL);
        child_reap(c);
        return TACIT_IO;
    }
    return TACIT_OK;
}

void child_signal(const struct engine_child *c, int sig)
{
    if (c->pid > 0)
        (void)kill(c->pid, sig);
}

void child_reap(struct engine_child *c)
{
    while (c->pid > 0 && waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (c->out_fd >= 0)
        close(c->out_fd);
    if (c->end_fd >= 0)
        close(c->end_fd);
    *c = CHILD_NONE;
}
