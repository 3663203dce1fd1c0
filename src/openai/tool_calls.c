/* Repair of arguments in the engine's copy of a conversation. Invariant: arguments that are a
 * string holding a JSON object come out byte for byte, and so does all that is around arguments. */
#include "openai/tool_calls.h"

#include "codec/jwrite.h"

static const struct bytes nothing_called = {(const uint8_t *)"\"{}\"", 4};

/* Appends the string of an object whose member "value" is `json`. */
static void put_wrapped(struct buf *out, struct bytes json)
{
    struct buf object = buf_make_secret(json.len + 16);

    buf_puts(&object, "{\"value\":");
    buf_put(&object, json);
    buf_putc(&object, '}');
    if (object.failed)
        out->failed = true;
    jw_put_str(out, buf_bytes(&object));
    buf_done(&object);
}

/* A JSON value where text of an object should be; `json` is that value. */
static void put_text_of(struct buf *out, struct jval json)
{
    struct buf inner = buf_make_secret(json.raw.len + 1);
    struct jval object;

    if (json.type == JVAL_NULL) {
        buf_put(out, nothing_called);
    } else if (json.type == JVAL_STRING) {
        if (jscan_str_copy(&inner, json) != TACIT_OK)
            out->failed = true;
        /* Encoded twice: the inner text is what was meant. */
        if (jscan_object(&object, buf_bytes(&inner)) == TACIT_OK)
            jw_put_str(out, buf_bytes(&inner));
        else
            put_wrapped(out, json.raw);
    } else {
        put_wrapped(out, json.raw);
    }
    buf_done(&inner);
}

static bool is_blank(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return false;
    }
    return true;
}

/* Text that is no JSON goes in as a string. */
static void put_wrapped_text(struct buf *out, struct bytes text)
{
    struct buf string = buf_make_secret(6 * text.len + 2);

    jw_put_str(&string, text);
    if (string.failed)
        out->failed = true;
    put_wrapped(out, buf_bytes(&string));
    buf_done(&string);
}

/* Appends what stands for `arguments`, a string; false, and nothing, if it is good as it is. What
 * is too deep for us to judge is not ours to change. */
static bool repair_string(struct buf *out, struct jval arguments)
{
    struct buf text = buf_make_secret(arguments.raw.len + 1);
    bool has_change = true;
    struct jval json;
    enum tacit_err err;

    if (jscan_str_copy(&text, arguments) != TACIT_OK)
        out->failed = true;
    err = jscan_validate(&json, NULL, buf_bytes(&text));
    if (err == TACIT_LIMIT || (err == TACIT_OK && json.type == JVAL_OBJECT))
        has_change = false;
    else if (err == TACIT_OK)
        put_text_of(out, json);
    else if (is_blank(buf_bytes(&text)))
        buf_put(out, nothing_called);
    else
        put_wrapped_text(out, buf_bytes(&text));
    buf_done(&text);
    return has_change;
}

/* The same for a value of any type that is there. */
static bool repair_arguments(struct buf *out, struct jval arguments)
{
    if (arguments.type == JVAL_STRING)
        return repair_string(out, arguments);
    if (arguments.type == JVAL_OBJECT)
        jw_put_str(out, arguments.raw);
    else
        put_text_of(out, arguments);
    return true;
}

static struct bytes between(const uint8_t *from, const uint8_t *to)
{
    return bytes_make(from, (size_t)(to - from));
}

/* One function object: copies from `*at` to its arguments, and past them what stands for them. */
static bool repair_function(struct buf *out, const uint8_t **at, struct jval function)
{
    struct jval arguments = jscan_member(function, "arguments");
    struct buf fixed = buf_make_secret(2 * arguments.raw.len + 32);
    const uint8_t *from = arguments.raw.ptr;
    bool has_change = true;

    if (arguments.type == JVAL_NONE) {
        from = function.raw.ptr + 1;
        buf_puts(&fixed,
                 jscan_count(function) > 0 ? "\"arguments\":\"{}\"," : "\"arguments\":\"{}\"");
    } else {
        has_change = repair_arguments(&fixed, arguments);
    }
    if (has_change) {
        buf_put(out, between(*at, from));
        buf_put(out, buf_bytes(&fixed));
        *at = from + arguments.raw.len;
    }
    if (fixed.failed)
        out->failed = true;
    buf_done(&fixed);
    return has_change;
}

bool tool_calls_repair(struct buf *out, struct jval calls)
{
    struct jiter it = jscan_iter(calls);
    const uint8_t *at = calls.raw.ptr; /* end of what was copied */
    bool has_change = false;
    struct jval call;

    if (calls.type != JVAL_ARRAY)
        return false;
    while (jscan_next(&it, NULL, &call)) {
        struct jval function = jscan_member(call, "function");

        if (function.type == JVAL_OBJECT && repair_function(out, &at, function))
            has_change = true;
    }
    if (has_change)
        buf_put(out, between(at, calls.raw.ptr + calls.raw.len));
    return has_change;
}
