/* A small program behind net/server.h on a thread of its own, and blocking sockets to torment it
 * with. Paths say what it does:
 *   /hello   replies at once          /echo    replies with the request's body
 *   /source  streams ?N octets with backpressure (chunked)
 *   /hold    never replies            /late    replies after 50 ms
 *   /abort   head, some bytes, abort  /inject  an illegal header value
 *   /short   promises more than it writes      /silent  neither replies nor listens
 *   /stall   pauses the body for 100 ms, then replies with its length */
#ifndef TEST_NET_APP_H
#define TEST_NET_APP_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "net/server.h"

struct app {
    struct loop *loop;
    struct server *server;
    struct tls_server *tls;
    pthread_t thread;
    uint16_t port;
    char unix_path[108];
    atomic_int requests, closed_complete, closed_early, running;
    atomic_size_t max_queued;
    atomic_bool is_drained;
};

/* opts: limits only; addr defaults to a free port of 127.0.0.1. */
struct app *app_start(const struct server_opts *opts, bool is_tls);
void app_drain(struct app *app, uint64_t grace_ms);
void app_stop(struct app *app);
/* Waits up to 10 s for the counter to reach `wanted`. */
bool app_wait(atomic_int *counter, int wanted);

/* Blocking client socket with 10 s limits. */
int app_connect(const struct app *app);
void send_bytes(int fd, struct bytes b);
void send_text(int fd, const char *text);
/* Appends until `end` has been seen after the buffer's present end; false at EOF, error, time. */
bool recv_until(int fd, struct buf *in, const char *end);
/* Everything up to EOF or reset; returns false on a time-out. */
bool recv_all(int fd, struct buf *in);
/* One connection: sends, reads to EOF, closes. NUL-terminated text in `in`. */
const char *talk(const struct app *app, struct buf *in, const char *text);

#endif
