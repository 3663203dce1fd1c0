/* Strings inside JSON: escapes and the characters they stand for. Invariant: an escape that would
 * not give a whole Unicode character (a lone surrogate) is not valid. */
#include "codec/jscan.h"
#include "codec/jscan_priv.h"
#include "codec/utf8.h"

/* Four hexadecimal digits, or -1. */
static int32_t hex4(const uint8_t *p, const uint8_t *end)
{
    int32_t v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        uint8_t c = p[i];

        if (c >= '0' && c <= '9')
            v = v << 4 | (c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            v = v << 4 | ((c | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return v;
}

/* "\uXXXX" or a surrogate pair of two. */
static size_t unicode_escape(uint8_t out[static 4], size_t *out_len, const uint8_t *p,
                             const uint8_t *end)
{
    int32_t high = hex4(p + 2, end);
    int32_t low;

    if (high < 0 || (high >= 0xDC00 && high <= 0xDFFF))
        return 0;
    if (high < 0xD800 || high > 0xDBFF) {
        *out_len = utf8_encode(out, (uint32_t)high);
        return 6;
    }
    if (end - p < 12 || p[6] != '\\' || p[7] != 'u')
        return 0;
    low = hex4(p + 8, end);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    *out_len = utf8_encode(out, 0x10000U + (((uint32_t)high & 0x3FFU) << 10 | (low & 0x3FF)));
    return 12;
}

size_t jstr_escape(uint8_t out[static 4], size_t *out_len, const uint8_t *p, const uint8_t *end)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *hit;

    if (end - p < 2)
        return 0;
    if (p[1] == 'u')
        return unicode_escape(out, out_len, p, end);
    hit = p[1] == '\0' ? NULL : strchr(from, p[1]);
    if (hit == NULL)
        return 0;
    out[0] = (uint8_t)to[hit - from];
    *out_len = 1;
    return 2;
}

struct jstr_walk jstr_walk_over(const uint8_t *p, const uint8_t *end)
{
    return (struct jstr_walk){.p = p, .end = end};
}

int jstr_walk_next(struct jstr_walk *w)
{
    size_t len = 0;
    size_t used;

    if (w->pending_at < w->pending_len)
        return w->pending[w->pending_at++];
    if (w->p >= w->end || *w->p == '"')
        return -1;
    if (*w->p != '\\')
        return *w->p++;
    used = jstr_escape(w->pending, &len, w->p, w->end);
    if (used == 0) {
        w->p = w->end;
        return -1;
    }
    w->p += used;
    w->pending_len = (uint8_t)len;
    w->pending_at = 1;
    return w->pending[0];
}

/* Between the quotes. */
static struct bytes content(struct jval s)
{
    if (s.type != JVAL_STRING || s.raw.len < 2)
        return (struct bytes){NULL, 0};
    return bytes_slice(s.raw, 1, s.raw.len - 2);
}

bool jscan_str_eq(struct jval s, struct bytes text)
{
    struct bytes in = content(s);
    struct jstr_walk w;

    if (s.type != JVAL_STRING)
        return false;
    if (bytes_find_byte(in, '\\') == SIZE_MAX)
        return bytes_eq(in, text);
    w = jstr_walk_over(in.ptr, in.ptr + in.len);
    for (size_t i = 0; i < text.len; i++)
        if (jstr_walk_next(&w) != text.ptr[i])
            return false;
    return jstr_walk_next(&w) == -1;
}

bool jscan_str_eq_cstr(struct jval s, const char *cstr)
{
    return jscan_str_eq(s, bytes_of(cstr));
}

bool jscan_str_view(struct bytes *out, struct jval s)
{
    struct bytes in = content(s);

    *out = (struct bytes){NULL, 0};
    if (s.type != JVAL_STRING || bytes_find_byte(in, '\\') != SIZE_MAX)
        return false;
    *out = in;
    return true;
}

enum tacit_err jscan_str_copy(struct buf *out, struct jval s)
{
    struct bytes in = content(s);
    uint8_t one[4];

    if (s.type != JVAL_STRING)
        return TACIT_FORMAT;
    while (in.len > 0) {
        size_t run = bytes_find_byte(in, '\\');
        size_t len = 0;
        size_t used;

        buf_put(out, bytes_slice(in, 0, run));
        if (run == SIZE_MAX)
            break;
        in = bytes_slice(in, run, SIZE_MAX);
        used = jstr_escape(one, &len, in.ptr, in.ptr + in.len);
        if (used == 0)
            return TACIT_FORMAT;
        buf_put(out, bytes_make(one, len));
        in = bytes_slice(in, used, SIZE_MAX);
    }
    return buf_err(out);
}

/* Runs between escapes are copied whole: collateral holds kilobytes of text with few escapes in
 * some members and many short ones in others. Returns the octets written; SIZE_MAX for a bad
 * escape, which validated text does not have. */
static size_t unescape(uint8_t *to, const uint8_t *p, const uint8_t *end)
{
    uint8_t *from = to;

    while (p < end) {
        size_t len = 0;
        size_t used;

        while (p < end && *p != '\\')
            *to++ = *p++;
        if (p == end)
            break;
        if (end - p >= 2 && (p[1] == '"' || p[1] == '\\' || p[1] == '/')) {
            *to++ = p[1];
            p += 2;
            continue;
        }
        used = jstr_escape(to, &len, p, end);
        if (used == 0)
            return SIZE_MAX;
        p += used;
        to += len;
    }
    return (size_t)(to - from);
}

struct bytes jscan_str_dup(struct arena *a, struct jval s)
{
    struct bytes in = content(s);
    size_t len;
    uint8_t *to;

    if (s.type != JVAL_STRING)
        return (struct bytes){NULL, 0};
    /* An escape is never shorter than what it stands for; jstr_escape may touch four octets. */
    to = arena_alloc(a, in.len + 4);
    if (to == NULL)
        return (struct bytes){NULL, 0};
    len = in.len == 0 ? 0 : unescape(to, in.ptr, in.ptr + in.len);
    if (len == SIZE_MAX)
        return (struct bytes){NULL, 0};
    to[len] = 0;
    return (struct bytes){to, len};
}
