/* Opening a listener, TCP or unix, with words for the operator when it fails. */
#include "net/listen_priv.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static enum tacit_err fail(char why[static 256], const struct net_addr *addr, const char *what,
                           int uv_error)
{
    if (addr->is_unix)
        (void)snprintf(why, 256, "Cannot listen on unix:%.100s: %s: %s.", addr->host, what,
                       uv_strerror(uv_error));
    else
        (void)snprintf(why, 256, "Cannot listen on %.100s port %u: %s: %s.", addr->host,
                       (unsigned)addr->port, what, uv_strerror(uv_error));
    if (uv_error == UV_ENOMEM)
        return TACIT_NOMEM;
    return uv_error == UV_EADDRINUSE ? TACIT_EXISTS : TACIT_IO;
}

/* The name is looked up here, blocking: listeners are opened while starting. */
static bool resolve(struct sockaddr_storage *out, const struct net_addr *addr)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char port[8];

    (void)snprintf(port, sizeof(port), "%u", (unsigned)addr->port);
    if (getaddrinfo(addr->host, port, &hints, &list) != 0 || list == NULL)
        return false;
    memset(out, 0, sizeof(*out));
    memcpy(out, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return true;
}

static enum tacit_err tcp_open(struct server *s, char why[static 256])
{
    const struct net_addr *addr = &s->opts.addr;
    struct sockaddr_storage at;
    uv_os_fd_t fd = -1;
    int on = 1;
    int error;

    if (!resolve(&at, addr)) {
        (void)snprintf(why, 256, "Cannot listen on %.100s: there is no such address.", addr->host);
        return TACIT_CONFIG;
    }
    error = uv_tcp_init_ex(loop_uv(s->loop), &s->listener.tcp, at.ss_family);
    if (error != 0)
        return fail(why, addr, "socket", error);
    s->listener.handle.data = s;
    s->is_listening = true;
    s->open_handles++;
    error = uv_fileno(&s->listener.handle, &fd);
    if (error == 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
        error = uv_translate_sys_error(errno);
    if (error == 0)
        error = uv_tcp_bind(&s->listener.tcp, (struct sockaddr *)&at, 0);
    return error == 0 ? TACIT_OK : fail(why, addr, "bind", error);
}

/* Whether the path is a socket that nobody listens on any more. */
static bool is_left_behind(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    bool is_refused;
    int fd;

    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode) || strlen(path) >= sizeof(at.sun_path))
        return false;
    memcpy(at.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    is_refused = connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0 && errno == ECONNREFUSED;
    close(fd);
    return is_refused;
}

static enum tacit_err unix_open(struct server *s, char why[static 256])
{
    const struct net_addr *addr = &s->opts.addr;
    int error;

    if (strlen(addr->host) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        (void)snprintf(why, 256, "Cannot listen on unix:%.60s...: the path is too long.",
                       addr->host);
        return TACIT_CONFIG;
    }
    if (is_left_behind(addr->host))
        (void)unlink(addr->host);
    error = uv_pipe_init(loop_uv(s->loop), &s->listener.pipe, 0);
    if (error != 0)
        return fail(why, addr, "socket", error);
    s->listener.handle.data = s;
    s->is_listening = true;
    s->open_handles++;
    error = uv_pipe_bind(&s->listener.pipe, addr->host);
    if (error == 0 && chmod(addr->host, 0600) != 0)
        error = uv_translate_sys_error(errno);
    return error == 0 ? TACIT_OK : fail(why, addr, "bind", error);
}

enum tacit_err listen_open(struct server *s, uv_connection_cb on_connection, char why[static 256])
{
    enum tacit_err err = s->opts.addr.is_unix ? unix_open(s, why) : tcp_open(s, why);
    int error;

    if (err != TACIT_OK)
        return err;
    error = uv_listen(&s->listener.stream, BACKLOG, on_connection);
    return error == 0 ? TACIT_OK : fail(why, &s->opts.addr, "listen", error);
}
