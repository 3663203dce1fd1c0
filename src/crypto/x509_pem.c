/* PEM chains, strictly: certificate blocks and white space, nothing else. Invariant: the text is
 * walked once, and what it decodes to is at most three quarters of it. */
#include "base/limits.h"
#include "crypto/x509.h"

static const struct bytes begin_line = {(const uint8_t *)"-----BEGIN CERTIFICATE-----", 27};
static const struct bytes end_line = {(const uint8_t *)"-----END CERTIFICATE-----", 25};

enum { NOT_BASE64 = 64, IS_SPACE = 65 };

/* Value of a base64 digit, or one of the two marks above. */
static unsigned digit_value(uint8_t c)
{
    static const uint8_t table[128] = {
        ['\t'] = 66, ['\n'] = 66, ['\r'] = 66, [' '] = 66, ['A'] = 1,  ['B'] = 2,  ['C'] = 3,
        ['D'] = 4,   ['E'] = 5,   ['F'] = 6,   ['G'] = 7,  ['H'] = 8,  ['I'] = 9,  ['J'] = 10,
        ['K'] = 11,  ['L'] = 12,  ['M'] = 13,  ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17,
        ['R'] = 18,  ['S'] = 19,  ['T'] = 20,  ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
        ['Y'] = 25,  ['Z'] = 26,  ['a'] = 27,  ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31,
        ['f'] = 32,  ['g'] = 33,  ['h'] = 34,  ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38,
        ['m'] = 39,  ['n'] = 40,  ['o'] = 41,  ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45,
        ['t'] = 46,  ['u'] = 47,  ['v'] = 48,  ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52,
        ['0'] = 53,  ['1'] = 54,  ['2'] = 55,  ['3'] = 56, ['4'] = 57, ['5'] = 58, ['6'] = 59,
        ['7'] = 60,  ['8'] = 61,  ['9'] = 62,  ['+'] = 63, ['/'] = 64};
    unsigned v = c < 128 ? table[c] : 0;

    return v == 0 ? NOT_BASE64 : v - 1;
}

/* Base64 up to the first '-', white space ignored, canonical padding. Advances `text` to the '-'.
 */
static bool base64_read(uint8_t *out, size_t *out_len, struct bytes *text)
{
    uint32_t bits = 0;
    unsigned have = 0; /* digits in `bits`, 0..3 */
    size_t len = 0;
    size_t pad = 0;
    size_t i = 0;

    for (; i < text->len && text->ptr[i] != '-'; i++) {
        unsigned v = digit_value(text->ptr[i]);

        if (v == IS_SPACE)
            continue;
        if (text->ptr[i] == '=') {
            pad++;
            continue;
        }
        if (v == NOT_BASE64 || pad > 0)
            return false;
        bits = bits << 6 | v;
        if (++have < 4)
            continue;
        out[len++] = (uint8_t)(bits >> 16);
        out[len++] = (uint8_t)(bits >> 8);
        out[len++] = (uint8_t)bits;
        bits = 0;
        have = 0;
    }
    *text = bytes_slice(*text, i, text->len);
    if (have == 1 || pad != (have == 0 ? 0U : 4U - have))
        return false;
    if (have == 2) {
        out[len++] = (uint8_t)(bits >> 4);
        bits &= 0x0f;
    } else if (have == 3) {
        out[len++] = (uint8_t)(bits >> 10);
        out[len++] = (uint8_t)(bits >> 2);
        bits &= 0x03;
    }
    *out_len = len;
    return bits == 0;
}

/* One block from `text`, which starts with its BEGIN line. */
static enum tacit_err block_read(struct x509_cert *out, struct bytes *text, struct arena *arena)
{
    size_t end = bytes_find(*text, end_line);
    uint8_t *der;
    size_t room;
    size_t len;

    if (!bytes_starts_with(*text, begin_line) || end == SIZE_MAX)
        return TACIT_FORMAT;
    room = end / 4 * 3 + 3;
    der = arena_alloc(arena, room);
    if (der == NULL)
        return TACIT_NOMEM;
    *text = bytes_slice(*text, begin_line.len, text->len);
    if (!base64_read(der, &len, text) || !bytes_starts_with(*text, end_line))
        return TACIT_FORMAT;
    *text = bytes_slice(*text, end_line.len, text->len);
    return x509_parse(out, bytes_make(der, len));
}

static enum tacit_err chain_read(struct x509_cert *out, size_t cap, size_t *count, struct bytes pem,
                                 struct arena *arena)
{
    struct bytes text = bytes_trim(pem);
    enum tacit_err err;

    if (text.len == 0)
        return TACIT_FORMAT;
    for (; text.len > 0; text = bytes_trim(text)) {
        if (*count == cap)
            return TACIT_LIMIT;
        err = block_read(&out[*count], &text, arena);
        if (err != TACIT_OK)
            return err;
        (*count)++;
    }
    return TACIT_OK;
}

enum tacit_err x509_parse_pem(struct x509_cert *out, size_t cap, size_t *count, struct bytes pem,
                              struct arena *arena)
{
    enum tacit_err err;

    *count = 0;
    if (pem.len > LIMIT_PEM_BYTES)
        return TACIT_LIMIT;
    while (pem.len > 0 && pem.ptr[pem.len - 1] == 0)
        pem.len--;
    err = chain_read(out, cap, count, pem, arena);
    if (err != TACIT_OK) {
        memset(out, 0, cap * sizeof(*out));
        *count = 0;
    }
    return err;
}
