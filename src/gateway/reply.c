/* The shapes of replies that the gateway makes itself, and reading of queries and request ids. */
#include <stdio.h>

#include "crypto/uuid.h"
#include "gateway/gateway_priv.h"

enum { REPLY_HEADERS_MAX = 12, ERROR_BODY_MAX = 4096 };

void request_id_text(char out[static REQUEST_ID_LEN + 1], const struct request *req)
{
    struct bytes given = request_header(req, "x-request-id");

    if (given.ptr != NULL && uuid_is_text(given))
        snprintf(out, REQUEST_ID_LEN + 1, "%.*s", BYTES_FMT(given));
    else
        uuid4_from(out, req->id.bytes);
}

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

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool percent_decode(char *out, size_t cap, struct bytes in)
{
    size_t n = 0;

    for (size_t i = 0; i < in.len; i++) {
        int c = in.ptr[i];

        if (c == '%') {
            int high = i + 2 < in.len ? hex_digit(in.ptr[i + 1]) : -1;
            int low = i + 2 < in.len ? hex_digit(in.ptr[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = high * 16 + low;
            i += 2;
        }
        if (c == 0 || n + 1 >= cap)
            return false;
        out[n++] = (char)c;
    }
    out[n] = 0;
    return true;
}

bool query_get(char *out, size_t cap, bool *is_bad, struct bytes query, const char *name)
{
    bool is_found = false;

    out[0] = 0;
    while (query.len > 0) {
        size_t end = bytes_find_byte(query, '&');
        struct bytes pair = bytes_slice(query, 0, end);
        size_t eq = bytes_find_byte(pair, '=');
        struct bytes value =
            eq == SIZE_MAX ? bytes_slice(pair, pair.len, 0) : bytes_slice(pair, eq + 1, SIZE_MAX);

        if (bytes_eq_cstr(bytes_slice(pair, 0, eq), name)) {
            if (is_found || !percent_decode(out, cap, value))
                *is_bad = true;
            is_found = true;
        }
        query = end == SIZE_MAX ? bytes_slice(query, 0, 0) : bytes_slice(query, end + 1, SIZE_MAX);
    }
    return is_found;
}
