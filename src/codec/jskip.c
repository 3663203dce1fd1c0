/* Finding the end of a container in validated JSON, 64 octets at a time. Invariant: never reads at
 * or beyond `end`; on bytes that are no JSON it stops at `end` instead of guessing. */
#include "codec/jscan_priv.h"

enum { BLOCK = 64 };

/* One bit an octet, the lowest for the first. */
struct block {
    uint64_t quotes, escapes, opens, closes;
};

#ifdef __SSE2__
#include <emmintrin.h>

static uint64_t bits_equal(__m128i v, char c, unsigned shift)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(c))) << shift;
}

static struct block block_load(const uint8_t *p)
{
    struct block b = {0};

    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        /* '[' and '{', ']' and '}' differ in this bit only. */
        __m128i folded = _mm_or_si128(v, _mm_set1_epi8(0x20));

        b.quotes |= bits_equal(v, '"', i);
        b.escapes |= bits_equal(v, '\\', i);
        b.opens |= bits_equal(folded, '{', i);
        b.closes |= bits_equal(folded, '}', i);
    }
    return b;
}
#else
static struct block block_load(const uint8_t *p)
{
    struct block b = {0};

    for (unsigned i = 0; i < BLOCK; i++) {
        b.quotes |= (uint64_t)(p[i] == '"') << i;
        b.escapes |= (uint64_t)(p[i] == '\\') << i;
        b.opens |= (uint64_t)((p[i] | 0x20) == '{') << i;
        b.closes |= (uint64_t)((p[i] | 0x20) == '}') << i;
    }
    return b;
}
#endif

/* Bit i of the result: an odd number of bits of `x` up to and including i. */
static uint64_t prefix_xor(uint64_t x)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        x ^= x << shift;
    return x;
}

static size_t bit_count(uint64_t x)
{
    x -= x >> 1 & SWAR(0x55);
    x = (x & SWAR(0x33)) + (x >> 2 & SWAR(0x33));
    return (size_t)(((x + (x >> 4)) & SWAR(0x0F)) * SWAR(1) >> 56);
}

/* Octet by octet until `until` is passed or the container ends (*depth is 0 then). */
static const uint8_t *skip_bytes(size_t *depth, const uint8_t *p, const uint8_t *until,
                                 const uint8_t *end)
{
    while (p < until) {
        uint8_t c = *p++;

        if (c == '"')
            p = json_skip_string(p, end);
        else if ((c | 0x20) == '{')
            ++*depth;
        else if ((c | 0x20) == '}' && --*depth == 0)
            break;
    }
    return p;
}

/* The bracket in this block that closes the container, or BLOCK. */
static unsigned find_close(size_t *depth, uint64_t opens, uint64_t closes)
{
    size_t close_count = bit_count(closes);

    if (close_count < *depth) {
        *depth += bit_count(opens) - close_count;
        return BLOCK;
    }
    for (uint64_t m = opens | closes; m != 0; m &= m - 1) {
        unsigned i = (unsigned)__builtin_ctzll(m);

        if ((opens >> i & 1) != 0)
            ++*depth;
        else if (--*depth == 0)
            return i;
    }
    return BLOCK;
}

const uint8_t *json_skip_container(const uint8_t *p, const uint8_t *end)
{
    uint64_t carry = 0; /* all ones while inside a string */
    size_t depth = 1;

    p++;
    while (end - p >= BLOCK) {
        struct block b = block_load(p);
        uint64_t in_string;
        unsigned i;

        if (b.escapes != 0) {
            const uint8_t *until = p + BLOCK;

            if (carry != 0)
                p = json_skip_string(p, end);
            carry = 0;
            p = skip_bytes(&depth, p, until, end);
            if (depth == 0)
                return p;
            continue;
        }
        in_string = prefix_xor(b.quotes) ^ carry;
        i = find_close(&depth, b.opens & ~in_string, b.closes & ~in_string);
        if (i < BLOCK)
            return p + i + 1;
        carry = (in_string >> 63) != 0 ? UINT64_MAX : 0;
        p += BLOCK;
    }
    if (carry != 0)
        p = json_skip_string(p, end);
    return skip_bytes(&depth, p, end, end);
}
