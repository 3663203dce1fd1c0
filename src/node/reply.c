/* The shapes of replies that the node makes itself, and the reading of queries and request ids. */
#include <stdio.h>

#include "node/node_priv.h"

enum { REPLY_HEADERS_MAX = 8, ERROR_BODY_MAX = 4096 };

void node_reply_body(struct worker *w, struct exchange *x, unsigned status,
                     const char *content_type, struct bytes body, const struct header *extra,
                     size_t extra_count)
{
    struct header headers[REPLY_HEADERS_MAX];
    char id[REQUEST_ID_LEN + 1];
    size_t n = 0;

    request_id_text(id, exchange_request(x));
    headers[n++] = (struct header){BYTES_LIT("content-type"), bytes_of(content_type)};
    headers[n++] = (struct header){BYTES_LIT("x-request-id"), bytes_of(id)};
    for (size_t i = 0; i < extra_count && n < REPLY_HEADERS_MAX; i++)
        headers[n++] = extra[i];
    if (status >= 100 && status < 600)
        atomic_fetch_add(&w->node->metrics.replies[status / 100], 1);
    exchange_reply(x, status, headers, n, body);
}

void node_reply_json(struct worker *w, struct exchange *x, unsigned status, struct bytes body)
{
    node_reply_body(w, x, status, "application/json", body, NULL, 0);
}

void node_reply_openai(struct worker *w, struct exchange *x, const struct openai_error *e)
{
    uint8_t mem[ERROR_BODY_MAX];
    struct buf body = buf_over(mem, sizeof(mem));
    struct header extra[3];
    char seconds[16];
    size_t n = 0;

    openai_error_put(&body, e);
    if (e->is_permanent)
        extra[n++] = (struct header){BYTES_LIT("x-should-retry"), BYTES_LIT("false")};
    if (e->retry_after_s > 0) {
        (void)snprintf(seconds, sizeof(seconds), "%u", e->retry_after_s);
        extra[n++] = (struct header){BYTES_LIT("retry-after"), bytes_of(seconds)};
    }
    if (e->status == 401)
        extra[n++] = (struct header){BYTES_LIT("www-authenticate"), BYTES_LIT("Bearer")};
    node_reply_body(w, x, e->status, "application/json", buf_bytes(&body), extra, n);
}

void node_reply_fault(struct worker *w, struct exchange *x, enum openai_fault fault)
{
    struct openai_error e;

    openai_error_make(&e, OPENAI_NODE, fault, BYTES_LIT(""));
    node_reply_openai(w, x, &e);
}

void node_reply_bad(struct worker *w, struct exchange *x, const char *message)
{
    struct openai_error e;

    openai_error_say(&e, OPENAI_NODE, FAULT_BAD_REQUEST, NULL, "%s", message);
    node_reply_openai(w, x, &e);
}

void node_reply_server_error(struct buf *out, unsigned status, const char *why)
{
    struct openai_error e;
    char limit[24];

    (void)snprintf(limit, sizeof(limit), "%u", (unsigned)LIMIT_BODY_BYTES);
    if (status == 413)
        openai_error_make(&e, OPENAI_NODE, FAULT_TOO_LARGE, bytes_of(limit));
    else if (status >= 500 && status != 501 && status != 505)
        openai_error_make(&e, OPENAI_NODE, FAULT_INTERNAL, BYTES_LIT(""));
    else
        openai_error_say(&e, OPENAI_NODE, FAULT_BAD_REQUEST, NULL, "%s", why);
    openai_error_put(out, &e);
}
