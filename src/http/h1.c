/* Finding heads, the chunked decoder, and the writers. Parsing of heads is in h1_head.c. */
#include "http/h1.h"

#include "base/limits.h"

enum { CHUNK_LINE_MAX = 16 + 256 + 2, FIRST_LINE_EXTRA = 64 };

enum h1_scan_result h1_scan(struct h1_scan *s, struct bytes in)
{
    while (s->seen < in.len) {
        const uint8_t *from = in.ptr + s->seen;
        const uint8_t *lf = memchr(from, '\n', in.len - s->seen);
        size_t line_len;

        if (lf == NULL) {
            s->seen = in.len;
            break;
        }
        s->seen = (size_t)(lf - in.ptr) + 1;
        line_len = s->seen - s->line_at;
        if (line_len < 2 || lf[-1] != '\r')
            return H1_SCAN_BARE_LF;
        s->line_at = s->seen;
        if (line_len == 2 && s->has_first) {
            s->len = s->seen - s->skip;
            return s->len > LIMIT_HEAD_BYTES ? H1_SCAN_LONG_HEAD : H1_SCAN_DONE;
        }
        if (line_len == 2 && s->skip > 0)
            return H1_SCAN_BARE_LF;
        if (line_len == 2) {
            s->skip = s->seen;
            continue;
        }
        if (!s->has_first && line_len > LIMIT_TARGET_BYTES + FIRST_LINE_EXTRA)
            return H1_SCAN_LONG_LINE;
        s->lines += s->has_first;
        s->has_first = true;
        if (s->lines > LIMIT_HEADERS)
            return H1_SCAN_LONG_HEAD;
    }
    if (!s->has_first && in.len - s->line_at > LIMIT_TARGET_BYTES + FIRST_LINE_EXTRA)
        return H1_SCAN_LONG_LINE;
    return in.len - s->skip > LIMIT_HEAD_BYTES ? H1_SCAN_LONG_HEAD : H1_SCAN_MORE;
}

/* The decoder's states; SIZE is 0 so that a zeroed decoder starts there. */
enum {
    CHUNK_SIZE,      /* hex digits */
    CHUNK_EXT,       /* after ';': first octet of an extension's name */
    CHUNK_EXT_NAME,  /* the rest of it */
    CHUNK_EXT_VALUE, /* first octet of its value */
    CHUNK_EXT_TOKEN, /* the rest, when it is a token */
    CHUNK_QUOTED,    /* or inside quotes */
    CHUNK_ESCAPED,   /* after a backslash in them */
    CHUNK_UNQUOTED,  /* after them */
    CHUNK_SIZE_LF,   /* the LF after the size line */
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_TRAILER,      /* first octet of a trailer line, or the CR of the end */
    CHUNK_TRAILER_NAME, /* the rest of its name, and the colon */
    CHUNK_TRAILER_VALUE,
    CHUNK_TRAILER_LF,
    CHUNK_END_LF,
    CHUNK_BAD,
};

static bool is_text(uint8_t c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

/* The octet after the size's digits so far. line_len counts the digits. */
static int chunk_size_step(struct h1_chunks *c, uint8_t octet)
{
    int value = bytes_hex_digit(octet);

    if (value >= 0) {
        if (c->line_len == 16 || c->left > (uint64_t)INT64_MAX >> 4)
            return CHUNK_BAD;
        c->left = (c->left << 4) | (uint64_t)value;
        c->line_len++;
        return CHUNK_SIZE;
    }
    if (c->line_len == 0)
        return CHUNK_BAD;
    if (octet == '\r')
        return CHUNK_SIZE_LF;
    return octet == ';' ? CHUNK_EXT : CHUNK_BAD;
}

static bool is_token_octet(uint8_t octet)
{
    return http_is_token((struct bytes){&octet, 1});
}

/* Between extensions, and behind the last. */
static int chunk_ext_end(uint8_t octet)
{
    if (octet == '\r')
        return CHUNK_SIZE_LF;
    return octet == ';' ? CHUNK_EXT : CHUNK_BAD;
}

/* RFC 9112 7.1.1, without the white space that only bad senders put in. */
static int chunk_ext_step(struct h1_chunks *c, uint8_t octet)
{
    if (++c->line_len > CHUNK_LINE_MAX)
        return CHUNK_BAD;
    switch (c->state) {
    case CHUNK_EXT:
        return is_token_octet(octet) ? CHUNK_EXT_NAME : CHUNK_BAD;
    case CHUNK_EXT_NAME:
        if (octet == '=')
            return CHUNK_EXT_VALUE;
        return is_token_octet(octet) ? CHUNK_EXT_NAME : chunk_ext_end(octet);
    case CHUNK_EXT_VALUE:
        if (octet == '"')
            return CHUNK_QUOTED;
        return is_token_octet(octet) ? CHUNK_EXT_TOKEN : CHUNK_BAD;
    case CHUNK_EXT_TOKEN:
        return is_token_octet(octet) ? CHUNK_EXT_TOKEN : chunk_ext_end(octet);
    case CHUNK_QUOTED:
        if (octet == '\\')
            return CHUNK_ESCAPED;
        if (octet == '"')
            return CHUNK_UNQUOTED;
        return is_text(octet) ? CHUNK_QUOTED : CHUNK_BAD;
    case CHUNK_ESCAPED:
        return is_text(octet) ? CHUNK_QUOTED : CHUNK_BAD;
    default:
        return chunk_ext_end(octet);
    }
}

static int chunk_size_end(struct h1_chunks *c, uint8_t octet)
{
    c->line_len = 0;
    if (octet != '\n')
        return CHUNK_BAD;
    return c->left == 0 ? CHUNK_TRAILER : CHUNK_DATA;
}

/* Fields that would have meant something in the head are refused (RFC 9110 6.5.1). */
static bool is_trailer_name(const struct h1_chunks *c)
{
    static const char *const banned[] = {"content-length", "transfer-encoding", "host",
                                         "connection",     "trailer",           "te"};

    for (size_t i = 0; i < ARRAY_LEN(banned); i++)
        if (bytes_eq_nocase(bytes_make(c->name, c->name_len), bytes_of(banned[i])))
            return false;
    return true;
}

static int chunk_trailer_name(struct h1_chunks *c, uint8_t octet)
{
    if (octet == ':' && c->state == CHUNK_TRAILER_NAME)
        return is_trailer_name(c) ? CHUNK_TRAILER_VALUE : CHUNK_BAD;
    if (!is_token_octet(octet))
        return CHUNK_BAD;
    c->name_len = c->state == CHUNK_TRAILER ? 0 : c->name_len;
    if (c->name_len < sizeof(c->name))
        c->name[c->name_len++] = octet; /* a longer one is none of the banned */
    return CHUNK_TRAILER_NAME;
}

static int chunk_trailer_step(struct h1_chunks *c, uint8_t octet)
{
    c->trailer_len++;
    if (c->state == CHUNK_TRAILER && octet == '\r')
        return CHUNK_END_LF;
    if (c->state != CHUNK_TRAILER_VALUE)
        return chunk_trailer_name(c, octet);
    if (octet == '\r')
        return CHUNK_TRAILER_LF;
    return is_text(octet) ? CHUNK_TRAILER_VALUE : CHUNK_BAD;
}

static int chunk_step(struct h1_chunks *c, uint8_t octet)
{
    switch (c->state) {
    case CHUNK_SIZE:
        return chunk_size_step(c, octet);
    case CHUNK_EXT:
    case CHUNK_EXT_NAME:
    case CHUNK_EXT_VALUE:
    case CHUNK_EXT_TOKEN:
    case CHUNK_QUOTED:
    case CHUNK_ESCAPED:
    case CHUNK_UNQUOTED:
        return chunk_ext_step(c, octet);
    case CHUNK_SIZE_LF:
        return chunk_size_end(c, octet);
    case CHUNK_DATA_CR:
        return octet == '\r' ? CHUNK_DATA_LF : CHUNK_BAD;
    case CHUNK_DATA_LF:
        return octet == '\n' ? CHUNK_SIZE : CHUNK_BAD;
    case CHUNK_TRAILER:
    case CHUNK_TRAILER_NAME:
    case CHUNK_TRAILER_VALUE:
        return chunk_trailer_step(c, octet);
    case CHUNK_TRAILER_LF:
        return octet == '\n' ? CHUNK_TRAILER : CHUNK_BAD;
    case CHUNK_END_LF:
        c->is_done = octet == '\n';
        return c->is_done ? CHUNK_END_LF : CHUNK_BAD;
    default:
        return CHUNK_BAD;
    }
}

enum tacit_err h1_chunks_next(struct h1_chunks *c, struct bytes *in, struct bytes *data)
{
    *data = (struct bytes){0};
    while (in->len > 0 && !c->is_done) {
        if (c->state == CHUNK_DATA) {
            *data = bytes_slice(*in, 0, c->left < in->len ? (size_t)c->left : in->len);
            *in = bytes_slice(*in, data->len, SIZE_MAX);
            c->left -= data->len;
            if (c->left == 0)
                c->state = CHUNK_DATA_CR;
            return TACIT_OK;
        }
        c->state = chunk_step(c, in->ptr[0]);
        *in = bytes_slice(*in, 1, SIZE_MAX);
        if (c->state == CHUNK_BAD)
            return TACIT_FORMAT;
        if (c->trailer_len > LIMIT_HEAD_BYTES)
            return TACIT_LIMIT;
    }
    return TACIT_OK;
}

static bool are_writable(const struct header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!http_is_lower_token(headers[i].name) || !http_is_field_value(headers[i].value))
            return false;
    return true;
}

static void put_headers(struct buf *b, const struct header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_put(b, headers[i].name);
        buf_puts(b, ": ");
        buf_put(b, headers[i].value);
        buf_puts(b, "\r\n");
    }
    buf_puts(b, "\r\n");
}

enum tacit_err h1_put_request(struct buf *b, const char *method, struct bytes target,
                              const struct header *headers, size_t count)
{
    if (!http_is_token(bytes_of(method)) || !http_is_origin_form(target) ||
        !are_writable(headers, count))
        return TACIT_FORMAT;
    buf_puts(b, method);
    buf_putc(b, ' ');
    buf_put(b, target);
    buf_puts(b, " HTTP/1.1\r\n");
    put_headers(b, headers, count);
    return buf_err(b);
}

enum tacit_err h1_put_reply(struct buf *b, unsigned status, const struct header *headers,
                            size_t count)
{
    if (status < 100 || status > 599 || !are_writable(headers, count))
        return TACIT_FORMAT;
    buf_putf(b, "HTTP/1.1 %u %s\r\n", status, http_reason(status));
    put_headers(b, headers, count);
    return buf_err(b);
}

void h1_put_chunk(struct buf *b, struct bytes data)
{
    if (data.len == 0)
        return;
    buf_putf(b, "%zx\r\n", data.len);
    buf_put(b, data);
    buf_puts(b, "\r\n");
}

void h1_put_last_chunk(struct buf *b)
{
    buf_puts(b, "0\r\n\r\n");
}
