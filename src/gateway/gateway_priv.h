/* What the gateway's files share: the process-wide state, one worker per thread, and the replies
 * that every route makes. Everything in `struct gateway` is immutable after start or locks inside.
 */
#ifndef GATEWAY_GATEWAY_PRIV_H
#define GATEWAY_GATEWAY_PRIV_H

#include <stdatomic.h>

#include "gateway/conf.h"
#include "gateway/keys.h"
#include "gateway/nodes.h"
#include "http/query.h"
#include "net/client.h"
#include "net/request_id.h"
#include "net/server.h"
#include "openai/error.h"
#include "store/writer.h"
#include "tee/identity.h"

/* Counters for /metrics; never labels from clients. */
struct gateway_counters {
    atomic_ullong requests, requests_refused, upstream_errors, retries;
    atomic_ullong streams_broken, clients_gone, tokens_in, tokens_out, reports;
};

struct worker;

struct gateway {
    const struct gateway_conf *conf;
    struct store *store;
    struct writer *writer;
    struct keys *keys;
    struct nodes *nodes;
    struct tee *tee;
    struct identity *identity;
    struct tls_server *tls;
    struct gateway_counters counters;
    atomic_uint reports_running; /* quotes under way: each costs the platform's quoting enclave */
    int64_t started_unix_s;
    struct worker *workers;
    size_t worker_count;
};

/* A worker's connections to one node, valid for one lease. */
struct route {
    struct upstream *upstream;
    uint64_t serial;
};

struct worker {
    struct gateway *gw;
    size_t index;
    struct loop *loop;
    struct server *server;
    struct route routes[GATEWAY_NODES_MAX];
};

/* Connections to this node under its present lease, or NULL if it holds none. */
struct upstream *worker_upstream(struct worker *w, size_t node);
/* Drops connections whose lease is gone or changed; running calls end with TACIT_CLOSED. */
void worker_leases_changed(struct worker *w);
void worker_routes_done(struct worker *w);

/* Entry of every public request. ctx: struct worker. */
void gateway_on_request(struct exchange *x, const struct request *req, void *ctx);
/* Entry of the admin listener: GET /metrics. ctx: struct gateway. */
void gateway_on_admin(struct exchange *x, const struct request *req, void *ctx);

/* POST /v1/chat/completions and /v1/completions. The exchange has not been listened to yet. */
void relay_begin(struct worker *w, struct exchange *x, const struct store_key *key, bool is_chat);
/* GET /v1/attestation/report. */
void report_begin(struct worker *w, struct exchange *x, const struct request *req);
/* GET /v1/signature/{id}; id is what follows the last slash. */
void signature_begin(struct worker *w, struct exchange *x, struct bytes id, struct bytes query);

/* --- replies ------------------------------------------------------------------------------------
 */

/* One JSON body; adds content-type, x-request-id. extra: further headers, may be NULL. */
void reply_json(struct exchange *x, unsigned status, struct bytes body, const struct header *extra,
                size_t extra_count);
/* An error of near.md 1.2. param may be NULL. Permanent client errors carry x-should-retry: false,
 * 429 and 503 carry retry-after. Texts are ours, never the client's. */
void reply_error(struct exchange *x, unsigned status, const char *type, const char *message,
                 const char *param);
/* The same from the table of errors, and from an error already made. */
void reply_fault(struct exchange *x, enum openai_fault fault);
void reply_openai(struct exchange *x, const struct openai_error *e);
/* For routes that take no body: what arrives all the same is passed over. */
void reply_drop_body(struct exchange *x, struct bytes chunk, void *ctx);
void reply_drop_end(struct exchange *x, void *ctx);

#endif
