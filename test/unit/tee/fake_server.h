/* A thread that plays a service on a unix socket: one connection at a time, handled by the test's
 * function. And a timer that interrupts system calls all the time. For tests only. */
#ifndef TEST_FAKE_SERVER_H
#define TEST_FAKE_SERVER_H

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct fake_server {
    char dir[32];
    char path[48];
    int fd;
    pthread_t thread;
    void (*serve)(int fd, void *ctx);
    void *ctx;
};

static inline void *fake_server_main(void *arg)
{
    struct fake_server *s = arg;

    for (;;) {
        int fd = accept(s->fd, NULL, NULL);

        if (fd < 0)
            return NULL;
        s->serve(fd, s->ctx);
        close(fd);
    }
}

static inline void fake_server_start(struct fake_server *s, void (*serve)(int, void *), void *ctx)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    sigset_t all, old;

    *s = (struct fake_server){.dir = "/tmp/tacit-fake-XXXXXX", .serve = serve, .ctx = ctx};
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->path, sizeof(s->path), "%s/socket", s->dir);
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", s->path);
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(s->fd, 8), 0);
    /* interruptions are for the code under test only */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    assert_int_equal(pthread_create(&s->thread, NULL, fake_server_main, s), 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static inline void fake_server_stop(struct fake_server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    unlink(s->path);
    rmdir(s->dir);
}

static inline void fake_interrupt(int signal_number)
{
    (void)signal_number;
}

/* Every `period_us` a signal without SA_RESTART; 0 ends it. */
static inline void fake_interrupts(long period_us)
{
    struct sigaction action = {.sa_handler = fake_interrupt};
    struct itimerval timer = {{0, period_us}, {0, period_us}};

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static inline void fake_send(int fd, const void *data, size_t len)
{
    size_t sent = 0;

    while (sent < len) {
        ssize_t n = send(fd, (const char *)data + sent, len - sent, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        sent += (size_t)n;
    }
}

/* A TDX quote as far as its report data: version 4, TD 1.0 body. */
enum { FAKE_QUOTE_LEN = 700 };
static inline void fake_quote(uint8_t out[static FAKE_QUOTE_LEN], const uint8_t *report_data)
{
    memset(out, 0x5a, FAKE_QUOTE_LEN);
    out[0] = 4;
    out[1] = 0;
    memcpy(out + 4, "\x81\0\0", 4);
    memcpy(out + 48 + 520, report_data, 64);
}

#endif
