/* What the node's files share: the state of the process, one worker per thread, and the replies
 * that every route makes. `struct node` is immutable once the workers run, or locks inside, or is
 * atomic. */
#ifndef NODE_NODE_PRIV_H
#define NODE_NODE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/engine.h"
#include "http/query.h"
#include "net/client.h"
#include "net/request_id.h"
#include "net/server.h"
#include "node/conf.h"
#include "node/metrics.h"
#include "node/sign_cache.h"
#include "openai/error.h"
#include "tee/identity.h"

struct node;
struct reports; /* node/report.h */

/* One thread: a loop, a listener, connections to the engine. */
struct worker {
    struct node *node;
    size_t index;
    pthread_t thread;
    struct loop *loop;
    struct server *server;
    struct upstream *engine;
    struct timer *poll; /* worker 0, external engine: asks for its health */
    struct call *poll_call;
    unsigned poll_failures;
    bool is_drained;
};

struct node {
    const struct node_conf *conf;
    struct tee *tee;
    struct gpus *gpus; /* NULL: none */
    struct identity *identity;
    struct tls_server *tls;
    struct engine *engine;         /* NULL: external */
    struct net_url engine_url;     /* where it listens */
    struct tls_client *engine_tls; /* NULL: plain */
    struct sign_cache *signatures;
    struct reports *reports;
    struct node_metrics metrics;
    uint8_t salt_key[32]; /* of this start: cache salts */
    int64_t started_unix_s;
    atomic_uint outstanding;
    atomic_bool is_external_up;
    atomic_bool is_draining;
    struct worker *workers;
    size_t worker_count;
    struct loop *control; /* the main thread's: signals */
    size_t workers_ended; /* counted on the control loop */
};

bool node_engine_is_ready(const struct node *n);

/* --- worker.c ----------------------------------------------------------------------------------
 */

/* Makes loop, listener and engine connections; port 0 in `listen` means any. why as elsewhere. */
MUST_CHECK enum tacit_err worker_open(struct worker *w, struct node *n, size_t index,
                                      const struct net_addr *listen, char why[static 256]);
/* The thread's body: runs the loop, then tells the control loop (ended). arg: struct worker. */
void *worker_run(void *arg);
/* Stops taking requests, lets running ones finish, then ends the loop. Threads: any. */
void worker_drain(struct worker *w);
/* After the thread was joined, or if it never started. */
void worker_close(struct worker *w);
/* Posted to the control loop when a worker's loop has ended; ctx: struct node. */
void node_worker_ended(void *ctx);

/* --- routes.c, infer.c, pass.c -----------------------------------------------------------------
 */

/* Entry of every request; ctx: struct worker. */
void node_on_request(struct exchange *x, const struct request *req, void *ctx);
/* POST /v1/chat/completions and /v1/completions, for a caller that may. */
void infer_begin(struct worker *w, struct exchange *x, const struct request *req,
                 enum openai_kind kind);
/* GET of the engine's own metrics, passed on. */
void pass_metrics(struct worker *w, struct exchange *x);

/* --- reply.c ------------------------------------------------------------------------------------
 */

/* One whole body; adds content-type and x-request-id, counts. extra may be NULL. */
void node_reply_body(struct worker *w, struct exchange *x, unsigned status,
                     const char *content_type, struct bytes body, const struct header *extra,
                     size_t extra_count);
void node_reply_json(struct worker *w, struct exchange *x, unsigned status, struct bytes body);
/* Errors of near.md 2.2; 429 and 503 carry retry-after. */
void node_reply_openai(struct worker *w, struct exchange *x, const struct openai_error *e);
void node_reply_fault(struct worker *w, struct exchange *x, enum openai_fault fault);
/* 400 with a message of ours. */
void node_reply_bad(struct worker *w, struct exchange *x, const char *message);
/* JSON body of what the server itself answers (struct server_opts.error_body). */
void node_reply_server_error(struct buf *out, unsigned status, const char *why);

#endif
