/* The strict CBOR reader. Invariant: `rest` always lies inside the bytes it was given. */
#include "codec/cbor.h"

#include "base/limits.h"
#include "codec/utf8.h"

struct cbor cbor_over(struct bytes in)
{
    return (struct cbor){in, false};
}

void cbor_fail(struct cbor *c)
{
    *c = (struct cbor){{NULL, 0}, true};
}

bool cbor_ok(const struct cbor *c)
{
    return !c->is_bad;
}

bool cbor_finished(const struct cbor *c)
{
    return !c->is_bad && c->rest.len == 0;
}

int cbor_peek(const struct cbor *c)
{
    return c->is_bad || c->rest.len == 0 ? -1 : c->rest.ptr[0] >> 5;
}

static void advance(struct cbor *c, size_t len)
{
    c->rest = bytes_slice(c->rest, len, SIZE_MAX);
}

/* The argument behind the first octet; refuses indefinite lengths and longer spellings than needed.
 */
static uint64_t argument_read(struct cbor *c)
{
    static const uint64_t least[4] = {24, 1ULL << 8, 1ULL << 16, 1ULL << 32};
    unsigned info = c->rest.ptr[0] & 31;
    size_t len = info < 24 ? 0 : info > 27 ? SIZE_MAX : (size_t)1 << (info - 24);
    uint64_t value = info;

    if (len > c->rest.len - 1) {
        cbor_fail(c);
        return 0;
    }
    if (len > 0)
        value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | c->rest.ptr[1 + i];
    if (len > 0 && value < least[info - 24]) {
        cbor_fail(c);
        return 0;
    }
    advance(c, 1 + len);
    return value;
}

uint64_t cbor_head(struct cbor *c, enum cbor_type type)
{
    if (cbor_peek(c) != (int)type) {
        cbor_fail(c);
        return 0;
    }
    return argument_read(c);
}

static struct bytes string_read(struct cbor *c, enum cbor_type type)
{
    uint64_t len = cbor_head(c, type);
    struct bytes out = {NULL, 0};

    if (len > c->rest.len) {
        cbor_fail(c);
        return out;
    }
    out = bytes_slice(c->rest, 0, (size_t)len);
    advance(c, (size_t)len);
    return out;
}

struct bytes cbor_bytes(struct cbor *c)
{
    return string_read(c, CBOR_BYTES);
}

struct bytes cbor_text(struct cbor *c)
{
    struct bytes out = string_read(c, CBOR_TEXT);

    if (!utf8_is_valid(out)) {
        cbor_fail(c);
        return (struct bytes){NULL, 0};
    }
    return out;
}

int64_t cbor_int(struct cbor *c)
{
    bool is_negative = cbor_peek(c) == CBOR_NINT;
    uint64_t value = cbor_head(c, is_negative ? CBOR_NINT : CBOR_UINT);

    if (value > INT64_MAX) {
        cbor_fail(c);
        return 0;
    }
    return is_negative ? -1 - (int64_t)value : (int64_t)value;
}

static void item_skip(struct cbor *c, unsigned depth);

static void items_skip(struct cbor *c, uint64_t count, unsigned depth)
{
    /* an item has at least one octet, so a count beyond what is left is a lie */
    if (count > c->rest.len)
        cbor_fail(c);
    for (uint64_t i = 0; i < count && !c->is_bad; i++)
        item_skip(c, depth + 1);
}

static void item_skip(struct cbor *c, unsigned depth)
{
    int type = cbor_peek(c);
    uint64_t value;

    if (depth > LIMIT_CBOR_DEPTH || type < 0) {
        cbor_fail(c);
        return;
    }
    switch ((enum cbor_type)type) {
    case CBOR_BYTES:
        (void)cbor_bytes(c);
        break;
    case CBOR_TEXT:
        (void)cbor_text(c);
        break;
    case CBOR_UINT:
    case CBOR_NINT:
        (void)cbor_head(c, (enum cbor_type)type);
        break;
    case CBOR_ARRAY:
        items_skip(c, cbor_head(c, CBOR_ARRAY), depth);
        break;
    case CBOR_MAP:
        value = cbor_head(c, CBOR_MAP);
        if (value > c->rest.len)
            cbor_fail(c);
        else
            items_skip(c, 2 * value, depth);
        break;
    case CBOR_TAG:
        (void)cbor_head(c, CBOR_TAG);
        item_skip(c, depth + 1);
        break;
    case CBOR_SIMPLE:
        value = cbor_head(c, CBOR_SIMPLE);
        if (value < 20 || value > 22)
            cbor_fail(c);
        break;
    }
}

struct bytes cbor_skip(struct cbor *c)
{
    struct bytes before = c->rest;

    item_skip(c, 0);
    return c->is_bad ? (struct bytes){NULL, 0} : bytes_slice(before, 0, before.len - c->rest.len);
}

/* Whether the key's bytes have occurred before in the map: shortest encodings make bytes decide. */
static bool key_is_double(struct bytes map_body, const uint8_t *end, struct bytes key)
{
    struct cbor c = cbor_over(bytes_make(map_body.ptr, (size_t)(end - map_body.ptr)));

    while (cbor_peek(&c) >= 0) {
        if (bytes_eq(cbor_skip(&c), key))
            return true;
        cbor_skip(&c);
    }
    return false;
}

bool cbor_map_get(struct bytes *value, struct bytes item, int64_t key)
{
    struct cbor c = cbor_over(item);
    uint64_t count = cbor_head(&c, CBOR_MAP);
    struct bytes body = c.rest;

    *value = (struct bytes){NULL, 0};
    if (count > LIMIT_CBOR_MEMBERS)
        return false;
    for (uint64_t i = 0; i < count && !c.is_bad; i++) {
        int type = cbor_peek(&c);
        struct bytes name = cbor_skip(&c);
        struct cbor k = cbor_over(name);
        struct bytes found;

        if (type != CBOR_UINT && type != CBOR_NINT && type != CBOR_TEXT)
            cbor_fail(&c);
        found = cbor_skip(&c);
        if (c.is_bad || key_is_double(body, name.ptr, name))
            return false;
        if (type != CBOR_TEXT && cbor_int(&k) == key && cbor_ok(&k))
            *value = found;
    }
    if (cbor_finished(&c))
        return true;
    *value = (struct bytes){NULL, 0};
    return false;
}
