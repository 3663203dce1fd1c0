/* Facts of one chunk or reply, and the parts that streams and whole replies write alike. Invariant:
 * an id that is shown is short and plain, so that it can stand in URLs and keys. */
#include <stdio.h>

#include "codec/jnormal.h"
#include "openai/chunk_priv.h"

static bool is_id(struct bytes id)
{
    if (id.len == 0 || id.len > OPENAI_ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        uint8_t c = id.ptr[i];

        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && c != '.' &&
            c != '_' && c != '-' && c != ':')
            return false;
    }
    return true;
}

static bool read_count(uint64_t *out, struct jval object, const char *name)
{
    return jscan_u64(out, jscan_member(object, name), INT64_MAX);
}

void openai_usage_read(struct openai_usage *out, struct jval usage)
{
    struct jval prompt = jscan_member(usage, "prompt_tokens_details");
    struct jval completion = jscan_member(usage, "completion_tokens_details");

    memset(out, 0, sizeof(*out));
    if (!read_count(&out->prompt_tokens, usage, "prompt_tokens"))
        return;
    /* Embeddings and some engines' first chunks have no completion yet. */
    (void)read_count(&out->completion_tokens, usage, "completion_tokens");
    out->is_present = true;
    out->total_tokens = out->prompt_tokens + out->completion_tokens;
    out->has_cached = read_count(&out->cached_tokens, prompt, "cached_tokens");
    if (out->cached_tokens > out->prompt_tokens)
        out->cached_tokens = out->prompt_tokens;
    out->has_reasoning = read_count(&out->reasoning_tokens, completion, "reasoning_tokens") ||
                         read_count(&out->reasoning_tokens, usage, "reasoning_tokens");
    if (out->reasoning_tokens > out->completion_tokens)
        out->reasoning_tokens = out->completion_tokens;
}

static void read_choices(struct chunk_facts *out)
{
    struct jiter it = jscan_iter(out->choices);
    struct jval choice;

    while (jscan_next(&it, NULL, &choice)) {
        out->has_choices = true;
        if (jscan_member(choice, "finish_reason").type == JVAL_STRING)
            out->is_finished = true;
    }
}

void chunk_facts_of(struct chunk_facts *out, struct jval root)
{
    struct jscan_field f[] = {{.name = "id"},
                              {.name = "choices"},
                              {.name = "usage"},
                              {.name = "error"},
                              {.name = "object"}};

    memset(out, 0, sizeof(*out));
    (void)jscan_fields(root, f, ARRAY_LEN(f));
    if (!jscan_str_view(&out->id, f[0].val) || !is_id(out->id))
        out->id = (struct bytes){NULL, 0};
    out->choices = f[1].val.type == JVAL_ARRAY ? f[1].val : JVAL_ABSENT;
    if (!jscan_is_nothing(f[3].val))
        out->error = f[3].val;
    else if (jscan_str_eq_cstr(f[4].val, "error"))
        out->error = root;
    openai_usage_read(&out->usage, f[2].val);
    read_choices(out);
}

enum tacit_err chunk_read(struct chunk_facts *out, struct bytes data)
{
    enum tacit_err err;
    struct jval root;

    memset(out, 0, sizeof(*out));
    err = jscan_object(&root, data);
    if (err == TACIT_OK)
        chunk_facts_of(out, root);
    return err;
}

void openai_id_mint(char out[static OPENAI_ID_MAX + 1], enum openai_kind kind,
                    const uint8_t random[static 12])
{
    struct buf b = buf_over((uint8_t *)out, OPENAI_ID_MAX);

    buf_puts(&b, kind == OPENAI_CHAT ? "chatcmpl-" : "cmpl-");
    buf_hex(&b, bytes_make(random, 12));
    out[b.len] = '\0';
}

/* A string member into a fixed array; left alone if it is missing, too long or not plain. */
static void copy_plain(char *out, size_t size, struct jval v)
{
    struct bytes text;

    if (!jscan_str_view(&text, v) || text.len >= size)
        return;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] >= 0x7F)
            return;
    if (text.len > 0)
        memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

void chunk_head_note(struct chunk_stream *s, struct jval root, const struct chunk_facts *facts)
{
    struct jscan_field f[] = {
        {.name = "model"}, {.name = "created"}, {.name = "system_fingerprint"}};
    uint64_t created;

    if (facts->usage.is_present)
        s->usage = facts->usage;
    if (s->id[0] != '\0')
        return;
    (void)jscan_fields(root, f, ARRAY_LEN(f));
    if (facts->id.len > 0)
        (void)snprintf(s->id, sizeof(s->id), "%.*s", BYTES_FMT(facts->id));
    else
        openai_id_mint(s->id, s->opts.kind, s->opts.random);
    if (s->opts.model == NULL) {
        struct buf b = buf_over((uint8_t *)s->model, OPENAI_MODEL_MAX);

        if (jscan_str_copy(&b, f[0].val) != TACIT_OK)
            b.len = 0;
        s->model[b.len] = '\0';
    } else {
        (void)snprintf(s->model, sizeof(s->model), "%s", s->opts.model);
    }
    s->created_unix_s =
        jscan_u64(&created, f[1].val, INT64_MAX / 1024) ? (int64_t)created : s->opts.created_unix_s;
    copy_plain(s->fingerprint, sizeof(s->fingerprint), f[2].val);
}

void chunk_head_put(struct jw *w, const struct chunk_stream *s, const char *object)
{
    jw_key_cstr(w, "id", s->id);
    jw_key_cstr(w, "object", object);
    jw_key(w, "created");
    jw_i64(w, s->created_unix_s);
    jw_key_cstr(w, "model", s->model);
    if (s->fingerprint[0] != '\0')
        jw_key_cstr(w, "system_fingerprint", s->fingerprint);
}

void chunk_put_normal(struct jw *w, const char *name, struct jval v)
{
    jw_key(w, name);
    jw_raw(w, (struct bytes){NULL, 0});
    jnormal_put(w->out, v);
}

void chunk_put_choice(struct jw *w, struct jval choice)
{
    struct jscan_field f[] = {
        {.name = "index"},       {.name = "delta"},        {.name = "message"},
        {.name = "text"},        {.name = "logprobs"},     {.name = "finish_reason"},
        {.name = "stop_reason"}, {.name = "matched_stop"},
    };

    (void)jscan_fields(choice, f, ARRAY_LEN(f));
    jw_object(w);
    for (size_t i = 0; i < ARRAY_LEN(f); i++)
        if (f[i].val.type != JVAL_NONE)
            chunk_put_normal(w, f[i].name, f[i].val);
    jw_end(w);
}

void chunk_put_usage(struct jw *w, const struct openai_usage *usage)
{
    jw_object(w);
    jw_key_u64(w, "prompt_tokens", usage->prompt_tokens);
    jw_key_u64(w, "completion_tokens", usage->completion_tokens);
    jw_key_u64(w, "total_tokens", usage->total_tokens);
    if (usage->has_cached) {
        jw_key(w, "prompt_tokens_details");
        jw_object(w);
        jw_key_u64(w, "cached_tokens", usage->cached_tokens);
        jw_end(w);
    }
    if (usage->has_reasoning) {
        jw_key(w, "completion_tokens_details");
        jw_object(w);
        jw_key_u64(w, "reasoning_tokens", usage->reasoning_tokens);
        jw_end(w);
    }
    jw_end(w);
}

bool chunk_choices_are_sane(struct jval choices)
{
    struct jiter it = jscan_iter(choices);
    struct jval choice;
    uint64_t index;

    while (jscan_next(&it, NULL, &choice))
        if (!jscan_u64(&index, jscan_member(choice, "index"), OPENAI_CHOICES_MAX - 1))
            return false;
    return true;
}

unsigned chunk_error_status(struct jval error)
{
    uint64_t code;

    if (!jscan_u64(&code, jscan_member(error, "code"), 599) || code < 400)
        return 500;
    return (unsigned)code;
}
