/* Reading a request: one walk over the top-level members, each handed to its reader. Invariant:
 * views borrow from the body; nothing is decoded but the model's name. */
#include "openai/request.h"

#include <stdio.h>

enum { FIELD_NAME_MAX = 64 };

struct reading {
    struct openai_request *req;
    struct openai_error *error;
    enum openai_side side;
    uint64_t legacy_max_tokens;
    bool has_model;
    bool has_input; /* messages or prompt */
};

static bool refuse(struct reading *r, const char *param, const char *what)
{
    openai_error_say(r->error, r->side, FAULT_BAD_REQUEST, param, "'%s' %s.", param, what);
    return false;
}

static bool read_model(struct reading *r, struct jval v)
{
    struct buf b = buf_over((uint8_t *)r->req->model, OPENAI_MODEL_MAX);

    if (v.type != JVAL_STRING)
        return refuse(r, "model", "must be a string");
    if (jscan_str_copy(&b, v) != TACIT_OK || b.len == 0)
        return refuse(r, "model", "must have 1 to 200 characters");
    for (size_t i = 0; i < b.len; i++)
        if (b.ptr[i] <= 0x20 || b.ptr[i] >= 0x7F)
            return refuse(r, "model", "must be printable ASCII without spaces");
    r->req->model[b.len] = '\0';
    r->has_model = true;
    return true;
}

static bool read_messages(struct reading *r, struct jval v)
{
    struct jiter it = jscan_iter(v);
    struct jval message;

    if (v.type != JVAL_ARRAY)
        return refuse(r, "messages", "must be an array");
    while (jscan_next(&it, NULL, &message)) {
        if (message.type != JVAL_OBJECT)
            return refuse(r, "messages", "must hold objects only");
        if (jscan_member(message, "role").type != JVAL_STRING)
            return refuse(r, "messages", "must give every message a role");
        r->req->message_count++;
    }
    if (r->req->message_count == 0)
        return refuse(r, "messages", "must not be empty");
    r->has_input = r->has_input || r->req->kind == OPENAI_CHAT;
    return true;
}

static bool read_prompt(struct reading *r, struct jval v)
{
    if (r->req->kind == OPENAI_CHAT)
        return true;
    if (v.type != JVAL_STRING && (r->side == OPENAI_GATEWAY || v.type != JVAL_ARRAY))
        return refuse(r, "prompt", "must be a string");
    r->has_input = true;
    return true;
}

static bool read_stream(struct reading *r, struct jval v)
{
    if (!jscan_is_nothing(v) && !jscan_bool(&r->req->is_stream, v))
        return refuse(r, "stream", "must be true or false");
    return true;
}

static bool read_flag(bool *out, struct jval options, const char *name)
{
    struct jval v = jscan_member(options, name);

    return jscan_is_nothing(v) || jscan_bool(out, v);
}

static bool read_stream_options(struct reading *r, struct jval v)
{
    if (jscan_is_nothing(v))
        return true;
    if (v.type != JVAL_OBJECT)
        return refuse(r, "stream_options", "must be an object");
    if (!read_flag(&r->req->wants_usage, v, "include_usage") ||
        !read_flag(&r->req->wants_continuous_usage, v, "continuous_usage_stats"))
        return refuse(r, "stream_options", "must hold true or false");
    return true;
}

static bool read_count(struct reading *r, uint64_t *out, struct jval v, const char *name,
                       uint64_t max)
{
    char what[64];

    if (jscan_is_nothing(v))
        return true;
    if (jscan_u64(out, v, max) && *out > 0)
        return true;
    (void)snprintf(what, sizeof(what), "must be a whole number from 1 to %llu",
                   (unsigned long long)max);
    return refuse(r, name, what);
}

static bool read_max_tokens(struct reading *r, struct jval v)
{
    return read_count(r, &r->legacy_max_tokens, v, "max_tokens", OPENAI_TOKENS_MAX);
}

static bool read_max_completion_tokens(struct reading *r, struct jval v)
{
    return read_count(r, &r->req->max_tokens, v, "max_completion_tokens", OPENAI_TOKENS_MAX);
}

static bool read_choices(struct reading *r, struct jval v)
{
    return read_count(r, &r->req->choices, v, "n", OPENAI_CHOICES_MAX);
}

/* What completions at the gateway do not do (near.md 1.3). */
static bool is_plain_completion(const struct reading *r)
{
    return r->side == OPENAI_GATEWAY && r->req->kind == OPENAI_COMPLETION;
}

static bool read_best_of(struct reading *r, struct jval v)
{
    uint64_t n = 1;

    if (is_plain_completion(r) && !jscan_is_nothing(v) && !jscan_u64(&n, v, 1))
        return refuse(r, "best_of", "is not supported here");
    return true;
}

static bool read_echo(struct reading *r, struct jval v)
{
    bool echo = false;

    if (is_plain_completion(r) && !jscan_is_nothing(v) && (!jscan_bool(&echo, v) || echo))
        return refuse(r, "echo", "is not supported here");
    return true;
}

static bool read_suffix(struct reading *r, struct jval v)
{
    return !is_plain_completion(r) || jscan_is_nothing(v) ||
           refuse(r, "suffix", "is not supported here");
}

static bool read_logprobs(struct reading *r, struct jval v)
{
    return !is_plain_completion(r) || jscan_is_nothing(v) ||
           refuse(r, "logprobs", "is not supported here");
}

static const struct {
    const char *name;
    bool (*read)(struct reading *r, struct jval v);
} readers[] = {
    {"model", read_model},
    {"messages", read_messages},
    {"prompt", read_prompt},
    {"stream", read_stream},
    {"stream_options", read_stream_options},
    {"max_tokens", read_max_tokens},
    {"max_completion_tokens", read_max_completion_tokens},
    {"n", read_choices},
    {"best_of", read_best_of},
    {"echo", read_echo},
    {"suffix", read_suffix},
    {"logprobs", read_logprobs},
};

static bool read_field(struct reading *r, struct bytes name, struct jval v)
{
    char text[FIELD_NAME_MAX + 1] = "";

    switch (openai_field_class(name)) {
    case OPENAI_FIELD_REFUSED:
        /* A refused name is one of ours, or a prefix of ours and the client's ending. */
        for (size_t i = 0; i < name.len && i < FIELD_NAME_MAX; i++)
            text[i] = (char)(name.ptr[i] > 0x20 && name.ptr[i] < 0x7F ? name.ptr[i] : '?');
        return refuse(r, text, "is not allowed: it reaches into the engine");
    case OPENAI_FIELD_UNKNOWN:
        r->req->unknown_fields++;
        return true;
    case OPENAI_FIELD_OWNED:
        return true;
    case OPENAI_FIELD_ALLOWED:
        break;
    }
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        if (bytes_eq_cstr(name, readers[i].name))
            return readers[i].read(r, v);
    return true;
}

static bool read_fields(struct reading *r)
{
    struct jiter it = jscan_iter(r->req->root);
    struct jval name;
    struct jval val;

    while (jscan_next(&it, &name, &val)) {
        uint8_t mem[FIELD_NAME_MAX];
        struct buf b = buf_over(mem, sizeof(mem));

        if (jscan_str_copy(&b, name) != TACIT_OK)
            r->req->unknown_fields++; /* longer than any name we know */
        else if (!read_field(r, buf_bytes(&b), val))
            return false;
    }
    if (!r->has_model)
        return refuse(r, "model", "is required");
    if (!r->has_input)
        return refuse(r, r->req->kind == OPENAI_CHAT ? "messages" : "prompt", "is required");
    if (r->req->max_tokens == 0)
        r->req->max_tokens = r->legacy_max_tokens;
    return true;
}

static enum tacit_err fail(struct openai_request *out, enum tacit_err err)
{
    memset(out, 0, sizeof(*out));
    return err;
}

enum tacit_err openai_request_read(struct openai_request *out, struct openai_error *error,
                                   struct bytes body, enum openai_kind kind, enum openai_side side)
{
    struct reading r = {.req = out, .error = error, .side = side};
    struct jscan_fault fault;
    enum tacit_err err;
    char limit[16];

    memset(out, 0, sizeof(*out));
    memset(error, 0, sizeof(*error));
    out->kind = kind;
    out->choices = 1;
    if (body.len > LIMIT_BODY_BYTES) {
        (void)snprintf(limit, sizeof(limit), "%d", LIMIT_BODY_BYTES);
        openai_error_make(error, side, FAULT_TOO_LARGE, bytes_of(limit));
        return fail(out, TACIT_LIMIT);
    }
    err = jscan_validate(&out->root, &fault, body);
    if (err != TACIT_OK) {
        openai_error_say(error, side, FAULT_BAD_REQUEST, NULL, "Invalid JSON: %s at byte %zu",
                         fault.what, fault.offset);
        return fail(out, err);
    }
    if (out->root.type != JVAL_OBJECT) {
        openai_error_say(error, side, FAULT_BAD_REQUEST, NULL,
                         "Invalid JSON: the body must be an object");
        return fail(out, TACIT_FORMAT);
    }
    return read_fields(&r) ? TACIT_OK : fail(out, TACIT_FORMAT);
}
