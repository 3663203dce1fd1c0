/* Node table, lease threads and the choice of a node. Invariant: a lease is read and written only
 * under its node's lock; counters are atomics. */
#include "gateway/nodes.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/lease.h"

enum {
    LEASE_RETRY_FIRST_MS = 500, /* after a failed verification, doubling */
    LEASE_RETRY_MAX_MS = 30000,
    SUSPECT_MIN_MS = 1000, /* between two verifications asked for by traffic */
};

struct node {
    struct nodes *all;
    size_t index;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_ending;
    bool is_suspect;
    struct lease lease;
    atomic_size_t outstanding;
    atomic_uint failures;
};

struct nodes {
    const struct gateway_conf *conf;
    struct store *store;
    struct lease_policy *policy;
    void (*changed)(void *ctx);
    void *ctx;
    size_t count;
    struct node list[];
};

/* --- lease threads ------------------------------------------------------------------------------
 */

static void lease_set(struct node *n, const struct lease *fresh)
{
    bool is_other;
    uint64_t serial;

    pthread_mutex_lock(&n->lock);
    is_other = n->lease.is_held != fresh->is_held ||
               !bytes_eq(BYTES_ARRAY(n->lease.spki), BYTES_ARRAY(fresh->spki));
    serial = n->lease.serial + (is_other ? 1 : 0);
    n->lease = *fresh;
    n->lease.serial = serial;
    pthread_mutex_unlock(&n->lock);
    if (!is_other)
        return;
    log_info("lease", L_NUM("node", n->index), L_NUM("held", fresh->is_held),
             L_NUM("simulated", fresh->is_simulated));
    n->all->changed(n->all->ctx);
}

/* A refusal ends the lease at once; what could not be evaluated lets it run out. */
static bool verify_once(struct node *n)
{
    struct nodes *all = n->all;
    struct lease fresh = {0};
    enum tacit_err err = lease_verify(&fresh, all->policy, &all->conf->nodes[n->index], all->store);

    if (err == TACIT_OK) {
        fresh.until_mono_ms = clock_mono_ms() + all->conf->lease_ms;
        atomic_store(&n->failures, 0);
        lease_set(n, &fresh);
        return true;
    }
    log_warn("lease_not_renewed", L_NUM("node", n->index), L_ERR("err", err));
    if (err == TACIT_UNTRUSTED || clock_mono_ms() >= nodes_lease(all, n->index).until_mono_ms)
        lease_set(n, &(struct lease){0});
    return false;
}

/* Sleeps until due or woken; true when the thread shall end. A pending suspicion cuts the sleep. */
static bool sleep_until_due(struct node *n, uint64_t wait_ms)
{
    struct timespec due;
    bool is_ending;

    clock_gettime(CLOCK_MONOTONIC, &due);
    due.tv_sec += (time_t)(wait_ms / 1000);
    due.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (due.tv_nsec >= 1000000000) {
        due.tv_sec++;
        due.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&n->lock);
    while (!n->is_ending && !n->is_suspect &&
           pthread_cond_timedwait(&n->wake, &n->lock, &due) != ETIMEDOUT)
        continue;
    n->is_suspect = false;
    is_ending = n->is_ending;
    pthread_mutex_unlock(&n->lock);
    return is_ending;
}

static void *node_run(void *arg)
{
    struct node *n = arg;
    uint64_t retry_ms = LEASE_RETRY_FIRST_MS;
    uint64_t wait_ms;

    for (;;) {
        uint64_t began_ms = clock_mono_ms();

        if (verify_once(n)) {
            retry_ms = LEASE_RETRY_FIRST_MS;
            wait_ms = n->all->conf->lease_ms / 2;
        } else {
            wait_ms = retry_ms;
            retry_ms = retry_ms * 2 < LEASE_RETRY_MAX_MS ? retry_ms * 2 : LEASE_RETRY_MAX_MS;
        }
        if (sleep_until_due(n, wait_ms))
            return NULL;
        /* Traffic may ask again and again: not more often than this. */
        while (clock_mono_ms() < began_ms + SUSPECT_MIN_MS)
            if (sleep_until_due(n, began_ms + SUSPECT_MIN_MS - clock_mono_ms() + 1))
                return NULL;
    }
}

static bool node_start(struct node *n)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&n->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&n->wake, &attr);
    pthread_condattr_destroy(&attr);
    n->has_thread = pthread_create(&n->thread, NULL, node_run, n) == 0;
    return n->has_thread;
}

static void node_end(struct node *n)
{
    pthread_mutex_lock(&n->lock);
    n->is_ending = true;
    pthread_cond_signal(&n->wake);
    pthread_mutex_unlock(&n->lock);
}

struct nodes *nodes_new(const struct gateway_conf *conf, struct store *store,
                        void (*changed)(void *ctx), void *ctx, char why[static 256])
{
    struct nodes *all = calloc(1, sizeof(*all) + conf->node_count * sizeof(all->list[0]));

    snprintf(why, 256, "out of memory or threads");
    if (all == NULL)
        return NULL;
    all->conf = conf;
    all->store = store;
    all->changed = changed;
    all->ctx = ctx;
    if (lease_policy_load(&all->policy, conf, why) != TACIT_OK) {
        nodes_free(all);
        return NULL;
    }
    for (size_t i = 0; i < conf->node_count; i++) {
        all->list[i].all = all;
        all->list[i].index = i;
        all->count++;
        if (!node_start(&all->list[i])) {
            nodes_free(all);
            return NULL;
        }
    }
    return all;
}

void nodes_free(struct nodes *n)
{
    if (n == NULL)
        return;
    for (size_t i = 0; i < n->count; i++)
        node_end(&n->list[i]);
    for (size_t i = 0; i < n->count; i++) {
        if (n->list[i].has_thread)
            pthread_join(n->list[i].thread, NULL);
        pthread_cond_destroy(&n->list[i].wake);
        pthread_mutex_destroy(&n->list[i].lock);
    }
    lease_policy_free(n->policy);
    free(n);
}

/* --- what workers ask ---------------------------------------------------------------------------
 */

size_t nodes_count(const struct nodes *n)
{
    return n->count;
}

const struct gateway_node_conf *nodes_conf(const struct nodes *n, size_t index)
{
    return &n->conf->nodes[index];
}

struct lease nodes_lease(struct nodes *n, size_t index)
{
    struct node *node = &n->list[index];
    struct lease lease;

    pthread_mutex_lock(&node->lock);
    lease = node->lease;
    pthread_mutex_unlock(&node->lock);
    if (lease.is_held && clock_mono_ms() >= lease.until_mono_ms)
        lease.is_held = false;
    return lease;
}

void nodes_suspect(struct nodes *n, size_t index)
{
    struct node *node = &n->list[index];

    pthread_mutex_lock(&node->lock);
    node->is_suspect = true;
    pthread_cond_signal(&node->wake);
    pthread_mutex_unlock(&node->lock);
}

size_t nodes_outstanding(const struct nodes *n, size_t index)
{
    return atomic_load(&n->list[index].outstanding);
}

void nodes_begin(struct nodes *n, size_t index)
{
    atomic_fetch_add(&n->list[index].outstanding, 1);
}

void nodes_end(struct nodes *n, size_t index)
{
    atomic_fetch_sub(&n->list[index].outstanding, 1);
}

void nodes_failed(struct nodes *n, size_t index)
{
    atomic_fetch_add(&n->list[index].failures, 1);
}

void nodes_worked(struct nodes *n, size_t index)
{
    atomic_store(&n->list[index].failures, 0);
}

/* A node that failed lately ranks behind every one that did not; then the least outstanding. */
static bool is_better(const struct nodes *n, size_t a, size_t b)
{
    unsigned fa = atomic_load(&n->list[a].failures) > 0;
    unsigned fb = atomic_load(&n->list[b].failures) > 0;

    if (fa != fb)
        return fa < fb;
    return nodes_outstanding(n, a) < nodes_outstanding(n, b);
}

size_t nodes_pick(struct nodes *n, struct bytes model, uint64_t tried, enum nodes_none *why_none)
{
    size_t best = SIZE_MAX;

    *why_none = NODES_UNKNOWN_MODEL;
    for (size_t i = 0; i < n->count; i++) {
        if (!bytes_eq_cstr(model, n->conf->nodes[i].model))
            continue;
        if (*why_none == NODES_UNKNOWN_MODEL)
            *why_none = NODES_NO_LEASE;
        if ((tried >> i & 1) != 0 || !nodes_lease(n, i).is_held)
            continue;
        *why_none = NODES_ALL_BUSY;
        if (nodes_outstanding(n, i) >= n->conf->max_outstanding)
            continue;
        if (best == SIZE_MAX || is_better(n, i, best))
            best = i;
    }
    return best;
}

bool nodes_knows(const struct nodes *n, struct bytes model)
{
    for (size_t i = 0; i < n->count; i++)
        if (bytes_eq_cstr(model, n->conf->nodes[i].model))
            return true;
    return false;
}
