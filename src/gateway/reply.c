/* The shapes of replies that the gateway makes itself. */
#include <stdio.h>

#include "gateway/gateway_priv.h"

enum { REPLY_HEADERS_MAX = 12, ERROR_BODY_MAX = 4096 };

static struct header header_of(const char *name, const char *value)
{
    return (struct header){bytes_of(name), bytes_of(value)};
}

void reply_json(struct exchange *x, unsigned status, struct bytes body, const struct header *extra,
                size_t extra_count)
{
    struct header headers[REPLY_HEADERS_MAX];
    char id[REQUEST_ID_LEN + 1];
    size_t n = 0;

    request_id_text(id, exchange_request(x));
    headers[n++] = header_of("content-type", "application/json");
    headers[n++] = header_of("x-request-id", id);
    for (size_t i = 0; i < extra_count && n < REPLY_HEADERS_MAX; i++)
        headers[n++] = extra[i];
    exchange_reply(x, status, headers, n, body);
}

void reply_openai(struct exchange *x, const struct openai_error *e)
{
    uint8_t mem[ERROR_BODY_MAX];
    struct buf body = buf_over(mem, sizeof(mem));
    struct header extra[3];
    char seconds[16];
    size_t n = 0;

    openai_error_put(&body, e);
    if (e->is_permanent)
        extra[n++] = header_of("x-should-retry", "false");
    if (e->retry_after_s > 0) {
        snprintf(seconds, sizeof(seconds), "%u", e->retry_after_s);
        extra[n++] = header_of("retry-after", seconds);
    }
    if (e->status == 401)
        extra[n++] = header_of("www-authenticate", "Bearer");
    reply_json(x, e->status, buf_bytes(&body), extra, n);
}

void reply_fault(struct exchange *x, enum openai_fault fault)
{
    struct openai_error e;

    openai_error_make(&e, OPENAI_GATEWAY, fault, BYTES_LIT(""));
    reply_openai(x, &e);
}

void reply_error(struct exchange *x, unsigned status, const char *type, const char *message,
                 const char *param)
{
    struct openai_error e = {.status = status, .is_permanent = status < 429};

    e.retry_after_s = status == 429 || status == 503 ? 2 : 0;
    snprintf(e.type, sizeof(e.type), "%s", type);
    snprintf(e.message, sizeof(e.message), "%s", message);
    snprintf(e.param, sizeof(e.param), "%s", param == NULL ? "" : param);
    reply_openai(x, &e);
}

void reply_drop_body(struct exchange *x, struct bytes chunk, void *ctx)
{
    UNUSED(x);
    UNUSED(chunk);
    UNUSED(ctx);
}

void reply_drop_end(struct exchange *x, void *ctx)
{
    UNUSED(x);
    UNUSED(ctx);
}
