/* The gateway's nodes and their leases. A node is used only while a verified lease holds: its
 * report was asked for with a fresh nonce, every required row passed, and the TLS key it binds is
 * the only one that connections may show. One thread per node verifies and renews; a refusal ends
 * the lease at once, an unreachable node when its lease runs out. Evidence and verdict are stored.
 */
#ifndef GATEWAY_NODES_H
#define GATEWAY_NODES_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "gateway/conf.h"
#include "store/store.h"

struct nodes;

struct lease {
    bool is_held;
    uint8_t spki[32]; /* the only TLS key to speak to */
    uint64_t until_mono_ms;
    uint64_t serial; /* changes with every change of the lease */
    bool is_simulated;
    char model[129];
};

/* Starts the threads. changed(ctx) is called, on any thread, whenever a lease changed. NULL and a
 * sentence in why when a root or collateral file cannot be read. conf and store must outlive it. */
struct nodes *nodes_new(const struct gateway_conf *conf, struct store *store,
                        void (*changed)(void *ctx), void *ctx, char why[static 256]);
/* Ends the threads (waits for a running verification, at most its time limits). Accepts NULL. */
void nodes_free(struct nodes *n);

size_t nodes_count(const struct nodes *n);
const struct gateway_node_conf *nodes_conf(const struct nodes *n, size_t index);
/* A copy of the lease as it is now; an expired one reads as not held. Threads: any. */
struct lease nodes_lease(struct nodes *n, size_t index);
/* Verify this node again now: its key was not the pinned one, or it stopped answering. */
void nodes_suspect(struct nodes *n, size_t index);

/* Requests under way at a node, over all workers. */
size_t nodes_outstanding(const struct nodes *n, size_t index);
void nodes_begin(struct nodes *n, size_t index);
void nodes_end(struct nodes *n, size_t index);
/* A hint for routing: failures in a row, reset by success. */
void nodes_failed(struct nodes *n, size_t index);
void nodes_worked(struct nodes *n, size_t index);

/* The node for a model with a lease, fewest failures first, then fewest outstanding, skipping bits
 * set in `tried` and nodes with max_outstanding requests. SIZE_MAX: none. *why_none tells apart. */
enum nodes_none { NODES_UNKNOWN_MODEL, NODES_NO_LEASE, NODES_ALL_BUSY };
size_t nodes_pick(struct nodes *n, struct bytes model, uint64_t tried, enum nodes_none *why_none);
/* Whether any configured node serves the model, leased or not. */
bool nodes_knows(const struct nodes *n, struct bytes model);

#endif
