/* One inference: a client's exchange on one side, a call to the engine on the other, both on one
 * worker's loop. It lives until both are over. */
#ifndef NODE_INFER_PRIV_H
#define NODE_INFER_PRIV_H

#include "crypto/sha2.h"
#include "node/node_priv.h"
#include "openai/assemble.h"
#include "openai/rewrite.h"
#include "openai/sse.h"

enum infer_state {
    INFER_BODY,    /* the request's body is coming in */
    INFER_ASKED,   /* the engine has it; no head yet */
    INFER_STREAM,  /* events are passed on as they come */
    INFER_WHOLE,   /* events are gathered into one reply */
    INFER_PLAIN,   /* the engine answered one JSON document */
    INFER_REFUSED, /* the engine answered an error: its body is gathered */
    INFER_ENDED,   /* the client has its answer, or never will */
};

struct infer {
    struct worker *worker;
    struct exchange *x; /* NULL: closed */
    struct call *call;  /* NULL: over */
    enum infer_state state;
    enum openai_kind kind;
    char request_id[REQUEST_ID_LEN + 1];
    struct log_id log_id;
    bool is_admitted; /* counted in node.outstanding */
    bool is_head_sent;

    struct buf body; /* the exact bytes received */
    struct sha256 request_hash;
    uint8_t request_sha256[SHA256_LEN];
    struct openai_request request; /* root is valid while body is */

    struct sse sse;
    struct chunk_opts chunk_opts;
    struct chunk_stream stream;
    struct assembly *assembly;
    unsigned engine_status;
    struct buf engine_body; /* of PLAIN and REFUSED */
    struct buf out;         /* frames on their way */
    struct sha256 response_hash;
    struct openai_usage usage;

    uint64_t start_ms, first_ms; /* monotonic; first_ms 0: nothing yet */
};

extern const struct call_events infer_call_events;

/* The answer is an error: a whole reply before the head has left, an event and the end of the
 * stream afterwards. Never signed. */
void infer_fail(struct infer *f, const struct openai_error *e);
void infer_fault(struct infer *f, enum openai_fault fault);
/* The exchange needs nothing more from us: counts, gives the place back. */
void infer_ended(struct infer *f);
/* Frees what is over on both sides. */
void infer_release(struct infer *f);
/* Signs both hashes with both keys and makes the signature available under this id. */
MUST_CHECK enum tacit_err infer_sign(struct infer *f, const char *id,
                                     const struct openai_usage *usage);

#endif
