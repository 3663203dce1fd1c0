/* DER writer. An open element is written without its length; close measures what follows the mark
 * and moves it to make room. Documents are small, so the moving costs nothing that matters. */
#include "crypto/der_write.h"

#include <assert.h>

#include "base/utc.h"

enum { LONG_FORM = 0x80, LENGTH_MAX_LEN = 5, FIRST_GENERALIZED_YEAR = 2050 };

size_t der_open(struct buf *b, uint8_t tag)
{
    buf_putc(b, tag);
    return b->len;
}

/* Shortest definite form; returns its octets. */
static size_t length_encode(uint8_t out[static LENGTH_MAX_LEN], size_t len)
{
    size_t octets = 0;

    if (len < LONG_FORM) {
        out[0] = (uint8_t)len;
        return 1;
    }
    for (size_t rest = len; rest > 0; rest >>= 8)
        octets++;
    assert(octets < LENGTH_MAX_LEN);
    out[0] = (uint8_t)(LONG_FORM | octets);
    for (size_t i = 0; i < octets; i++)
        out[1 + i] = (uint8_t)(len >> (8 * (octets - 1 - i)));
    return 1 + octets;
}

void der_close(struct buf *b, size_t mark)
{
    uint8_t header[LENGTH_MAX_LEN];
    size_t content_len;
    size_t header_len;

    if (b->failed)
        return;
    assert(mark <= b->len);
    content_len = b->len - mark;
    header_len = length_encode(header, content_len);
    if (buf_reserve(b, header_len) == NULL)
        return;
    memmove(b->ptr + mark + header_len, b->ptr + mark, content_len);
    memcpy(b->ptr + mark, header, header_len);
    buf_commit(b, header_len);
}

void der_put(struct buf *b, uint8_t tag, struct bytes content)
{
    uint8_t header[LENGTH_MAX_LEN];

    buf_putc(b, tag);
    buf_put(b, bytes_make(header, length_encode(header, content.len)));
    buf_put(b, content);
}

static void put_magnitude(struct buf *b, uint8_t tag, struct bytes magnitude)
{
    size_t mark = der_open(b, tag);

    while (magnitude.len > 0 && magnitude.ptr[0] == 0)
        magnitude = bytes_slice(magnitude, 1, magnitude.len);
    if (magnitude.len == 0 || magnitude.ptr[0] >= 0x80)
        buf_putc(b, 0);
    buf_put(b, magnitude);
    der_close(b, mark);
}

void der_put_unsigned(struct buf *b, struct bytes magnitude)
{
    put_magnitude(b, DER_INTEGER, magnitude);
}

void der_put_u64(struct buf *b, uint8_t tag, uint64_t v)
{
    uint8_t be[8];

    for (size_t i = 0; i < sizeof(be); i++)
        be[i] = (uint8_t)(v >> (8 * (7 - i)));
    put_magnitude(b, tag, BYTES_ARRAY(be));
}

void der_put_bool(struct buf *b, bool v)
{
    uint8_t octet = v ? 0xff : 0;

    der_put(b, DER_BOOLEAN, bytes_make(&octet, 1));
}

void der_put_null(struct buf *b)
{
    der_put(b, DER_NULL, (struct bytes){NULL, 0});
}

/* One arc, seven bits an octet, high bit on all but the last. */
static void put_arc(struct buf *b, uint64_t arc)
{
    for (unsigned shift = 63; shift > 0; shift -= 7)
        if (arc >> shift != 0)
            buf_putc(b, (uint8_t)(0x80 | (arc >> shift & 0x7f)));
    buf_putc(b, (uint8_t)(arc & 0x7f));
}

void der_put_oid(struct buf *b, const char *dotted)
{
    size_t mark = der_open(b, DER_OID);
    struct bytes rest = bytes_of(dotted);
    uint64_t first = 0;

    for (size_t i = 0; rest.len > 0; i++) {
        size_t dot = bytes_find_byte(rest, '.');
        uint64_t arc = 0;
        bool ok = bytes_to_u64(&arc, bytes_slice(rest, 0, dot), UINT64_MAX / 2);

        assert(ok);
        if (i == 0)
            first = arc * 40;
        else
            put_arc(b, i == 1 ? first + arc : arc);
        rest = dot == SIZE_MAX ? (struct bytes){NULL, 0} : bytes_slice(rest, dot + 1, rest.len);
    }
    der_close(b, mark);
}

void der_put_bits(struct buf *b, struct bytes content)
{
    size_t mark = der_open(b, DER_BIT_STRING);

    buf_putc(b, 0);
    buf_put(b, content);
    der_close(b, mark);
}

void der_put_generalized_time(struct buf *b, int64_t unix_s)
{
    struct utc t = utc_from_unix(unix_s);
    size_t mark = der_open(b, DER_GENERALIZED_TIME);

    buf_putf(b, "%04d%02d%02d%02d%02d%02dZ", t.year, t.month, t.day, t.hour, t.minute, t.second);
    der_close(b, mark);
}

void der_put_time(struct buf *b, int64_t unix_s)
{
    struct utc t = utc_from_unix(unix_s);
    size_t mark;

    if (t.year >= FIRST_GENERALIZED_YEAR) {
        der_put_generalized_time(b, unix_s);
        return;
    }
    mark = der_open(b, DER_UTC_TIME);
    buf_putf(b, "%02d%02d%02d%02d%02d%02dZ", t.year % 100, t.month, t.day, t.hour, t.minute,
             t.second);
    der_close(b, mark);
}
