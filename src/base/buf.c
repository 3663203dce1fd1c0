/* The growing output buffer. Invariant: len <= cap, and cap <= limit + 1 (room for buf_cstr's NUL).
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST_CAP = 256 };

struct buf buf_make(size_t limit)
{
    return (struct buf){.limit = limit};
}

struct buf buf_make_secret(size_t limit)
{
    return (struct buf){.limit = limit, .is_secret = true};
}

struct buf buf_over(uint8_t *mem, size_t cap)
{
    return (struct buf){.ptr = mem, .cap = cap, .limit = cap, .is_fixed = true};
}

static void memory_drop(struct buf *b)
{
    if (b->is_secret && b->ptr != NULL)
        explicit_bzero(b->ptr, b->cap);
    if (!b->is_fixed)
        free(b->ptr);
}

void buf_done(struct buf *b)
{
    if (b == NULL)
        return;
    memory_drop(b);
    if (!b->is_fixed) {
        b->ptr = NULL;
        b->cap = 0;
    }
    b->len = 0;
    b->failed = false;
}

void buf_reset(struct buf *b)
{
    if (b->is_secret && b->ptr != NULL)
        explicit_bzero(b->ptr, b->len);
    b->len = 0;
    b->failed = false;
}

static bool grow(struct buf *b, size_t need)
{
    size_t cap = b->cap == 0 ? BUF_FIRST_CAP : b->cap;
    uint8_t *mem;

    while (cap < need && cap <= SIZE_MAX / 2)
        cap *= 2;
    if (cap > b->limit + 1)
        cap = b->limit + 1;
    mem = malloc(cap);
    if (mem == NULL)
        return false;
    if (b->len > 0)
        memcpy(mem, b->ptr, b->len);
    memory_drop(b);
    b->ptr = mem;
    b->cap = cap;
    return true;
}

uint8_t *buf_reserve(struct buf *b, size_t extra)
{
    size_t need;

    if (b->failed)
        return NULL;
    if (!size_add(&need, b->len, extra) || need > b->limit || b->limit == SIZE_MAX ||
        (need > b->cap && (b->is_fixed || !grow(b, need)))) {
        b->failed = true;
        return NULL;
    }
    if (b->ptr == NULL && !b->is_fixed && !grow(b, 1)) {
        b->failed = true;
        return NULL;
    }
    return b->ptr + b->len;
}

void buf_commit(struct buf *b, size_t count)
{
    if (!b->failed)
        b->len += count;
}

void buf_put(struct buf *b, struct bytes in)
{
    uint8_t *to;

    if (in.len == 0)
        return;
    to = buf_reserve(b, in.len);
    if (to == NULL)
        return;
    memcpy(to, in.ptr, in.len);
    buf_commit(b, in.len);
}

void buf_putc(struct buf *b, uint8_t c)
{
    buf_put(b, (struct bytes){&c, 1});
}

void buf_puts(struct buf *b, const char *cstr)
{
    buf_put(b, bytes_of(cstr));
}

void buf_fill(struct buf *b, uint8_t c, size_t count)
{
    uint8_t *to = count == 0 ? NULL : buf_reserve(b, count);

    if (to == NULL)
        return;
    memset(to, c, count);
    buf_commit(b, count);
}

void buf_putf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_list again;
    int need;
    char small[256];

    va_start(args, fmt);
    va_copy(again, args);
    need = vsnprintf(small, sizeof(small), fmt, args);
    va_end(args);
    if (need < 0) {
        b->failed = true;
    } else if ((size_t)need < sizeof(small)) {
        buf_put(b, bytes_make(small, (size_t)need));
    } else {
        char *big = malloc((size_t)need + 1);

        if (big == NULL || vsnprintf(big, (size_t)need + 1, fmt, again) != need)
            b->failed = true;
        else
            buf_put(b, bytes_make(big, (size_t)need));
        if (big != NULL && b->is_secret)
            explicit_bzero(big, (size_t)need + 1);
        free(big);
    }
    if (b->is_secret)
        explicit_bzero(small, sizeof(small));
    va_end(again);
}

static void put_le(struct buf *b, uint64_t v, size_t len)
{
    uint8_t out[8];

    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(v >> (8 * i));
    buf_put(b, bytes_make(out, len));
}

static void put_be(struct buf *b, uint64_t v, size_t len)
{
    uint8_t out[8];

    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(v >> (8 * (len - 1 - i)));
    buf_put(b, bytes_make(out, len));
}

void buf_u16le(struct buf *b, uint16_t v)
{
    put_le(b, v, 2);
}

void buf_u24le(struct buf *b, uint32_t v)
{
    put_le(b, v, 3);
}

void buf_u32le(struct buf *b, uint32_t v)
{
    put_le(b, v, 4);
}

void buf_u64le(struct buf *b, uint64_t v)
{
    put_le(b, v, 8);
}

void buf_u16be(struct buf *b, uint16_t v)
{
    put_be(b, v, 2);
}

void buf_u32be(struct buf *b, uint32_t v)
{
    put_be(b, v, 4);
}

void buf_hex(struct buf *b, struct bytes in)
{
    static const char digits[] = "0123456789abcdef";
    size_t need;
    uint8_t *to = in.len != 0 && size_mul(&need, in.len, 2) ? buf_reserve(b, need) : NULL;

    if (to == NULL) {
        b->failed = b->failed || in.len != 0;
        return;
    }
    for (size_t i = 0; i < in.len; i++) {
        to[2 * i] = (uint8_t)digits[in.ptr[i] >> 4];
        to[2 * i + 1] = (uint8_t)digits[in.ptr[i] & 15];
    }
    buf_commit(b, need);
}

void buf_consume(struct buf *b, size_t count)
{
    if (count > b->len)
        count = b->len;
    if (count == 0)
        return;
    memmove(b->ptr, b->ptr + count, b->len - count);
    b->len -= count;
}

struct bytes buf_bytes(const struct buf *b)
{
    if (b->failed)
        return (struct bytes){NULL, 0};
    return (struct bytes){b->ptr, b->len};
}

const char *buf_cstr(struct buf *b)
{
    if (b->failed)
        return NULL;
    if (b->len == b->cap && (b->is_fixed || !grow(b, b->len + 1)))
        return NULL;
    b->ptr[b->len] = 0;
    return (const char *)b->ptr;
}

enum tacit_err buf_err(const struct buf *b)
{
    return b->failed ? TACIT_NOMEM : TACIT_OK;
}
