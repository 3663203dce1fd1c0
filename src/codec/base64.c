/* Canonical base64. Invariant: for every accepted text, encoding what was decoded gives that text
 * again (white space aside). */
#include "codec/base64.h"

enum { NO_DIGIT = 0xFF };

static uint8_t digit(uint8_t c, enum base64_kind kind)
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0' + 52);
    if (c == (kind == BASE64_URL ? '-' : '+'))
        return 62;
    if (c == (kind == BASE64_URL ? '_' : '/'))
        return 63;
    return NO_DIGIT;
}

/* Digits gathered so far, and what they gave. */
struct decoder {
    uint8_t *to;
    size_t len;
    uint32_t bits;
    unsigned digits; /* in the group being gathered: 0..3 */
    unsigned pads;
    enum base64_kind kind;
};

static bool decode_char(struct decoder *d, uint8_t c)
{
    uint8_t v;

    if (c == '=' && d->kind == BASE64_STD) {
        d->pads++;
        return d->pads <= 2;
    }
    v = digit(c, d->kind);
    if (v == NO_DIGIT || d->pads > 0)
        return false;
    d->bits = d->bits << 6 | v;
    d->digits++;
    if (d->digits == 4) {
        d->to[d->len++] = (uint8_t)(d->bits >> 16);
        d->to[d->len++] = (uint8_t)(d->bits >> 8);
        d->to[d->len++] = (uint8_t)d->bits;
        d->digits = 0;
        d->bits = 0;
    }
    return true;
}

/* The last, short group: the bits that no octet takes must be zero, the padding exact. */
static bool decode_tail(struct decoder *d)
{
    unsigned pads = d->digits == 0 ? 0 : 4 - d->digits;

    if (d->digits == 1 || (d->kind == BASE64_STD && d->pads != pads))
        return false;
    if (d->digits == 2) {
        d->to[d->len++] = (uint8_t)(d->bits >> 4);
        return (d->bits & 15) == 0;
    }
    if (d->digits == 3) {
        d->to[d->len++] = (uint8_t)(d->bits >> 10);
        d->to[d->len++] = (uint8_t)(d->bits >> 2);
        return (d->bits & 3) == 0;
    }
    return true;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum tacit_err decode(struct buf *out, struct bytes in, enum base64_kind kind, bool spaced)
{
    struct decoder d = {.kind = kind};

    if (in.len == 0)
        return buf_err(out);
    d.to = buf_reserve(out, base64_decoded_max(in.len));
    if (d.to == NULL)
        return TACIT_NOMEM;
    for (size_t i = 0; i < in.len; i++) {
        if (spaced && is_space(in.ptr[i]))
            continue;
        if (!decode_char(&d, in.ptr[i]))
            return TACIT_FORMAT;
    }
    if (!decode_tail(&d))
        return TACIT_FORMAT;
    buf_commit(out, d.len);
    return TACIT_OK;
}

enum tacit_err base64_decode(struct buf *out, struct bytes in, enum base64_kind kind)
{
    return decode(out, in, kind, false);
}

enum tacit_err base64_decode_spaced(struct buf *out, struct bytes in)
{
    return decode(out, in, BASE64_STD, true);
}

size_t base64_decoded_max(size_t text_len)
{
    return text_len / 4 * 3 + 3;
}

static void encode_group(struct buf *out, const uint8_t *in, size_t count, enum base64_kind kind)
{
    static const char std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *digits = kind == BASE64_URL ? url : std;
    uint32_t bits = (uint32_t)in[0] << 16;
    uint8_t text[4] = {'=', '=', '=', '='};

    bits |= count > 1 ? (uint32_t)in[1] << 8 : 0;
    bits |= count > 2 ? in[2] : 0;
    for (size_t i = 0; i <= count; i++)
        text[i] = (uint8_t)digits[bits >> (18 - 6 * i) & 63];
    buf_put(out, bytes_make(text, kind == BASE64_URL ? count + 1 : 4));
}

void base64_encode(struct buf *out, struct bytes in, enum base64_kind kind)
{
    for (size_t i = 0; i < in.len; i += 3)
        encode_group(out, in.ptr + i, in.len - i < 3 ? in.len - i : 3, kind);
}
