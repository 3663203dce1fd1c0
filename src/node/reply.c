/* The shapes of replies that the node makes itself, and the reading of queries and request ids. */
#include <stdio.h>

#include "crypto/uuid.h"
#include "node/node_priv.h"

enum { REPLY_HEADERS_MAX = 8, ERROR_BODY_MAX = 4096 };

void node_request_id_text(char out[static REQUEST_ID_LEN + 1], const struct request *req)
{
    struct bytes given = request_header(req, "x-request-id");

    if (given.ptr != NULL && uuid_is_text(given))
        (void)snprintf(out, REQUEST_ID_LEN + 1, "%.*s", BYTES_FMT(given));
    else
        uuid4_from(out, req->id.bytes);
}

void node_reply_body(struct worker *w, struct exchange *x, unsigned status,
                     const char *content_type, struct bytes body, const struct header *extra,
                     size_t extra_count)
{
    struct header headers[REPLY_HEADERS_MAX];
    char id[REQUEST_ID_LEN + 1];
    size_t n = 0;

    node_request_id_text(id, exchange_request(x));
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

bool node_query_get(char *out, size_t cap, bool *is_bad, struct bytes query, const char *name)
{
    bool is_found = false;

    out[0] = 0;
    while (query.len > 0) {
        size_t end = bytes_find_byte(query, '&');
        struct bytes pair = bytes_slice(query, 0, end);
        size_t eq = bytes_find_byte(pair, '=');
        struct bytes value =
            eq == SIZE_MAX ? (struct bytes){0} : bytes_slice(pair, eq + 1, SIZE_MAX);

        if (bytes_eq_cstr(bytes_slice(pair, 0, eq), name)) {
            if (is_found || !percent_decode(out, cap, value))
                *is_bad = true;
            is_found = true;
        }
        query = end == SIZE_MAX ? (struct bytes){0} : bytes_slice(query, end + 1, SIZE_MAX);
    }
    return is_found;
}
