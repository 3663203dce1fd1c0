/* GET /v1/attestation/report: quote, event log and GPU evidence, bound to the signing keys, the TLS
 * key and the caller's nonce (near.md 3). Reports without a nonce are kept for 300 seconds; those
 * with one are always made anew, a few at a time. Shared by all workers; locks inside. */
#ifndef NODE_REPORT_H
#define NODE_REPORT_H

#include "node/node_priv.h"

enum {
    REPORT_TTL_MS = 300 * 1000,
    REPORTS_RUNNING_MAX = 8, /* each costs the platform's quoting enclave tens of milliseconds */
};

/* NULL when out of memory. The node's tee, gpus and identity must stay until reports_free. */
struct reports *reports_new(struct node *n);
void reports_free(struct reports *r);

/* What a caller asks for. */
struct report_query {
    enum near_algo algo;
    bool with_tls;
    bool has_nonce;
    uint8_t nonce[32];
};

/* Reads the query string; on failure *error is what to answer. Pure but for the node's identity. */
MUST_CHECK enum tacit_err report_query_read(struct report_query *out, struct openai_error *error,
                                            struct bytes query, const struct identity *identity);
/* Serves the route. */
void node_report_begin(struct worker *w, struct exchange *x, const struct request *req);
/* The report's text. Blocks. why: for the operator's log only, a literal. */
MUST_CHECK enum tacit_err report_make(struct buf *out, struct node *n,
                                      const struct report_query *query);

#endif
