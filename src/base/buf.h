/* A growing output buffer with a limit set at birth and a sticky failure: writers write a straight
 * list and ask `failed` once. A failed buffer takes nothing more and shows nothing. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"
#include "base/err.h"

struct buf {
    uint8_t *ptr;
    size_t len;
    size_t cap;
    size_t limit;   /* octets; a write beyond it fails the buffer */
    bool is_fixed;  /* over the caller's memory: never grows, never freed */
    bool is_secret; /* erased when it moves or goes */
    bool failed;
};

/* Heap buffer of at most `limit` octets. Allocates nothing until written to. */
struct buf buf_make(size_t limit);
/* The same, whose memory is erased whenever it is given up. */
struct buf buf_make_secret(size_t limit);
/* Buffer over the caller's memory; `buf_done` leaves it alone. */
struct buf buf_over(uint8_t *mem, size_t cap);
/* Frees (and erases, if secret); accepts a zeroed struct; leaves it empty and usable. */
void buf_done(struct buf *b);
/* Forgets content and failure, keeps memory. */
void buf_reset(struct buf *b);

void buf_put(struct buf *b, struct bytes in);
void buf_putc(struct buf *b, uint8_t c);
void buf_puts(struct buf *b, const char *cstr);
void buf_putf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_fill(struct buf *b, uint8_t c, size_t count);
void buf_u16le(struct buf *b, uint16_t v);
void buf_u24le(struct buf *b, uint32_t v);
void buf_u32le(struct buf *b, uint32_t v);
void buf_u64le(struct buf *b, uint64_t v);
void buf_u16be(struct buf *b, uint16_t v);
void buf_u32be(struct buf *b, uint32_t v);
/* Lower-case hex of `in`. */
void buf_hex(struct buf *b, struct bytes in);

/* Removes `count` octets from the front (clamped). */
void buf_consume(struct buf *b, size_t count);
/* Makes room for `extra` octets and returns where they go, or NULL (and fails). After writing n of
 * them, call buf_commit(b, n). */
uint8_t *buf_reserve(struct buf *b, size_t extra);
void buf_commit(struct buf *b, size_t count);

/* The content; empty if failed. Valid until the next write. */
struct bytes buf_bytes(const struct buf *b);
/* Content as a NUL-terminated string owned by the buffer (the NUL is not counted), or NULL. */
const char *buf_cstr(struct buf *b);
/* TACIT_OK, or TACIT_NOMEM if a write failed for the limit or for memory. */
MUST_CHECK enum tacit_err buf_err(const struct buf *b);

#endif
