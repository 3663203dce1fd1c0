/* Surgical edits of a JSON object's members. Invariant: what is not named by an edit (and, for the
 * engine's copy, is no unknown field) comes out byte for byte, white space included. */
#include "openai/rewrite.h"

#include "codec/jwrite.h"
#include "openai/tool_calls.h"

struct rewrite {
    struct buf *out;
    const struct rewrite_edit *edits;
    size_t count;
    uint64_t done; /* bit i: edit i found its member */
    bool drops_unknown;
};

enum {
    EDITS_MAX = 16,
    /* Arguments of tool calls that are made a string can double. */
    ENGINE_BODY_MAX = 2 * LIMIT_BODY_BYTES + 1024,
};

static bool is_unknown(struct jval name)
{
    uint8_t mem[64];
    struct buf b = buf_over(mem, sizeof(mem));

    return jscan_str_copy(&b, name) != TACIT_OK ||
           openai_field_class(buf_bytes(&b)) == OPENAI_FIELD_UNKNOWN;
}

/* The member's new value; empty when it goes. */
static struct bytes new_value(struct rewrite *r, struct jval name, struct jval val)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!jscan_str_eq_cstr(name, r->edits[i].name))
            continue;
        r->done |= 1ULL << i;
        return r->edits[i].json;
    }
    return r->drops_unknown && is_unknown(name) ? (struct bytes){NULL, 0} : val.raw;
}

static struct bytes between(const uint8_t *from, const uint8_t *to)
{
    return bytes_make(from, (size_t)(to - from));
}

static enum tacit_err rewrite_object(struct rewrite *r, struct jval root)
{
    struct jiter it = jscan_iter(root);
    const uint8_t *at = root.raw.ptr + 1; /* end of what was read */
    const uint8_t *end = root.raw.ptr + root.raw.len;
    bool has_any = false;
    bool is_first = true;
    struct jval name;
    struct jval val;

    buf_putc(r->out, '{');
    while (jscan_next(&it, &name, &val)) {
        struct bytes json = new_value(r, name, val);
        const uint8_t *value_end = val.raw.ptr + val.raw.len;

        if (json.len > 0) {
            /* The separator as it was, but no comma before what is first now. */
            if (has_any || is_first)
                buf_put(r->out, between(at, name.raw.ptr));
            buf_put(r->out, between(name.raw.ptr, val.raw.ptr));
            buf_put(r->out, json);
            has_any = true;
        }
        is_first = false;
        at = value_end;
    }
    for (size_t i = 0; i < r->count; i++) {
        if ((r->done >> i & 1) != 0 || r->edits[i].json.len == 0)
            continue;
        if (has_any)
            buf_putc(r->out, ',');
        jw_put_str(r->out, bytes_of(r->edits[i].name));
        buf_putc(r->out, ':');
        buf_put(r->out, r->edits[i].json);
        has_any = true;
    }
    buf_put(r->out, between(at, end));
    return buf_err(r->out);
}

enum tacit_err rewrite_members(struct buf *out, struct jval root, const struct rewrite_edit *edits,
                               size_t count)
{
    struct rewrite r = {.out = out, .edits = edits, .count = count};

    if (root.type != JVAL_OBJECT || count > 64)
        return TACIT_USAGE;
    return rewrite_object(&r, root);
}

/* A message that an engine would stumble over, and how it is changed; `calls` is room for its tool
 * calls. */
static size_t message_edits(struct rewrite_edit edits[static 2], struct buf *calls,
                            struct jval message, bool maps_developer)
{
    struct jscan_field f[] = {{.name = "role"}, {.name = "tool_calls"}};
    size_t count = 0;

    (void)jscan_fields(message, f, ARRAY_LEN(f));
    if (maps_developer && jscan_str_eq_cstr(f[0].val, "developer"))
        edits[count++] = (struct rewrite_edit){"role", BYTES_LIT("\"system\"")};
    if (f[1].val.type == JVAL_ARRAY && jscan_count(f[1].val) == 0)
        edits[count++] = (struct rewrite_edit){"tool_calls", {NULL, 0}};
    else if (tool_calls_repair(calls, f[1].val))
        edits[count++] = (struct rewrite_edit){"tool_calls", buf_bytes(calls)};
    return count;
}

/* Appends the messages with those changes. Returns whether there was any. */
static bool rewrite_messages(struct buf *out, struct jval messages, bool maps_developer)
{
    struct jiter it = jscan_iter(messages);
    const uint8_t *at = messages.raw.ptr;
    struct buf calls = buf_make_secret(ENGINE_BODY_MAX);
    struct rewrite_edit edits[2];
    bool has_change = false;
    struct jval message;

    while (jscan_next(&it, NULL, &message)) {
        size_t count;

        buf_reset(&calls);
        count = message_edits(edits, &calls, message, maps_developer);
        if (calls.failed)
            out->failed = true;
        if (count == 0)
            continue;
        has_change = true;
        buf_put(out, between(at, message.raw.ptr));
        if (rewrite_members(out, message, edits, count) != TACIT_OK)
            out->failed = true;
        at = message.raw.ptr + message.raw.len;
    }
    if (has_change)
        buf_put(out, between(at, messages.raw.ptr + messages.raw.len));
    buf_done(&calls);
    return has_change;
}

/* Who wants no tool called gets an engine that knows of none: some call them all the same. */
static size_t tool_edits(struct rewrite_edit edits[static 5], struct jval root)
{
    struct jscan_field f[] = {{.name = "tool_choice"}, {.name = "function_call"}};
    size_t n = 0;

    (void)jscan_fields(root, f, ARRAY_LEN(f));
    if (jscan_str_eq_cstr(f[0].val, "none")) {
        edits[n++] = (struct rewrite_edit){"tools", {NULL, 0}};
        edits[n++] = (struct rewrite_edit){"tool_choice", {NULL, 0}};
        edits[n++] = (struct rewrite_edit){"parallel_tool_calls", {NULL, 0}};
    }
    if (jscan_str_eq_cstr(f[1].val, "none")) {
        edits[n++] = (struct rewrite_edit){"functions", {NULL, 0}};
        edits[n++] = (struct rewrite_edit){"function_call", {NULL, 0}};
    }
    return n;
}

/* `text` as a JSON string in `mem`. */
static struct bytes quoted(struct buf *mem, const char *text)
{
    buf_reset(mem);
    jw_put_str(mem, bytes_of(text));
    return buf_bytes(mem);
}

enum tacit_err rewrite_for_engine(struct buf *out, const struct openai_request *req,
                                  const struct rewrite_opts *opts)
{
    struct buf messages = buf_make_secret(ENGINE_BODY_MAX);
    struct buf model = buf_make(2048);
    struct buf id = buf_make(2048);
    struct buf salt = buf_make_secret(8192);
    struct rewrite_edit edits[EDITS_MAX];
    struct rewrite r = {.out = out, .edits = edits, .drops_unknown = true};
    enum tacit_err err;
    size_t n = 0;

    edits[n++] = (struct rewrite_edit){"stream", BYTES_LIT("true")};
    edits[n++] = (struct rewrite_edit){
        "stream_options",
        req->is_stream && req->wants_usage && req->wants_continuous_usage
            ? BYTES_LIT("{\"include_usage\":true,\"continuous_usage_stats\":true}")
            : BYTES_LIT("{\"include_usage\":true}")};
    edits[n++] = (struct rewrite_edit){"priority", {NULL, 0}};
    edits[n++] = (struct rewrite_edit){
        "cache_prompt", opts->is_llama_server ? BYTES_LIT("false") : (struct bytes){NULL, 0}};
    if (opts->engine_model != NULL)
        edits[n++] = (struct rewrite_edit){"model", quoted(&model, opts->engine_model)};
    if (opts->cache_salt != NULL)
        edits[n++] = (struct rewrite_edit){"cache_salt", quoted(&salt, opts->cache_salt)};
    (void)quoted(&id, opts->engine_id == NULL ? "" : opts->engine_id);
    edits[n++] = (struct rewrite_edit){"rid", opts->engine_id == NULL ? (struct bytes){NULL, 0}
                                                                      : buf_bytes(&id)};
    edits[n] = edits[n - 1];
    edits[n++].name = "request_id";
    n += tool_edits(&edits[n], req->root);
    if (rewrite_messages(&messages, jscan_member(req->root, "messages"), opts->is_llama_server))
        edits[n++] = (struct rewrite_edit){"messages", buf_bytes(&messages)};
    r.count = n;
    err = messages.failed || model.failed || id.failed || salt.failed
              ? TACIT_NOMEM
              : rewrite_object(&r, req->root);
    buf_done(&messages);
    buf_done(&model);
    buf_done(&id);
    buf_done(&salt);
    return err;
}
