/* The node's configuration: one file, measured as a whole (its digest is the event
 * "tacit-config"), hence without secrets: tokens stand in files or as digests.
 * docs/man/tacit-node.1 describes every key. */
#ifndef NODE_CONF_H
#define NODE_CONF_H

#include "codec/conf.h"
#include "net/addr.h"
#include "tee/gpu.h"
#include "tee/tee.h"

enum {
    NODE_WORKERS_MAX = 64,
    NODE_TOKENS_MAX = 32,
    NODE_TOKEN_LEN_MAX = 512,
    NODE_WHY_MAX = CONF_MESSAGE_MAX,
};

enum node_engine_kind { NODE_ENGINE_LLAMA_SERVER, NODE_ENGINE_EXTERNAL };
enum node_engine_dialect { NODE_DIALECT_OPENAI, NODE_DIALECT_LLAMA_SERVER };

struct node_conf {
    struct conf *file; /* owns the strings below */
    uint8_t digest[32];

    struct net_addr listen;
    bool has_tls;
    const char *host;  /* in the TLS certificate */
    const char *model; /* canonical id: asked for, shown and signed */
    size_t workers;
    size_t max_connections;
    unsigned max_outstanding; /* requests admitted at a time, all workers together */
    uint64_t grace_ms;

    enum node_engine_kind engine_kind;
    enum node_engine_dialect dialect;
    const char *engine_model; /* the model's name at the engine */
    const char *binary, *model_file, *run_dir;
    unsigned threads, parallel, context_tokens;
    bool has_prompt_cache;
    uint64_t start_timeout_ms;
    struct net_url engine_url; /* external */
    bool has_cache_salt;
    uint64_t first_byte_timeout_ms, between_timeout_ms, total_timeout_ms;

    struct tee_opts tee;
    bool needs_events; /* refuse to start where digests cannot be measured */
    struct gpus_opts gpu;

    uint8_t token_digests[NODE_TOKENS_MAX][32];
    size_t token_count;
};

/* Reads the file and the token files it names.
 *
 * why       on failure a sentence for the operator, naming file and line where there is one
 *
 * Returns   TACIT_OK; TACIT_CONFIG, TACIT_NOT_FOUND, TACIT_IO, TACIT_LIMIT, TACIT_NOMEM.
 * Memory    to be released with node_conf_done, also after a failure. */
MUST_CHECK enum tacit_err node_conf_load(struct node_conf *out, char why[static NODE_WHY_MAX],
                                         const char *path);
/* Accepts zeros. */
void node_conf_done(struct node_conf *c);
/* Whether `token` is one of the configured ones. Constant time in its content. Pure. */
bool node_conf_has_token(const struct node_conf *c, struct bytes token);

#endif
