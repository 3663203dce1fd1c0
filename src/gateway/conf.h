/* Configuration of the gateway: one file, closed schema, measured. Secrets stay out of it: tokens
 * are read from files it names. */
#ifndef GATEWAY_CONF_H
#define GATEWAY_CONF_H

#include "codec/conf.h"
#include "net/addr.h"
#include "tee/tee.h"

enum { GATEWAY_NODES_MAX = 64, GATEWAY_WORKERS_MAX = 64, GATEWAY_TOKEN_MAX = 256 };

enum gateway_gpu_demand { GATEWAY_GPU_IF_PRESENT = 0, GATEWAY_GPU_REQUIRED = 1 };

struct gateway_node_conf {
    const char *name;                  /* of the section, [A-Za-z0-9._-] */
    const char *url;                   /* as written, without trailing slash */
    struct net_url parsed;             /* always TLS */
    const char *model;                 /* public model id it must serve */
    char token[GATEWAY_TOKEN_MAX + 1]; /* from token_file; erased with the conf */
};

struct gateway_conf {
    struct conf *file; /* owns every string below */
    struct net_addr listen;
    struct net_addr admin; /* metrics, plain HTTP; loopback or unix only */
    bool has_admin;
    const char *host;
    const char *state; /* folder */
    unsigned workers;
    size_t max_connections;
    size_t max_outstanding; /* per node; more is 429 */
    uint64_t grace_ms;
    uint64_t lease_ms; /* how long a verified lease holds, renewed at half */
    struct tee_opts tee;
    const char *root;       /* PEM or DER file of the trusted root; NULL: Intel's */
    const char *collateral; /* compact JSON file; NULL: from the PCCS */
    const char *pccs;       /* URL; NULL: Intel's PCS */
    enum gateway_gpu_demand gpu_demand;
    const char *gpu_root;     /* device root of a simulator, PEM file; NULL: NVIDIA's */
    const char *gpu_rim_root; /* RIM root likewise */
    const char *gpu_rims;     /* folder of RIM files; NULL: none */
    const char *gpu_rim_url;  /* RIM service; NULL: none is asked */
    const char *gpu_ocsp_url; /* responder; NULL: none is asked */
    const char *gpu_policy;   /* JSON file; NULL: the default policy */
    size_t node_count;
    struct gateway_node_conf nodes[GATEWAY_NODES_MAX];
};

/* Reads and checks a file. why: one sentence naming file, line and what was wrong. The result is
 * large: heap. Release with gateway_conf_free. */
MUST_CHECK enum tacit_err gateway_conf_load(struct gateway_conf **out, const char *path,
                                            char why[static CONF_MESSAGE_MAX]);
/* Erases and releases; accepts NULL. */
void gateway_conf_free(struct gateway_conf *conf);

#endif
