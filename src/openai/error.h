/* OpenAI-shaped errors of gateway and node: one table of what each side may say (near.md 1.2, 2.2),
 * their JSON bodies and stream events, and what may pass of an engine's own error. Invariant:
 * messages hold no prompt, completion or key; an engine's text passes only sanitised. */
#ifndef OPENAI_ERROR_H
#define OPENAI_ERROR_H

#include "base/buf.h"

enum { OPENAI_MESSAGE_MAX = 512, OPENAI_TYPE_MAX = 64, OPENAI_PARAM_MAX = 64 };

/* Which of the two dialects: the node's `param` and `code` are always null (near.md 2.2). */
enum openai_side { OPENAI_GATEWAY, OPENAI_NODE };

struct openai_error {
    unsigned status;              /* HTTP; 0 means no error */
    unsigned retry_after_s;       /* Retry-After to send, 0: none (every 429 and 503 has one) */
    bool is_permanent;            /* send "x-should-retry: false" (near.md 1.1) */
    char type[OPENAI_TYPE_MAX];   /* never empty when status is set */
    char param[OPENAI_PARAM_MAX]; /* empty: null */
    char code[OPENAI_TYPE_MAX];   /* empty: null */
    char message[OPENAI_MESSAGE_MAX];
};

/* What can go wrong, by name. openai_error_make gives status, type and message of the side. */
enum openai_fault {
    FAULT_BAD_REQUEST,     /* 400; give the message with openai_error_say */
    FAULT_MODEL_UNKNOWN,   /* 400 param model; detail = the name */
    FAULT_AUTH_MISSING,    /* 401 */
    FAULT_AUTH_MALFORMED,  /* 401 */
    FAULT_AUTH_INVALID,    /* 401 */
    FAULT_NO_CREDIT,       /* 402 */
    FAULT_FORBIDDEN,       /* 403 */
    FAULT_NO_ROUTE,        /* 404 unknown path */
    FAULT_NOT_FOUND,       /* 404 unknown object */
    FAULT_METHOD,          /* 405 */
    FAULT_TOO_LARGE,       /* 413; detail = the limit in octets */
    FAULT_RATE_LIMIT,      /* 429 of the caller */
    FAULT_OVERLOADED,      /* 429 of the service */
    FAULT_INTERNAL,        /* 500 */
    FAULT_NOT_IMPLEMENTED, /* 501; detail = "METHOD path" */
    FAULT_BAD_GATEWAY,     /* 502 upstream failed */
    FAULT_UNAVAILABLE,     /* 503 no engine or node is ready */
    FAULT_TIMEOUT,         /* 504 */
};

/* Fill `out` from the table. `detail` is put into those messages that have a place for it, after
 * replacing what is not printable ASCII by '?'; empty otherwise.
 *
 * Threads   pure, any thread. Spec: near.md 1.2, 2.2 */
void openai_error_make(struct openai_error *out, enum openai_side side, enum openai_fault fault,
                       struct bytes detail);
/* The same with a message of one's own (and, for the gateway, the parameter it is about; NULL:
 * none). The format's arguments must not come from prompts or completions. */
void openai_error_say(struct openai_error *out, enum openai_side side, enum openai_fault fault,
                      const char *param, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* Append {"error":{"message","type","param","code"}}. */
void openai_error_put(struct buf *out, const struct openai_error *e);
/* Append the frame that ends a broken stream: data: {"error":{"message","type"}} and a blank line
 * (near.md 1.3.1). */
void openai_error_put_event(struct buf *out, const struct openai_error *e);

/* What the node says of an engine's error reply: the engine's type, and its message with every
 * line removed or cut that may echo a prompt; flat and nested shapes are read. A body that is no
 * such JSON gives "Upstream request failed with status N" and upstream_error.
 *
 * status    the engine's HTTP status; what is no 4xx or 5xx, and 401, 403, 407 (the node's own
 *           trouble with its engine), become 502 with the general message
 * body      untrusted bytes of the engine
 *
 * Threads   pure, any thread. Spec: near.md 2.2 */
void openai_error_of_engine(struct openai_error *out, unsigned status, struct bytes body);

#endif
