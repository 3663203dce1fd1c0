/* The JSON writer. Invariant: what it writes is compact, valid JSON as JSON.stringify would print
 * it, or the buffer has failed. */
#include "codec/jwrite.h"

#include <assert.h>
#include <stdio.h>

#include "codec/jwrite_priv.h"
#include "codec/utf8.h"

struct jw jw_make(struct buf *out)
{
    return (struct jw){.out = out};
}

/* Comma and position before a value or, in an object, before a name. */
static void separate(struct jw *w)
{
    uint64_t bit = 1ULL << w->depth;

    if ((w->nonempty_bits & bit) != 0)
        buf_putc(w->out, ',');
    if (w->depth > 0)
        w->nonempty_bits |= bit;
}

static void before_value(struct jw *w)
{
    bool in_object = (w->object_bits >> w->depth & 1) != 0;

    assert(in_object == w->has_key);
    if (!in_object)
        separate(w);
    w->has_key = false;
}

static void open_container(struct jw *w, bool is_object)
{
    if (w->out->failed)
        return; /* the key before it was not written either */
    before_value(w);
    if (w->depth >= LIMIT_JSON_DEPTH) {
        w->out->failed = true;
        return;
    }
    w->depth++;
    w->nonempty_bits &= ~(1ULL << w->depth);
    w->object_bits &= ~(1ULL << w->depth);
    w->object_bits |= (uint64_t)is_object << w->depth;
    buf_putc(w->out, is_object ? '{' : '[');
}

void jw_object(struct jw *w)
{
    open_container(w, true);
}

void jw_array(struct jw *w)
{
    open_container(w, false);
}

void jw_end(struct jw *w)
{
    if (w->out->failed)
        return;
    assert(w->depth > 0 && !w->has_key);
    buf_putc(w->out, (w->object_bits >> w->depth & 1) != 0 ? '}' : ']');
    w->depth--;
}

void jw_key_bytes(struct jw *w, struct bytes name)
{
    if (w->out->failed)
        return;
    assert((w->object_bits >> w->depth & 1) != 0 && !w->has_key);
    separate(w);
    jw_put_str(w->out, name);
    buf_putc(w->out, ':');
    w->has_key = true;
}

void jw_key(struct jw *w, const char *name)
{
    jw_key_bytes(w, bytes_of(name));
}

void jw_raw(struct jw *w, struct bytes json)
{
    if (w->out->failed)
        return;
    before_value(w);
    buf_put(w->out, json);
}

void jw_str(struct jw *w, struct bytes text)
{
    if (w->out->failed)
        return;
    before_value(w);
    jw_put_str(w->out, text);
}

void jw_cstr(struct jw *w, const char *text)
{
    jw_str(w, bytes_of(text));
}

void jw_hex(struct jw *w, struct bytes octets)
{
    jw_raw(w, BYTES_LIT("\""));
    buf_hex(w->out, octets);
    buf_putc(w->out, '"');
}

void jw_u64(struct jw *w, uint64_t v)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)v);

    jw_raw(w, bytes_make(text, (size_t)len));
}

void jw_i64(struct jw *w, int64_t v)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", (long long)v);

    jw_raw(w, bytes_make(text, (size_t)len));
}

void jw_bool(struct jw *w, bool v)
{
    jw_raw(w, v ? BYTES_LIT("true") : BYTES_LIT("false"));
}

void jw_null(struct jw *w)
{
    jw_raw(w, BYTES_LIT("null"));
}

void jw_key_str(struct jw *w, const char *name, struct bytes text)
{
    jw_key(w, name);
    jw_str(w, text);
}

void jw_key_cstr(struct jw *w, const char *name, const char *text)
{
    jw_key(w, name);
    jw_cstr(w, text);
}

void jw_key_u64(struct jw *w, const char *name, uint64_t v)
{
    jw_key(w, name);
    jw_u64(w, v);
}

void jw_key_raw(struct jw *w, const char *name, struct bytes json)
{
    jw_key(w, name);
    jw_raw(w, json);
}

/* What ECMA-262 QuoteJSONString escapes. */
static void put_escape(struct buf *out, uint8_t c)
{
    static const char from[] = "\b\t\n\f\r\"\\";
    static const char to[] = "btnfr\"\\";
    const char *hit = c == 0 ? NULL : memchr(from, c, sizeof(from) - 1);

    if (hit != NULL) {
        buf_putc(out, '\\');
        buf_putc(out, (uint8_t)to[hit - from]);
    } else {
        buf_putf(out, "\\u%04x", c);
    }
}

static bool needs_escape(uint8_t c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

void jw_put_content(struct buf *out, struct bytes text)
{
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!needs_escape(text.ptr[i]))
            continue;
        buf_put(out, bytes_slice(text, from, i - from));
        put_escape(out, text.ptr[i]);
        from = i + 1;
    }
    buf_put(out, bytes_slice(text, from, SIZE_MAX));
}

void jw_put_str(struct buf *out, struct bytes text)
{
    if (!utf8_is_valid(text))
        out->failed = true;
    buf_putc(out, '"');
    jw_put_content(out, text);
    buf_putc(out, '"');
}
