/* Reading a validated JSON text in place. Invariant: every view handed out lies inside the view it
 * was made from; a walk over bytes that are not valid JSON ends early instead of leaving them. */
#include "codec/jscan.h"

#include <math.h>
#include <stdlib.h>

#include "codec/jscan_priv.h"

enum { NUMBER_TEXT_MAX = 320 }; /* digits of a number that is read as a double */

static bool is_scalar_end(uint8_t c)
{
    return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The value that begins at `p`. */
static struct jval value_at(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *from = p;
    enum jval_type type;

    switch (*p) {
    case '"':
        return (struct jval){JVAL_STRING, {from, (size_t)(json_skip_string(p + 1, end) - from)}};
    case '{':
        return (struct jval){JVAL_OBJECT, {from, (size_t)(json_skip_container(p, end) - from)}};
    case '[':
        return (struct jval){JVAL_ARRAY, {from, (size_t)(json_skip_container(p, end) - from)}};
    case 't':
    case 'f':
        type = JVAL_BOOL;
        break;
    case 'n':
        type = JVAL_NULL;
        break;
    default:
        type = JVAL_NUMBER;
        break;
    }
    while (p < end && !is_scalar_end(*p))
        p++;
    return (struct jval){type, {from, (size_t)(p - from)}};
}

struct jiter jscan_iter(struct jval container)
{
    struct jiter it = {{NULL, 0}, container.type == JVAL_OBJECT};

    if ((container.type == JVAL_OBJECT || container.type == JVAL_ARRAY) && container.raw.len >= 2)
        it.rest = bytes_slice(container.raw, 1, container.raw.len - 2);
    return it;
}

static bool iter_stop(struct jiter *it)
{
    it->rest = (struct bytes){NULL, 0};
    return false;
}

bool jscan_next(struct jiter *it, struct jval *name, struct jval *val)
{
    const uint8_t *p = it->rest.ptr;
    const uint8_t *end;

    *val = JVAL_ABSENT;
    if (name != NULL)
        *name = JVAL_ABSENT;
    if (it->rest.len == 0)
        return false;
    end = p + it->rest.len;
    p = json_skip_space(p, end);
    if (p < end && *p == ',')
        p = json_skip_space(p + 1, end);
    if (p < end && it->is_object) {
        struct jval n = value_at(p, end);

        p = json_skip_space(p + n.raw.len, end);
        if (n.type != JVAL_STRING || p >= end || *p != ':')
            return iter_stop(it);
        p = json_skip_space(p + 1, end);
        if (name != NULL)
            *name = n;
    }
    if (p >= end)
        return iter_stop(it);
    *val = value_at(p, end);
    it->rest = bytes_make(p + val->raw.len, (size_t)(end - p) - val->raw.len);
    return val->raw.len > 0 || iter_stop(it);
}

struct jval jscan_member(struct jval obj, const char *name)
{
    struct jscan_field f = {name, JVAL_ABSENT};
    struct jiter it = jscan_iter(obj);
    struct jval key;

    if (obj.type != JVAL_OBJECT)
        return JVAL_ABSENT;
    while (jscan_next(&it, &key, &f.val))
        if (jscan_str_eq_cstr(key, name))
            return f.val;
    return JVAL_ABSENT;
}

size_t jscan_fields(struct jval obj, struct jscan_field *fields, size_t count)
{
    struct jiter it = jscan_iter(obj);
    size_t others = 0;
    struct jval key;
    struct jval val;

    for (size_t i = 0; i < count; i++)
        fields[i].val = JVAL_ABSENT;
    if (obj.type != JVAL_OBJECT)
        return SIZE_MAX;
    while (jscan_next(&it, &key, &val)) {
        size_t i = 0;

        while (i < count && !jscan_str_eq_cstr(key, fields[i].name))
            i++;
        if (i < count)
            fields[i].val = val;
        else
            others++;
    }
    return others;
}

size_t jscan_count(struct jval container)
{
    struct jiter it = jscan_iter(container);
    struct jval val;
    size_t n = 0;

    while (jscan_next(&it, NULL, &val))
        n++;
    return n;
}

struct jval jscan_item(struct jval array, size_t index)
{
    struct jiter it = jscan_iter(array);
    struct jval val = JVAL_ABSENT;

    if (array.type != JVAL_ARRAY)
        return JVAL_ABSENT;
    while (jscan_next(&it, NULL, &val))
        if (index-- == 0)
            return val;
    return JVAL_ABSENT;
}

bool jscan_u64(uint64_t *out, struct jval v, uint64_t max)
{
    *out = 0;
    return v.type == JVAL_NUMBER && bytes_to_u64(out, v.raw, max);
}

bool jscan_i64(int64_t *out, struct jval v)
{
    uint64_t magnitude;

    *out = 0;
    if (v.type != JVAL_NUMBER)
        return false;
    if (v.raw.len > 0 && v.raw.ptr[0] == '-') {
        if (!bytes_to_u64(&magnitude, bytes_slice(v.raw, 1, SIZE_MAX), 1ULL << 63) ||
            magnitude == 0)
            return false;
        *out = magnitude == 1ULL << 63 ? INT64_MIN : -(int64_t)magnitude;
        return true;
    }
    if (!bytes_to_u64(&magnitude, v.raw, INT64_MAX))
        return false;
    *out = (int64_t)magnitude;
    return true;
}

bool jscan_f64(double *out, struct jval v)
{
    char text[NUMBER_TEXT_MAX];
    char *stop;

    *out = 0;
    if (v.type != JVAL_NUMBER || v.raw.len == 0 || v.raw.len >= sizeof(text))
        return false;
    memcpy(text, v.raw.ptr, v.raw.len);
    text[v.raw.len] = '\0';
    *out = strtod(text, &stop);
    if (stop == text + v.raw.len && isfinite(*out))
        return true;
    *out = 0;
    return false;
}

bool jscan_bool(bool *out, struct jval v)
{
    *out = v.type == JVAL_BOOL && v.raw.len > 0 && v.raw.ptr[0] == 't';
    return v.type == JVAL_BOOL;
}

bool jscan_is_nothing(struct jval v)
{
    return v.type == JVAL_NONE || v.type == JVAL_NULL;
}
