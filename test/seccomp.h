/* A child process that may do nothing but manage memory: shows that code makes no other system
 * call. Any other one kills the child. */
#ifndef TEST_SECCOMP_H
#define TEST_SECCOMP_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define SECCOMP_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SECCOMP_ARCH AUDIT_ARCH_AARCH64
#else
#error "name this architecture for seccomp"
#endif

#define SECCOMP_ALLOW(call)                                 \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_##call, 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* From here on: memory, and the end of the process; with randomness also what OpenSSL's generator
 * asks for when it blinds the point multiplication of P-384 (the process number, to notice a fork,
 * and new seed after one). False if the kernel does not allow filters. */
static inline bool seccomp_memory_only(bool with_randomness)
{
    /* a number that no call has */
    unsigned getpid_nr = with_randomness ? __NR_getpid : 0xffffffff;
    unsigned getrandom_nr = with_randomness ? __NR_getrandom : 0xffffffff;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        SECCOMP_ALLOW(mmap),
        SECCOMP_ALLOW(munmap),
        SECCOMP_ALLOW(mremap),
        SECCOMP_ALLOW(mprotect),
        SECCOMP_ALLOW(madvise),
        SECCOMP_ALLOW(brk),
        SECCOMP_ALLOW(exit_group),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, getpid_nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, getrandom_nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

enum { SECCOMP_CHILD_FAILED = 1, SECCOMP_CHILD_UNABLE = 2 };

/* Not _exit: before calls that do not return, the address sanitizer asks for the signal stack. */
static inline void seccomp_exit(int code)
{
    (void)syscall(SYS_exit_group, code);
}

/* Runs `work` in a child under the filter. Returns 0 if it returned true there; otherwise the
 * child's exit code (1 it returned false, 2 no filter could be set), or 128 and the signal. */
static inline int seccomp_run_with(bool with_randomness, bool (*work)(void *ctx), void *ctx)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        if (!seccomp_memory_only(with_randomness))
            seccomp_exit(SECCOMP_CHILD_UNABLE);
        seccomp_exit(work(ctx) ? 0 : SECCOMP_CHILD_FAILED);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return SECCOMP_CHILD_UNABLE;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static inline int seccomp_run(bool (*work)(void *ctx), void *ctx)
{
    return seccomp_run_with(false, work, ctx);
}

#endif
