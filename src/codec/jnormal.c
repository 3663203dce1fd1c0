/* JSON values respelled as JavaScript would. Invariant: the value means the same; only its spelling
 * and, for integer-like names, the order of members change. */
#include "codec/jnormal.h"

#include "codec/jscan_priv.h"
#include "codec/jwrite.h"
#include "codec/jwrite_priv.h"

enum { INDEX_NAMES_MAX = 256 };

/* JavaScript's largest array index; larger integers are names like any other. */
static const uint64_t index_max = 4294967294U;

static void put_string(struct buf *out, struct jval s)
{
    struct bytes in = bytes_slice(s.raw, 1, s.raw.len - 2);
    uint8_t one[4];

    if (bytes_find_byte(in, '\\') == SIZE_MAX) {
        buf_put(out, s.raw);
        return;
    }
    buf_putc(out, '"');
    while (in.len > 0) {
        size_t run = bytes_find_byte(in, '\\');
        size_t len = 0;
        size_t used;

        buf_put(out, bytes_slice(in, 0, run));
        if (run == SIZE_MAX)
            break;
        in = bytes_slice(in, run, SIZE_MAX);
        used = jstr_escape(one, &len, in.ptr, in.ptr + in.len);
        if (used == 0) {
            out->failed = true;
            return;
        }
        jw_put_content(out, bytes_make(one, len));
        in = bytes_slice(in, used, SIZE_MAX);
    }
    buf_putc(out, '"');
}

/* Whether a name is an array index: those come first, by number. */
static bool is_index(uint64_t *index, struct jval name)
{
    uint8_t text[16];
    struct buf b = buf_over(text, sizeof(text));

    return jscan_str_copy(&b, name) == TACIT_OK && bytes_to_u64(index, buf_bytes(&b), index_max);
}

static void put_value(struct buf *out, struct jval v, unsigned depth);

static void put_member(struct buf *out, struct jval name, struct jval val, unsigned depth)
{
    if (out->len > 0 && out->ptr[out->len - 1] != '{')
        buf_putc(out, ',');
    put_string(out, name);
    buf_putc(out, ':');
    put_value(out, val, depth);
}

/* The member with the smallest index not below `from`. */
static bool next_index(struct jval object, uint64_t *from, struct jval *name, struct jval *val)
{
    struct jiter it = jscan_iter(object);
    uint64_t best = UINT64_MAX;
    struct jval n;
    struct jval v;
    uint64_t index;

    while (jscan_next(&it, &n, &v)) {
        if (!is_index(&index, n) || index < *from || index >= best)
            continue;
        best = index;
        *name = n;
        *val = v;
    }
    *from = best;
    return best != UINT64_MAX;
}

static void put_object(struct buf *out, struct jval object, unsigned depth)
{
    struct jiter it = jscan_iter(object);
    uint64_t index = 0;
    size_t indexed = 0;
    struct jval name;
    struct jval val;

    while (jscan_next(&it, &name, &val))
        indexed += is_index(&index, name);
    if (indexed > INDEX_NAMES_MAX)
        out->failed = true;
    buf_putc(out, '{');
    index = 0;
    while (indexed > 0 && !out->failed && next_index(object, &index, &name, &val)) {
        put_member(out, name, val, depth);
        index++;
    }
    it = jscan_iter(object);
    while (!out->failed && jscan_next(&it, &name, &val))
        if (indexed == 0 || !is_index(&index, name))
            put_member(out, name, val, depth);
    buf_putc(out, '}');
}

static void put_array(struct buf *out, struct jval array, unsigned depth)
{
    struct jiter it = jscan_iter(array);
    struct jval val;
    bool is_first = true;

    buf_putc(out, '[');
    while (!out->failed && jscan_next(&it, NULL, &val)) {
        if (!is_first)
            buf_putc(out, ',');
        is_first = false;
        put_value(out, val, depth);
    }
    buf_putc(out, ']');
}

static void put_value(struct buf *out, struct jval v, unsigned depth)
{
    if (depth > LIMIT_JSON_DEPTH) {
        out->failed = true;
        return;
    }
    switch (v.type) {
    case JVAL_NONE:
        break;
    case JVAL_NULL:
    case JVAL_BOOL:
        buf_put(out, v.raw);
        break;
    case JVAL_NUMBER:
        jw_put_js_number(out, v.raw);
        break;
    case JVAL_STRING:
        put_string(out, v);
        break;
    case JVAL_ARRAY:
        put_array(out, v, depth + 1);
        break;
    case JVAL_OBJECT:
        put_object(out, v, depth + 1);
        break;
    }
}

void jnormal_put(struct buf *out, struct jval v)
{
    put_value(out, v, 0);
}
