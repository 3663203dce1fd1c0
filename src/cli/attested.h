/* A server whose attestation was asked for with a fresh nonce: the first connection believes nobody
 * and learns the TLS key, the report must bind that very key, and every later request insists on
 * it. */
#ifndef CLI_ATTESTED_H
#define CLI_ATTESTED_H

#include <tacit/report.h>

#include "base/buf.h"
#include "cli/trust.h"
#include "net/fetch.h"

enum { ATTESTED_URL_MAX = 1024, ATTESTED_HEADERS_MAX = 8 };

struct attested {
    const char *url;     /* as the user gave it: with or without "/v1", "https://…" */
    const char *api_key; /* NULL: none */
    const char *model;   /* NULL: none; then a gateway's report has no node part */
    const char *algo;    /* "ecdsa" or "ed25519" */
    bool is_direct;      /* a node, not a gateway */
    uint8_t nonce[32];
    uint8_t spki[32];
    struct buf report; /* the body, exactly */
    struct tacit_report_facts facts;
    char why[256]; /* a sentence when something could not be done */
};

/* Asks for the report and verifies it: rows go to `v`, facts into `a`.
 *
 * a         url, api_key, model, algo, is_direct are set by the caller, the rest zero
 *
 * Returns   TACIT_OK when the report was judged (see v); otherwise nothing was, and a->why says
 * why. Memory    attested_done in every case. */
MUST_CHECK enum tacit_err attested_open(struct attested *a, struct tacit_verdict *v,
                                        struct trust *trust);
void attested_done(struct attested *a);

/* One request over connections that show the attested TLS key only. path begins with "/v1/".
 * on_body as in fetch.h; NULL collects the body. fetch_reply_done in every case. */
MUST_CHECK enum tacit_err attested_fetch(struct fetch_reply *out, struct attested *a,
                                         const char *method, const char *path, struct bytes body,
                                         bool (*on_body)(struct bytes, unsigned, void *),
                                         void *ctx);

#endif
