/* The cursor over untrusted bytes. Invariant: `rest` always lies inside the bytes it was given. */
#include "base/reader.h"

struct reader reader_over(struct bytes in)
{
    return (struct reader){in, false};
}

struct bytes read_bytes(struct reader *r, size_t len)
{
    struct bytes out;

    if (r->is_bad || len > r->rest.len) {
        reader_fail(r);
        return (struct bytes){NULL, 0};
    }
    out = (struct bytes){r->rest.ptr, len};
    r->rest = (struct bytes){len == 0 ? r->rest.ptr : r->rest.ptr + len, r->rest.len - len};
    return out;
}

static uint64_t read_le(struct reader *r, size_t len)
{
    struct bytes b = read_bytes(r, len);
    uint64_t value = 0;

    for (size_t i = b.len; i > 0; i--)
        value = value << 8 | b.ptr[i - 1];
    return value;
}

static uint64_t read_be(struct reader *r, size_t len)
{
    struct bytes b = read_bytes(r, len);
    uint64_t value = 0;

    for (size_t i = 0; i < b.len; i++)
        value = value << 8 | b.ptr[i];
    return value;
}

uint8_t read_u8(struct reader *r)
{
    return (uint8_t)read_le(r, 1);
}

uint16_t read_u16le(struct reader *r)
{
    return (uint16_t)read_le(r, 2);
}

uint32_t read_u24le(struct reader *r)
{
    return (uint32_t)read_le(r, 3);
}

uint32_t read_u32le(struct reader *r)
{
    return (uint32_t)read_le(r, 4);
}

uint64_t read_u64le(struct reader *r)
{
    return read_le(r, 8);
}

uint16_t read_u16be(struct reader *r)
{
    return (uint16_t)read_be(r, 2);
}

uint32_t read_u32be(struct reader *r)
{
    return (uint32_t)read_be(r, 4);
}

void read_into(struct reader *r, uint8_t *out, size_t len)
{
    struct bytes b = read_bytes(r, len);

    if (b.len == len && len > 0)
        memcpy(out, b.ptr, len);
    else if (len > 0)
        memset(out, 0, len);
}

size_t reader_left(const struct reader *r)
{
    return r->rest.len;
}

bool reader_ok(const struct reader *r)
{
    return !r->is_bad;
}

bool reader_finished(const struct reader *r)
{
    return !r->is_bad && r->rest.len == 0;
}

void reader_fail(struct reader *r)
{
    r->is_bad = true;
    r->rest = (struct bytes){NULL, 0};
}
