/* Blocking stream sockets. Invariant: no call waits beyond its deadline, and a signal neither ends
 * nor repeats one. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "base/clock.h"
#include "tee/sock_priv.h"

/* Sockets never block by themselves: poll does the waiting, with the deadline. */
static int sock_connect(int family, const struct sockaddr *addr, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int result;

    if (fd < 0)
        return -1;
    do
        result = connect(fd, addr, len);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return fd;
    result = errno;
    close(fd);
    errno = result;
    return -1;
}

int sock_unix(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    if ((size_t)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path) >=
        sizeof(addr.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return sock_connect(AF_UNIX, (const struct sockaddr *)&addr, sizeof(addr));
}

int sock_vsock(uint32_t cid, uint32_t port)
{
    struct sockaddr_vm addr = {.svm_family = AF_VSOCK, .svm_port = port, .svm_cid = cid};

    return sock_connect(AF_VSOCK, (const struct sockaddr *)&addr, sizeof(addr));
}

uint64_t sock_deadline(unsigned timeout_ms)
{
    return clock_mono_ms() + timeout_ms;
}

static enum tacit_err sock_wait(int fd, short events, uint64_t deadline_ms)
{
    for (;;) {
        uint64_t now = clock_mono_ms();
        struct pollfd p = {.fd = fd, .events = events};
        int n;

        if (now >= deadline_ms)
            return TACIT_TIMEOUT;
        n = poll(&p, 1, deadline_ms - now > 60000 ? 60000 : (int)(deadline_ms - now));
        if (n > 0)
            return TACIT_OK;
        if (n < 0 && errno != EINTR)
            return TACIT_IO;
    }
}

enum tacit_err sock_send(int fd, struct bytes out, uint64_t deadline_ms)
{
    while (out.len > 0) {
        enum tacit_err err = sock_wait(fd, POLLOUT, deadline_ms);
        ssize_t n;

        if (err != TACIT_OK)
            return err;
        n = send(fd, out.ptr, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return errno == EPIPE || errno == ECONNRESET ? TACIT_CLOSED : TACIT_IO;
        out = bytes_slice(out, (size_t)n, SIZE_MAX);
    }
    return TACIT_OK;
}

enum tacit_err sock_receive(int fd, struct buf *in, size_t max, uint64_t deadline_ms)
{
    for (;;) {
        enum tacit_err err = sock_wait(fd, POLLIN, deadline_ms);
        uint8_t *room = err == TACIT_OK ? buf_reserve(in, max) : NULL;
        ssize_t n;

        if (err != TACIT_OK)
            return err;
        if (room == NULL)
            return TACIT_NOMEM;
        n = recv(fd, room, max, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return errno == ECONNRESET ? TACIT_CLOSED : TACIT_IO;
        if (n == 0)
            return TACIT_CLOSED;
        buf_commit(in, (size_t)n);
        return TACIT_OK;
    }
}

enum tacit_err sock_receive_all(int fd, struct buf *in, size_t len, uint64_t deadline_ms)
{
    size_t end = in->len + len;

    while (in->len < end) {
        enum tacit_err err = sock_receive(fd, in, end - in->len, deadline_ms);

        if (err != TACIT_OK)
            return err;
    }
    return TACIT_OK;
}
