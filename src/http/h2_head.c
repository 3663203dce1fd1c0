/* One HTTP/2 request head: fields in, a checked head out (RFC 9113 8.3.1). nghttp2 has checked
 * their order and form; here the values are held to the same rules as under HTTP/1.1. */
#include <stdlib.h>

#include "http/h2_priv.h"

struct h2_fields *h2_fields_new(void)
{
    struct h2_fields *f = calloc(1, sizeof(*f));

    if (f != NULL)
        f->text = buf_make(LIMIT_HEAD_BYTES);
    return f;
}

void h2_fields_free(struct h2_fields *f)
{
    if (f == NULL)
        return;
    buf_done(&f->text);
    free(f);
}

void h2_fields_add(struct h2_fields *f, struct bytes name, struct bytes value)
{
    size_t at = f->text.len;

    if (f->is_too_large)
        return;
    buf_put(&f->text, name);
    buf_put(&f->text, value);
    f->is_too_large = f->text.failed || f->count == ARRAY_LEN(f->list);
    if (!f->is_too_large)
        f->list[f->count++] = (struct h2_field){at, name.len, value.len};
}

struct pseudo {
    struct bytes method, path, authority, scheme, length, expect;
    size_t lengths;
};

static void refuse(struct h2_head *head, unsigned status, const char *why)
{
    *head = (struct h2_head){.no = {status, why}, .has_body = head->has_body};
}

/* Pseudo-headers to their places, the others to the list. */
static void fields_sort(struct pseudo *p, struct header *headers, size_t *count,
                        const struct h2_fields *f)
{
    struct bytes text = buf_bytes(&f->text);

    for (size_t i = 0; i < f->count; i++) {
        const struct h2_field *field = &f->list[i];
        struct bytes name = bytes_slice(text, field->name_at, field->name_len);
        struct bytes value = bytes_slice(text, field->name_at + field->name_len, field->value_len);

        if (bytes_eq_cstr(name, ":method")) {
            p->method = value;
        } else if (bytes_eq_cstr(name, ":path")) {
            p->path = value;
        } else if (bytes_eq_cstr(name, ":authority")) {
            p->authority = value;
        } else if (bytes_eq_cstr(name, ":scheme")) {
            p->scheme = value;
        } else {
            headers[(*count)++] = (struct header){name, value};
            if (bytes_eq_cstr(name, "content-length")) {
                p->length = value;
                p->lengths++;
            }
            if (bytes_eq_cstr(name, "expect"))
                p->expect = value;
        }
    }
}

/* :authority stands for Host; given both, they must agree. */
static bool host_settle(struct header *headers, size_t *count, struct bytes authority)
{
    struct bytes host = {0};
    size_t hosts = 0;

    for (size_t i = 0; i < *count; i++)
        if (bytes_eq_cstr(headers[i].name, "host")) {
            host = headers[i].value;
            hosts++;
        }
    if (hosts == 0) {
        host = authority;
        headers[(*count)++] = (struct header){BYTES_LIT("host"), authority};
    }
    return hosts <= 1 && http_is_authority(host) &&
           (authority.ptr == NULL || bytes_eq_nocase(host, authority));
}

static bool are_values_fine(const struct header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!http_is_lower_token(headers[i].name) || !http_is_field_value(headers[i].value))
            return false;
    return true;
}

static bool length_read(struct h2_head *head, const struct pseudo *p)
{
    uint64_t length = 0;

    head->content_length = -1;
    if (p->lengths == 0)
        return true;
    if (p->lengths > 1 || !bytes_to_u64(&length, p->length, INT64_MAX))
        return false;
    head->content_length = (int64_t)length;
    return head->has_body || length == 0;
}

void h2_fields_head(struct h2_head *head, struct header *headers, const struct h2_fields *f,
                    bool has_body)
{
    struct pseudo p = {0};
    size_t mark;

    *head = (struct h2_head){.has_body = has_body, .headers = headers};
    if (f->is_too_large) {
        refuse(head, 431, "The header fields are too large or too many.");
        return;
    }
    fields_sort(&p, headers, &head->count, f);
    if (bytes_eq_cstr(p.method, "CONNECT"))
        refuse(head, 501, "CONNECT is not served.");
    else if (p.path.len > LIMIT_TARGET_BYTES)
        refuse(head, 414, "The request target is too long.");
    else if (head->count > LIMIT_HEADERS)
        refuse(head, 431, "There are too many header fields.");
    else if (!http_is_token(p.method) || !http_is_origin_form(p.path))
        refuse(head, 400, "The request target is not a valid path.");
    else if (!host_settle(headers, &head->count, p.authority))
        refuse(head, 400, "There must be exactly one Host, and a valid one.");
    else if (!are_values_fine(headers, head->count))
        refuse(head, 400, "A header field holds a forbidden character.");
    else if (!length_read(head, &p))
        refuse(head, 400, "Content-Length does not fit the request.");
    else if (p.expect.ptr != NULL && !bytes_eq_nocase(p.expect, BYTES_LIT("100-continue")))
        refuse(head, 417, "The only expectation met is 100-continue.");
    if (head->no.status != 0)
        return;
    mark = bytes_find_byte(p.path, '?');
    head->method = p.method;
    head->path = bytes_slice(p.path, 0, mark);
    if (mark != SIZE_MAX)
        head->query = bytes_slice(p.path, mark + 1, SIZE_MAX);
    head->expects_continue = has_body && p.expect.ptr != NULL;
}
