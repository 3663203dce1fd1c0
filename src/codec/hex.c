/* Strict hexadecimal. Invariant: nothing is written to the caller's output unless all of the input
 * is valid. */
#include "codec/hex.h"

#include <assert.h>

/* Value of a digit plus one; 0 for anything else. */
static const uint8_t digit_table[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

static int digit(uint8_t c)
{
    return digit_table[c] - 1;
}

bool hex_is(struct bytes in, size_t digits)
{
    if (in.len != digits)
        return false;
    for (size_t i = 0; i < in.len; i++)
        if (digit(in.ptr[i]) < 0)
            return false;
    return true;
}

/* `in` is known to be digits only. */
static void decode(uint8_t *out, struct bytes in)
{
    for (size_t i = 0; i < in.len / 2; i++)
        out[i] = (uint8_t)(digit(in.ptr[2 * i]) << 4 | digit(in.ptr[2 * i + 1]));
}

enum tacit_err hex_decode(struct buf *out, struct bytes in)
{
    uint8_t *to;

    if (in.len % 2 != 0 || !hex_is(in, in.len))
        return TACIT_FORMAT;
    if (in.len == 0)
        return buf_err(out);
    to = buf_reserve(out, in.len / 2);
    if (to == NULL)
        return TACIT_NOMEM;
    decode(to, in);
    buf_commit(out, in.len / 2);
    return TACIT_OK;
}

enum tacit_err hex_decode_fixed(uint8_t *out, size_t out_len, struct bytes in)
{
    if (out_len > 0)
        memset(out, 0, out_len);
    if (in.len / 2 != out_len || in.len % 2 != 0 || !hex_is(in, in.len))
        return TACIT_FORMAT;
    decode(out, in);
    return TACIT_OK;
}

void hex_encode(char *out, size_t out_size, struct bytes in)
{
    static const char digits[] = "0123456789abcdef";

    assert(in.len < SIZE_MAX / 2 && out_size > 2 * in.len);
    for (size_t i = 0; i < in.len; i++) {
        out[2 * i] = digits[in.ptr[i] >> 4];
        out[2 * i + 1] = digits[in.ptr[i] & 15];
    }
    out[2 * in.len] = '\0';
}
