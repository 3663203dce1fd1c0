/* UTF-8 well-formedness by the table of Unicode 3.9 (D92). Invariant: never reads past `in`. */
#include "codec/utf8.h"

#include <assert.h>

static bool is_tail(uint8_t c)
{
    return (c & 0xC0) == 0x80;
}

/* Range of the second octet: narrower after E0, ED, F0 and F4. */
static bool second_fits(uint8_t lead, uint8_t c)
{
    switch (lead) {
    case 0xE0:
        return c >= 0xA0 && c <= 0xBF;
    case 0xED:
        return c >= 0x80 && c <= 0x9F;
    case 0xF0:
        return c >= 0x90 && c <= 0xBF;
    case 0xF4:
        return c >= 0x80 && c <= 0x8F;
    default:
        return is_tail(c);
    }
}

size_t utf8_char_len(struct bytes in)
{
    size_t need;

    if (in.len == 0)
        return 0;
    if (in.ptr[0] < 0x80)
        return 1;
    if (in.ptr[0] < 0xC2 || in.ptr[0] > 0xF4)
        return 0;
    need = in.ptr[0] < 0xE0 ? 2 : in.ptr[0] < 0xF0 ? 3 : 4;
    if (in.len < need || !second_fits(in.ptr[0], in.ptr[1]))
        return 0;
    for (size_t i = 2; i < need; i++)
        if (!is_tail(in.ptr[i]))
            return 0;
    return need;
}

bool utf8_is_valid(struct bytes text)
{
    while (text.len > 0) {
        size_t n = utf8_char_len(text);

        if (n == 0)
            return false;
        text.ptr += n;
        text.len -= n;
    }
    return true;
}

size_t utf8_encode(uint8_t out[static 4], uint32_t c)
{
    assert(c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF));
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}
