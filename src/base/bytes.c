/* Helpers over borrowed views: comparing, searching, cutting. Invariant: never reads outside a
 * view. */
#include "base/bytes.h"

struct bytes bytes_of(const char *cstr)
{
    return (struct bytes){(const uint8_t *)cstr, cstr == NULL ? 0 : strlen(cstr)};
}

struct bytes bytes_make(const void *ptr, size_t len)
{
    return (struct bytes){ptr, len};
}

struct bytes bytes_slice(struct bytes b, size_t from, size_t len)
{
    if (from >= b.len)
        return (struct bytes){NULL, 0};
    if (len > b.len - from)
        len = b.len - from;
    return (struct bytes){b.ptr + from, len};
}

bool bytes_eq(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool bytes_eq_cstr(struct bytes a, const char *cstr)
{
    return bytes_eq(a, bytes_of(cstr));
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool bytes_eq_nocase(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool bytes_starts_with(struct bytes b, struct bytes prefix)
{
    return b.len >= prefix.len && bytes_eq(bytes_slice(b, 0, prefix.len), prefix);
}

bool bytes_ends_with(struct bytes b, struct bytes suffix)
{
    return b.len >= suffix.len && bytes_eq(bytes_slice(b, b.len - suffix.len, suffix.len), suffix);
}

size_t bytes_find(struct bytes b, struct bytes needle)
{
    const uint8_t *hit;

    if (needle.len == 0)
        return 0;
    if (b.len < needle.len)
        return SIZE_MAX;
    hit = memmem(b.ptr, b.len, needle.ptr, needle.len);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - b.ptr);
}

size_t bytes_find_byte(struct bytes b, uint8_t byte)
{
    const uint8_t *hit = b.len == 0 ? NULL : memchr(b.ptr, byte, b.len);

    return hit == NULL ? SIZE_MAX : (size_t)(hit - b.ptr);
}

bool bytes_is_zero(struct bytes b)
{
    uint8_t any = 0;

    for (size_t i = 0; i < b.len; i++)
        any |= b.ptr[i];
    return any == 0;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct bytes bytes_trim(struct bytes b)
{
    while (b.len > 0 && is_space(b.ptr[0]))
        b = bytes_slice(b, 1, b.len - 1);
    while (b.len > 0 && is_space(b.ptr[b.len - 1]))
        b.len--;
    return b;
}

int bytes_cmp(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

int bytes_hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool size_add(size_t *out, size_t a, size_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

bool size_mul(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool bytes_to_u64(uint64_t *out, struct bytes b, uint64_t max)
{
    uint64_t value = 0;

    *out = 0;
    if (b.len == 0 || (b.len > 1 && b.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] < '0' || b.ptr[i] > '9' || __builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(b.ptr[i] - '0'), &value) || value > max)
            return false;
    }
    *out = value;
    return true;
}
