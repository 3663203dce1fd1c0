/* Strict DER. Invariant: `rest` lies inside the bytes given; a bad cursor has nothing left. */
#include "crypto/der.h"

#include "base/utc.h"

struct der der_over(struct bytes in)
{
    return (struct der){in, false};
}

void der_fail(struct der *d)
{
    d->is_bad = true;
    d->rest = (struct bytes){NULL, 0};
}

bool der_ok(const struct der *d)
{
    return !d->is_bad;
}

bool der_finished(const struct der *d)
{
    return !d->is_bad && d->rest.len == 0;
}

uint8_t der_peek(const struct der *d)
{
    return d->rest.len == 0 ? 0 : d->rest.ptr[0];
}

/* Octets of tag and length, and the content's length; 0 for anything not DER. */
static size_t header_read(size_t *content_len, struct bytes in)
{
    size_t count;
    size_t len = 0;

    if (in.len < 2 || (in.ptr[0] & 0x1f) == 0x1f)
        return 0;
    if (in.ptr[1] < 0x80) {
        *content_len = in.ptr[1];
        return 2;
    }
    count = in.ptr[1] & 0x7fU;
    if (count == 0 || count > 4 || in.len < 2 + count || in.ptr[2] == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        len = len << 8 | in.ptr[2 + i];
    if (len < 0x80)
        return 0;
    *content_len = len;
    return 2 + count;
}

struct bytes der_any(struct der *d, uint8_t *tag, struct bytes *whole)
{
    struct bytes in = d->rest;
    struct bytes content = {NULL, 0};
    size_t len = 0;
    size_t head = header_read(&len, in);

    if (tag != NULL)
        *tag = 0;
    if (whole != NULL)
        *whole = (struct bytes){NULL, 0};
    if (head == 0 || len > in.len - head) {
        der_fail(d);
        return content;
    }
    content = (struct bytes){in.ptr + head, len};
    if (tag != NULL)
        *tag = in.ptr[0];
    if (whole != NULL)
        *whole = (struct bytes){in.ptr, head + len};
    d->rest = (struct bytes){in.ptr + head + len, in.len - head - len};
    return content;
}

struct bytes der_read(struct der *d, uint8_t tag)
{
    if (der_peek(d) != tag) {
        der_fail(d);
        return (struct bytes){NULL, 0};
    }
    return der_any(d, NULL, NULL);
}

struct bytes der_whole(struct der *d, uint8_t tag)
{
    struct bytes whole;

    if (der_peek(d) != tag) {
        der_fail(d);
        return (struct bytes){NULL, 0};
    }
    der_any(d, NULL, &whole);
    return whole;
}

struct der der_enter(struct der *d, uint8_t tag)
{
    struct bytes content = der_read(d, tag);

    return (struct der){content, d->is_bad};
}

/* Content of an INTEGER whose first nine bits are not all equal, as DER demands. */
static struct bytes integer_read(struct der *d, uint8_t tag)
{
    struct bytes c = der_read(d, tag);

    if (c.len == 0 || (c.len > 1 && c.ptr[0] == 0 && c.ptr[1] < 0x80) || c.ptr[0] >= 0x80) {
        der_fail(d);
        return (struct bytes){NULL, 0};
    }
    if (c.ptr[0] == 0)
        c = (struct bytes){c.ptr + 1, c.len - 1};
    return c;
}

struct bytes der_unsigned(struct der *d)
{
    return integer_read(d, DER_INTEGER);
}

uint64_t der_u64(struct der *d, uint8_t tag, uint64_t max)
{
    struct bytes c = integer_read(d, tag);
    uint64_t value = 0;

    if (c.len > sizeof(value)) {
        der_fail(d);
        return 0;
    }
    for (size_t i = 0; i < c.len; i++)
        value = value << 8 | c.ptr[i];
    if (value > max) {
        der_fail(d);
        return 0;
    }
    return value;
}

bool der_bool(struct der *d)
{
    struct bytes c = der_read(d, DER_BOOLEAN);

    if (c.len != 1 || (c.ptr[0] != 0 && c.ptr[0] != 0xff)) {
        der_fail(d);
        return false;
    }
    return c.ptr[0] != 0;
}

struct bytes der_bits(struct der *d)
{
    struct bytes c = der_read(d, DER_BIT_STRING);

    if (c.len < 1 || c.ptr[0] != 0) {
        der_fail(d);
        return (struct bytes){NULL, 0};
    }
    return (struct bytes){c.ptr + 1, c.len - 1};
}

struct bytes der_oid(struct der *d)
{
    struct bytes c = der_read(d, DER_OID);

    if (c.len == 0 || c.ptr[c.len - 1] >= 0x80)
        der_fail(d);
    return c;
}

static int digits(const uint8_t *p, size_t count, bool *ok)
{
    int value = 0;

    for (size_t i = 0; i < count; i++) {
        if (p[i] < '0' || p[i] > '9')
            *ok = false;
        value = value * 10 + (p[i] - '0');
    }
    return value;
}

/* RFC 5280 4.1.2.5: YYMMDDHHMMSSZ through 2049, YYYYMMDDHHMMSSZ from 2050. */
int64_t der_time(struct der *d)
{
    uint8_t tag = der_peek(d);
    size_t year_len = tag == DER_UTC_TIME ? 2 : 4;
    struct bytes c = der_read(d, tag == DER_UTC_TIME ? DER_UTC_TIME : DER_GENERALIZED_TIME);
    struct utc t;
    bool ok = true;
    const uint8_t *p;

    if (c.ptr == NULL || c.len != year_len + 11 || c.ptr[c.len - 1] != 'Z') {
        der_fail(d);
        return 0;
    }
    t.year = digits(c.ptr, year_len, &ok);
    if (year_len == 2)
        t.year += t.year < 50 ? 2000 : 1900;
    p = c.ptr + year_len;
    t.month = digits(p, 2, &ok);
    t.day = digits(p + 2, 2, &ok);
    t.hour = digits(p + 4, 2, &ok);
    t.minute = digits(p + 6, 2, &ok);
    t.second = digits(p + 8, 2, &ok);
    if (!ok || !utc_is_valid(&t)) {
        der_fail(d);
        return 0;
    }
    return utc_to_unix(&t);
}
