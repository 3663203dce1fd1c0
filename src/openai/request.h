/* What gateway and node need to know of a chat or completion request, read in place from the exact
 * body bytes. Invariant: the body is never rebuilt; what is hashed and forwarded is what came. */
#ifndef OPENAI_REQUEST_H
#define OPENAI_REQUEST_H

#include "codec/jscan.h"
#include "openai/error.h"

enum {
    OPENAI_MODEL_MAX = 200, /* octets of a model name */
    OPENAI_CHOICES_MAX = 16,
    OPENAI_TOKENS_MAX = 100 * 1000 * 1000, /* any limit above is a mistake */
};

enum openai_kind { OPENAI_CHAT, OPENAI_COMPLETION };

struct openai_request {
    enum openai_kind kind;
    char model[OPENAI_MODEL_MAX + 1]; /* unescaped, printable, NUL-terminated */
    bool is_stream;
    bool wants_usage;            /* stream_options.include_usage */
    bool wants_continuous_usage; /* stream_options.continuous_usage_stats */
    uint64_t max_tokens;         /* max_completion_tokens, else max_tokens; 0: not given */
    uint64_t choices;            /* n, 1 if not given */
    size_t message_count;        /* chat: at least 1; completion: 0 */
    size_t unknown_fields;       /* members that are neither on the allow list nor refused */
    struct jval root;            /* the body, borrowed: for openai/rewrite.h */
};

/* Read and check a body.
 *
 * out       zeroed on failure; root borrows from body
 * error     on failure what to answer, in the words of `side`
 * body      untrusted; at most LIMIT_BODY_BYTES (more gives 413)
 *
 * Refuses, naming the field: what is no JSON object, a missing or malformed model, no messages (or
 * prompt), non-positive or silly limits, wrong types of the fields above, and every field that
 * reaches into an engine (openai_field_class says REFUSED). The gateway also refuses what
 * near.md 1.3 lists for completions.
 *
 * Returns   TACIT_OK; TACIT_FORMAT or TACIT_LIMIT with `error` set.
 * Memory    allocates nothing. Threads: pure, any thread. Spec: near.md 1.2, 1.3, 2.2, 2.3 */
MUST_CHECK enum tacit_err openai_request_read(struct openai_request *out,
                                              struct openai_error *error, struct bytes body,
                                              enum openai_kind kind, enum openai_side side);

/* Of a top-level field name (unescaped): OpenAI's and the engines' sampling fields are ALLOWED;
 * those that steer engine internals, other tenants' caches or the template are REFUSED (engine.md
 * 8); OWNED ones are set by the node itself, a client's value never arrives; the rest is UNKNOWN
 * and not forwarded to an engine. */
enum openai_field {
    OPENAI_FIELD_UNKNOWN,
    OPENAI_FIELD_ALLOWED,
    OPENAI_FIELD_OWNED,
    OPENAI_FIELD_REFUSED
};
enum openai_field openai_field_class(struct bytes name);

#endif
