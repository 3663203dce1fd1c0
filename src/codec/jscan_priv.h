/* What the validator and the readers of JSON share: how a string is walked. All of it works on
 * octets between `p` and `end`; none of it reads `end` itself. */
#ifndef CODEC_JSCAN_PRIV_H
#define CODEC_JSCAN_PRIV_H

#include <endian.h>
#include <string.h>

#include "base/bytes.h"

#define SWAR(c) (0x0101010101010101ULL * (uint64_t)(c))

/* High bit of every octet that is zero; exact up to and including the first one. */
static inline uint64_t swar_zeros(uint64_t x)
{
    return (x - SWAR(1)) & ~x & SWAR(0x80);
}

static inline uint64_t swar_load(const uint8_t *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    return le64toh(x);
}

static inline const uint8_t *json_skip_space(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* First quote or backslash at or after `p`, or `end`. */
static inline const uint8_t *json_find_quote(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 8) {
        uint64_t x = swar_load(p);
        uint64_t hit = swar_zeros(x ^ SWAR('"')) | swar_zeros(x ^ SWAR('\\'));

        if (hit != 0)
            return p + (__builtin_ctzll(hit) >> 3);
        p += 8;
    }
    while (p < end && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* Octet after the closing quote of a valid string whose first octet after the opening quote is
 * `p`; `end` if there is none. */
static inline const uint8_t *json_skip_string(const uint8_t *p, const uint8_t *end)
{
    for (;;) {
        p = json_find_quote(p, end);
        if (p == end)
            return end;
        if (*p == '"')
            return p + 1;
        p = end - p < 2 ? end : p + 2;
    }
}

/* Octet after the array or object that opens at `p`; `end` if it does not close. */
const uint8_t *json_skip_container(const uint8_t *p, const uint8_t *end);

/* The characters of a valid string, octet by octet of their UTF-8 form. */
struct jstr_walk {
    const uint8_t *p, *end;
    uint8_t pending[4];
    uint8_t pending_len, pending_at;
};

/* Walk over the content between the quotes. */
struct jstr_walk jstr_walk_over(const uint8_t *p, const uint8_t *end);
/* Next octet, or -1 at the end or at the closing quote. */
int jstr_walk_next(struct jstr_walk *w);
/* Decode the escape sequence at `p` (a backslash). Returns its length, 0 if it is not valid; what
 * it stands for is put into `out`. */
size_t jstr_escape(uint8_t out[static 4], size_t *out_len, const uint8_t *p, const uint8_t *end);

#endif
