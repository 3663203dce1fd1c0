/* Blocking HTTP(S) for threads that may block and for the command line, by libcurl. */
#ifndef NET_FETCH_H
#define NET_FETCH_H

#include "base/buf.h"

enum fetch_trust {
    FETCH_TRUST_SYSTEM, /* system CAs and host name */
    FETCH_TRUST_ANY,    /* believe nobody, tell the SPKI: the caller attests it afterwards */
    FETCH_TRUST_PIN,    /* the peer's SPKI SHA-256 must be `pin` */
};

struct fetch_request {
    const char *method;         /* "GET" or "POST" */
    const char *url;            /* http, https; unix socket by unix_path */
    const char *unix_path;      /* NULL: TCP */
    const char *const *headers; /* "name: value", NULL-terminated; may be NULL */
    struct bytes body;
    enum fetch_trust trust;
    uint8_t pin[32];
    uint64_t connect_timeout_ms; /* 0 = 10 s */
    uint64_t total_timeout_ms;   /* 0 = 60 s */
    uint64_t stall_timeout_ms;   /* no byte for this long; 0 = 30 s */
    size_t body_limit;           /* of the reply */
    const char *proxy;           /* NULL: none; the environment is not consulted */
    /* If set, body bytes go here as they arrive instead of into fetch_reply.body; returning false
     * ends the transfer with TACIT_CLOSED. */
    bool (*on_body)(struct bytes chunk, unsigned status, void *ctx);
    void *ctx;
};

struct fetch_reply {
    unsigned status;
    struct buf head; /* raw header lines */
    struct buf body;
    bool has_spki;
    uint8_t spki[32]; /* SHA-256 of the peer's SubjectPublicKeyInfo, when TLS */
    char why[256];    /* a sentence when the fetch failed */
};

/* One request, no redirects followed, TLS 1.3 only unless trust is SYSTEM (then 1.2 is allowed).
 * TACIT_IO, TACIT_TIMEOUT, TACIT_LIMIT, TACIT_MISMATCH (pin), TACIT_UNTRUSTED (system CAs),
 * TACIT_CLOSED (on_body said so), TACIT_USAGE. HTTP errors are replies, not errors. Threads: any,
 * each call its own. Call fetch_reply_done in every case. */
MUST_CHECK enum tacit_err fetch(struct fetch_reply *out, const struct fetch_request *req);
/* Header value by name, case-insensitive, trimmed; ptr NULL if absent. */
struct bytes fetch_header(const struct fetch_reply *r, const char *name);
void fetch_reply_done(struct fetch_reply *r);

#endif
