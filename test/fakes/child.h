/* Helper processes of tests: started with a pipe on their standard output, killed with the test. */
#ifndef TEST_FAKES_CHILD_H
#define TEST_FAKES_CHILD_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    pid_t pid;
    FILE *out;
    char first_line[256]; /* without its line end */
};

/* Starts argv (argv[0] is looked up in PATH); false if it did not print a line. */
static inline int child_start(struct child *c, char *const argv[])
{
    int fds[2];

    memset(c, 0, sizeof(*c));
    if (pipe(fds) != 0)
        return 0;
    c->pid = fork();
    if (c->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        execvp(argv[0], argv);
        _exit(127);
    }
    close(fds[1]);
    c->out = fdopen(fds[0], "r");
    if (c->pid < 0 || c->out == NULL || fgets(c->first_line, sizeof(c->first_line), c->out) == NULL)
        return 0;
    c->first_line[strcspn(c->first_line, "\n")] = 0;
    return 1;
}

static inline void child_stop(struct child *c)
{
    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        waitpid(c->pid, NULL, 0);
    }
    if (c->out != NULL)
        fclose(c->out);
    memset(c, 0, sizeof(*c));
}

/* Runs argv to its end; its exit status. */
static inline int child_run(char *const argv[])
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
            _exit(126);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

#endif
