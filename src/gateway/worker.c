/* A worker's connections to nodes: made for one lease, thrown away with it. */
#include "gateway/gateway_priv.h"

static void route_drop(struct route *r)
{
    struct upstream *old = r->upstream;

    *r = (struct route){0}; /* first: ending calls may look for another node */
    upstream_free(old);
}

static struct upstream *route_make(struct worker *w, size_t node, const struct lease *lease)
{
    const struct gateway_node_conf *conf = nodes_conf(w->gw->nodes, node);
    struct tls_client *tls = NULL;
    struct upstream_opts opts = {.addr = conf->parsed.addr};
    struct upstream *up;

    if (tls_client_new(&tls, TLS_TRUST_PIN, lease->spki) != TACIT_OK)
        return NULL;
    opts.tls = tls;
    up = upstream_new(w->loop, &opts);
    tls_client_unref(tls);
    return up;
}

struct upstream *worker_upstream(struct worker *w, size_t node)
{
    struct lease lease = nodes_lease(w->gw->nodes, node);
    struct route *r = &w->routes[node];

    if (r->upstream != NULL && (!lease.is_held || r->serial != lease.serial))
        route_drop(r);
    if (lease.is_held && r->upstream == NULL) {
        r->upstream = route_make(w, node, &lease);
        r->serial = lease.serial;
    }
    return r->upstream;
}

void worker_leases_changed(struct worker *w)
{
    for (size_t i = 0; i < nodes_count(w->gw->nodes); i++) {
        struct lease lease = nodes_lease(w->gw->nodes, i);
        struct route *r = &w->routes[i];

        if (r->upstream != NULL && (!lease.is_held || r->serial != lease.serial))
            route_drop(r);
    }
}

void worker_routes_done(struct worker *w)
{
    for (size_t i = 0; i < GATEWAY_NODES_MAX; i++)
        route_drop(&w->routes[i]);
}
