/* Parsing of HTTP/1.1 heads in place (RFC 9112 3-6). Lines were delimited by h1_scan, but nothing
 * here relies on that: any bytes are safe. Ambiguity is an error, never a guess. */
#include "base/limits.h"
#include "http/h1.h"

/* Fields that decide about framing and the connection, gathered while reading. */
struct fields {
    struct header *headers;
    size_t count;
    size_t cap;
    size_t hosts;
    size_t lengths;
    size_t codings;
    size_t expects;
    struct bytes host;
    struct bytes length;
    struct bytes coding;
    struct bytes expect;
    bool says_close;
    bool says_keep_alive;
};

static enum tacit_err refuse(struct h1_refusal *no, enum tacit_err err, unsigned status,
                             const char *why)
{
    *no = (struct h1_refusal){status, why};
    return err;
}

/* Next line without its CRLF; false when there is none that ends in CRLF. */
static bool line_next(struct bytes *rest, struct bytes *line)
{
    size_t lf = bytes_find_byte(*rest, '\n');

    if (lf == SIZE_MAX || lf == 0 || rest->ptr[lf - 1] != '\r')
        return false;
    *line = bytes_slice(*rest, 0, lf - 1);
    *rest = bytes_slice(*rest, lf + 1, SIZE_MAX);
    return true;
}

static struct bytes trim_space(struct bytes b)
{
    while (b.len > 0 && (b.ptr[0] == ' ' || b.ptr[0] == '\t'))
        b = bytes_slice(b, 1, SIZE_MAX);
    while (b.len > 0 && (b.ptr[b.len - 1] == ' ' || b.ptr[b.len - 1] == '\t'))
        b.len--;
    return b;
}

static void name_lower(uint8_t *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (name[i] >= 'A' && name[i] <= 'Z')
            name[i] = (uint8_t)(name[i] + ('a' - 'A'));
}

static void field_note(struct fields *f, const struct header *h)
{
    if (bytes_eq_cstr(h->name, "host")) {
        f->hosts++;
        f->host = h->value;
    } else if (bytes_eq_cstr(h->name, "content-length")) {
        f->lengths++;
        f->length = h->value;
    } else if (bytes_eq_cstr(h->name, "transfer-encoding")) {
        f->codings++;
        f->coding = h->value;
    } else if (bytes_eq_cstr(h->name, "expect")) {
        f->expects++;
        f->expect = h->value;
    } else if (bytes_eq_cstr(h->name, "connection")) {
        f->says_close |= http_list_has(h->value, "close");
        f->says_keep_alive |= http_list_has(h->value, "keep-alive");
    }
}

/* head: start of the mutable buffer that `line` points into. */
static enum tacit_err field_read(struct fields *f, struct h1_refusal *no, uint8_t *head,
                                 size_t offset, struct bytes line)
{
    size_t colon = bytes_find_byte(line, ':');
    struct header h;

    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return refuse(no, TACIT_FORMAT, 400, "A header line is folded.");
    if (colon == SIZE_MAX || !http_is_token(bytes_slice(line, 0, colon)))
        return refuse(no, TACIT_FORMAT, 400, "A header name is not a token followed by a colon.");
    name_lower(head + offset, colon);
    h.name = bytes_slice(line, 0, colon);
    h.value = trim_space(bytes_slice(line, colon + 1, SIZE_MAX));
    if (!http_is_field_value(h.value))
        return refuse(no, TACIT_FORMAT, 400, "A header value holds a control character.");
    if (f->count == f->cap || f->count == LIMIT_HEADERS)
        return refuse(no, TACIT_LIMIT, 431, "There are too many header fields.");
    f->headers[f->count++] = h;
    field_note(f, &h);
    return TACIT_OK;
}

static enum tacit_err fields_read(struct fields *f, struct h1_refusal *no, uint8_t *head,
                                  struct bytes rest)
{
    struct bytes line;

    while (line_next(&rest, &line)) {
        enum tacit_err err;

        if (line.len == 0) {
            if (rest.len != 0)
                break;
            return TACIT_OK;
        }
        err = field_read(f, no, head, (size_t)(line.ptr - head), line);
        if (err != TACIT_OK)
            return err;
    }
    return refuse(no, TACIT_FORMAT, 400, "The head does not consist of lines that end in CR LF.");
}

/* Content-Length and Transfer-Encoding (RFC 9112 6.1-6.3): exactly one of them, once. */
static enum tacit_err framing_read(const struct fields *f, struct h1_refusal *no,
                                   enum h1_framing *framing, int64_t *length)
{
    uint64_t value = 0;

    *framing = H1_BODY_NONE;
    *length = 0;
    if (f->lengths > 1)
        return refuse(no, TACIT_FORMAT, 400, "There is more than one Content-Length.");
    if (f->codings > 0 && f->lengths > 0)
        return refuse(no, TACIT_FORMAT, 400,
                      "Content-Length and Transfer-Encoding exclude each other.");
    if (f->codings > 1)
        return refuse(no, TACIT_FORMAT, 400, "There is more than one Transfer-Encoding.");
    if (f->codings == 1) {
        if (!bytes_eq_nocase(f->coding, BYTES_LIT("chunked")))
            return refuse(no, TACIT_UNSUPPORTED, 501, "The only transfer coding taken is chunked.");
        *framing = H1_BODY_CHUNKED;
        *length = -1;
    }
    if (f->lengths == 1) {
        if (!bytes_to_u64(&value, f->length, INT64_MAX))
            return refuse(no, TACIT_FORMAT, 400, "Content-Length is not a decimal number.");
        *framing = value > 0 ? H1_BODY_LENGTH : H1_BODY_NONE;
        *length = (int64_t)value;
    }
    return TACIT_OK;
}

static enum tacit_err version_check(struct h1_refusal *no, struct bytes version)
{
    bool has_shape = version.len == 8 && bytes_starts_with(version, BYTES_LIT("HTTP/")) &&
                     version.ptr[6] == '.' && version.ptr[5] >= '0' && version.ptr[5] <= '9' &&
                     version.ptr[7] >= '0' && version.ptr[7] <= '9';

    if (!has_shape)
        return refuse(no, TACIT_FORMAT, 400,
                      "The request line is not METHOD SP TARGET SP HTTP/1.1.");
    if (version.ptr[5] != '1' || version.ptr[7] != '1')
        return refuse(no, TACIT_UNSUPPORTED, 505, "Only HTTP/1.1 and HTTP/2 are served.");
    return TACIT_OK;
}

/* Absolute-form becomes origin-form; its authority stands in for Host (RFC 9112 3.2.2). */
static bool target_reduce(struct bytes *target)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        struct bytes scheme = bytes_of(schemes[i]);
        struct bytes rest;
        size_t slash;

        if (target->len < scheme.len ||
            !bytes_eq_nocase(bytes_slice(*target, 0, scheme.len), scheme))
            continue;
        rest = bytes_slice(*target, scheme.len, SIZE_MAX);
        slash = bytes_find_byte(rest, '/');
        if (!http_is_authority(bytes_slice(rest, 0, slash)))
            return false;
        *target = slash == SIZE_MAX ? BYTES_LIT("/") : bytes_slice(rest, slash, SIZE_MAX);
    }
    return http_is_origin_form(*target);
}

static enum tacit_err request_line(struct h1_request *q, struct h1_refusal *no, struct bytes line)
{
    static const char shape[] = "The request line is not METHOD SP TARGET SP HTTP/1.1.";
    size_t space = bytes_find_byte(line, ' ');
    struct bytes target = bytes_slice(line, space == SIZE_MAX ? line.len : space + 1, SIZE_MAX);
    size_t second = bytes_find_byte(target, ' ');
    size_t mark;
    enum tacit_err err;

    q->method = bytes_slice(line, 0, space);
    if (space == SIZE_MAX || second == SIZE_MAX || !http_is_token(q->method))
        return refuse(no, TACIT_FORMAT, 400, shape);
    err = version_check(no, bytes_slice(target, second + 1, SIZE_MAX));
    if (err != TACIT_OK)
        return err;
    target.len = second;
    if (target.len > LIMIT_TARGET_BYTES)
        return refuse(no, TACIT_LIMIT, 414, "The request target is too long.");
    if (bytes_eq_cstr(q->method, "CONNECT"))
        return refuse(no, TACIT_UNSUPPORTED, 501, "CONNECT is not served.");
    if (!target_reduce(&target))
        return refuse(no, TACIT_FORMAT, 400, "The request target is not a valid path.");
    mark = bytes_find_byte(target, '?');
    q->path = bytes_slice(target, 0, mark);
    if (mark != SIZE_MAX)
        q->query = bytes_slice(target, mark + 1, SIZE_MAX);
    return TACIT_OK;
}

static enum tacit_err request_read(struct h1_request *q, struct h1_refusal *no, struct fields *f,
                                   uint8_t *head, size_t len)
{
    struct bytes rest = {head, len};
    struct bytes line;
    enum tacit_err err;

    if (!line_next(&rest, &line))
        return refuse(no, TACIT_FORMAT, 400, "There is no request line.");
    err = request_line(q, no, line);
    if (err == TACIT_OK)
        err = fields_read(f, no, head, rest);
    if (err != TACIT_OK)
        return err;
    if (f->hosts != 1 || !http_is_authority(f->host))
        return refuse(no, TACIT_FORMAT, 400, "There must be exactly one Host, and a valid one.");
    err = framing_read(f, no, &q->framing, &q->content_length);
    if (err != TACIT_OK)
        return err;
    q->is_keep_alive = !f->says_close;
    q->headers = f->headers;
    q->header_count = f->count;
    q->expects_continue = f->expects == 1 && q->framing != H1_BODY_NONE;
    if (f->expects > 1 ||
        (f->expects == 1 && !bytes_eq_nocase(f->expect, BYTES_LIT("100-continue"))))
        return refuse(no, TACIT_UNSUPPORTED, 417, "The only expectation met is 100-continue.");
    return TACIT_OK;
}

enum tacit_err h1_request_parse(struct h1_request *out, struct h1_refusal *no, uint8_t *head,
                                size_t len, struct header *headers, size_t cap)
{
    struct fields f = {.headers = headers, .cap = cap};
    struct h1_request q = {0};
    enum tacit_err err;

    *no = (struct h1_refusal){0};
    err = request_read(&q, no, &f, head, len);
    *out = err == TACIT_OK ? q : (struct h1_request){0};
    return err;
}

/* "HTTP/1.1 200 reason": the reason may be empty, its SP may not. */
static enum tacit_err status_line(struct h1_reply *r, bool *is_1_1, struct bytes line)
{
    uint64_t status;

    if (line.len < 13 || line.ptr[8] != ' ' || line.ptr[12] != ' ' ||
        !bytes_to_u64(&status, bytes_slice(line, 9, 3), 599) || status < 100)
        return TACIT_FORMAT;
    *is_1_1 = bytes_starts_with(line, BYTES_LIT("HTTP/1.1"));
    if (!*is_1_1 && !bytes_starts_with(line, BYTES_LIT("HTTP/1.0")))
        return TACIT_FORMAT;
    if (!http_is_field_value(trim_space(bytes_slice(line, 13, SIZE_MAX))))
        return TACIT_FORMAT;
    r->status = (unsigned)status;
    return TACIT_OK;
}

static void reply_framing(struct h1_reply *r, const struct fields *f, bool is_to_head)
{
    if (is_to_head || r->status < 200 || r->status == 204 || r->status == 304)
        r->framing = H1_BODY_NONE;
    else if (f->codings == 0 && f->lengths == 0)
        r->framing = H1_BODY_CLOSE;
    if (f->lengths == 0)
        r->content_length = -1;
    if (r->framing == H1_BODY_CLOSE)
        r->is_keep_alive = false;
}

static enum tacit_err reply_read(struct h1_reply *r, struct fields *f, uint8_t *head, size_t len,
                                 bool is_to_head)
{
    struct bytes rest = {head, len};
    struct h1_refusal ignored = {0};
    struct bytes line;
    bool is_1_1 = false;
    enum tacit_err err;

    if (!line_next(&rest, &line))
        return TACIT_FORMAT;
    err = status_line(r, &is_1_1, line);
    if (err == TACIT_OK)
        err = fields_read(f, &ignored, head, rest);
    if (err == TACIT_OK)
        err = framing_read(f, &ignored, &r->framing, &r->content_length);
    if (err != TACIT_OK)
        return err;
    if (r->status == 101 || (!is_1_1 && f->codings > 0))
        return TACIT_FORMAT;
    r->is_keep_alive = is_1_1 && !f->says_close;
    r->headers = f->headers;
    r->header_count = f->count;
    reply_framing(r, f, is_to_head);
    return TACIT_OK;
}

enum tacit_err h1_reply_parse(struct h1_reply *out, uint8_t *head, size_t len,
                              struct header *headers, size_t cap, bool is_to_head)
{
    struct fields f = {.headers = headers, .cap = cap};
    struct h1_reply r = {0};
    enum tacit_err err = reply_read(&r, &f, head, len, is_to_head);

    *out = err == TACIT_OK ? r : (struct h1_reply){0};
    return err;
}
