/* Whole replies from chunks. Invariants: text is kept unescaped and escaped once when written; all
 * that a reply gathers is counted against LIMIT_REPLY_BYTES; memory is erased when released. */
#include <stdio.h>
#include <stdlib.h>

#include "codec/jnormal.h"
#include "openai/assemble.h"
#include "openai/chunk_priv.h"

enum { SHORT_TEXT_MAX = 128, LOGPROB_LISTS = 6 };

struct tool_call {
    char id[SHORT_TEXT_MAX + 1];
    char type[SHORT_TEXT_MAX + 1];
    struct buf name, arguments;
};

struct choice {
    bool is_used;
    bool has_content; /* some delta had text, be it empty */
    bool has_refusal, has_reasoning, has_logprobs;
    char role[SHORT_TEXT_MAX + 1];
    char finish_reason[SHORT_TEXT_MAX + 1];
    struct buf content, reasoning, refusal;
    struct buf lists[LOGPROB_LISTS]; /* items of the log probability arrays, comma-separated */
    bool has_list[LOGPROB_LISTS];
    struct tool_call *calls[ASSEMBLY_TOOL_CALLS_MAX];
    size_t call_count;
};

static const char *const list_names[LOGPROB_LISTS] = {
    "content", "refusal", "tokens", "token_logprobs", "top_logprobs", "text_offset"};

struct assembly {
    struct chunk_stream head;
    char model[OPENAI_MODEL_MAX + 1]; /* what head.opts.model points to */
    size_t gathered;                  /* octets */
    bool is_done;
    struct choice choices[OPENAI_CHOICES_MAX];
};

struct assembly *assembly_new(const struct chunk_opts *opts)
{
    struct assembly *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return NULL;
    chunk_stream_init(&a->head, opts);
    if (opts->model != NULL) {
        (void)snprintf(a->model, sizeof(a->model), "%s", opts->model);
        a->head.opts.model = a->model;
    }
    for (size_t i = 0; i < OPENAI_CHOICES_MAX; i++) {
        struct choice *c = &a->choices[i];

        c->content = buf_make_secret(LIMIT_REPLY_BYTES);
        c->reasoning = buf_make_secret(LIMIT_REPLY_BYTES);
        c->refusal = buf_make_secret(LIMIT_REPLY_BYTES);
        for (size_t k = 0; k < LOGPROB_LISTS; k++)
            c->lists[k] = buf_make_secret(LIMIT_REPLY_BYTES);
    }
    return a;
}

static void choice_done(struct choice *c)
{
    buf_done(&c->content);
    buf_done(&c->reasoning);
    buf_done(&c->refusal);
    for (size_t k = 0; k < LOGPROB_LISTS; k++)
        buf_done(&c->lists[k]);
    for (size_t i = 0; i < c->call_count; i++) {
        buf_done(&c->calls[i]->name);
        buf_done(&c->calls[i]->arguments);
        free(c->calls[i]);
    }
}

void assembly_free(struct assembly *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < OPENAI_CHOICES_MAX; i++)
        choice_done(&a->choices[i]);
    explicit_bzero(a, sizeof(*a));
    free(a);
}

/* Appends a string member's text; nothing for null or absent. */
static bool gather(struct assembly *a, struct buf *to, struct jval v)
{
    if (jscan_is_nothing(v))
        return true;
    a->gathered += v.raw.len;
    return a->gathered <= LIMIT_REPLY_BYTES && jscan_str_copy(to, v) == TACIT_OK;
}

/* A short string that is said once, usually in the first delta. */
static bool note_short(char out[static SHORT_TEXT_MAX + 1], struct jval v)
{
    struct buf b = buf_over((uint8_t *)out, SHORT_TEXT_MAX);

    if (jscan_is_nothing(v) || out[0] != '\0')
        return true;
    if (jscan_str_copy(&b, v) != TACIT_OK || bytes_find_byte(buf_bytes(&b), 0) != SIZE_MAX) {
        out[0] = '\0';
        return false;
    }
    out[b.len] = '\0';
    return true;
}

static struct tool_call *call_at(struct choice *c, size_t index)
{
    if (index >= ASSEMBLY_TOOL_CALLS_MAX || index > c->call_count)
        return NULL;
    if (index == c->call_count) {
        struct tool_call *call = calloc(1, sizeof(*call));

        if (call == NULL)
            return NULL;
        call->name = buf_make_secret(LIMIT_REPLY_BYTES);
        call->arguments = buf_make_secret(LIMIT_REPLY_BYTES);
        c->calls[c->call_count++] = call;
    }
    return c->calls[index];
}

static bool take_call(struct assembly *a, struct choice *c, struct jval delta, size_t position)
{
    struct jscan_field f[] = {
        {.name = "index"}, {.name = "id"}, {.name = "type"}, {.name = "function"}};
    struct tool_call *call;
    uint64_t index = position;
    struct jval function;

    (void)jscan_fields(delta, f, ARRAY_LEN(f));
    if (!jscan_is_nothing(f[0].val) && !jscan_u64(&index, f[0].val, ASSEMBLY_TOOL_CALLS_MAX))
        return false;
    call = call_at(c, index);
    if (call == NULL)
        return false;
    function = f[3].val;
    return note_short(call->id, f[1].val) && note_short(call->type, f[2].val) &&
           (call->name.len > 0 || gather(a, &call->name, jscan_member(function, "name"))) &&
           gather(a, &call->arguments, jscan_member(function, "arguments"));
}

static bool take_calls(struct assembly *a, struct choice *c, struct jval calls)
{
    struct jiter it = jscan_iter(calls);
    struct jval call;
    size_t position = 0;

    while (jscan_next(&it, NULL, &call))
        if (!take_call(a, c, call, position++))
            return false;
    return true;
}

static bool take_list(struct assembly *a, struct choice *c, size_t k, struct jval list)
{
    struct jiter it = jscan_iter(list);
    struct jval item;

    if (list.type != JVAL_ARRAY)
        return true;
    c->has_list[k] = true;
    a->gathered += list.raw.len;
    while (jscan_next(&it, NULL, &item)) {
        if (c->lists[k].len > 0)
            buf_putc(&c->lists[k], ',');
        jnormal_put(&c->lists[k], item);
    }
    return a->gathered <= LIMIT_REPLY_BYTES && !c->lists[k].failed;
}

static bool take_logprobs(struct assembly *a, struct choice *c, struct jval logprobs)
{
    if (logprobs.type != JVAL_OBJECT)
        return true;
    c->has_logprobs = true;
    for (size_t k = 0; k < LOGPROB_LISTS; k++)
        if (!take_list(a, c, k, jscan_member(logprobs, list_names[k])))
            return false;
    return true;
}

static bool take_delta(struct assembly *a, struct choice *c, struct jval delta)
{
    struct jscan_field f[] = {
        {.name = "role"},    {.name = "content"},    {.name = "reasoning_content"},
        {.name = "refusal"}, {.name = "tool_calls"}, {.name = "reasoning"},
    };

    (void)jscan_fields(delta, f, ARRAY_LEN(f));
    /* Engines call it one or the other; some say both with the same text. */
    if (jscan_is_nothing(f[2].val))
        f[2].val = f[5].val;
    c->has_content = c->has_content || f[1].val.type == JVAL_STRING;
    c->has_reasoning = c->has_reasoning || f[2].val.type == JVAL_STRING;
    c->has_refusal = c->has_refusal || f[3].val.type == JVAL_STRING;
    return note_short(c->role, f[0].val) && gather(a, &c->content, f[1].val) &&
           gather(a, &c->reasoning, f[2].val) && gather(a, &c->refusal, f[3].val) &&
           take_calls(a, c, f[4].val);
}

static bool take_choice(struct assembly *a, struct jval choice)
{
    struct jscan_field f[] = {{.name = "index"},
                              {.name = "delta"},
                              {.name = "text"},
                              {.name = "logprobs"},
                              {.name = "finish_reason"}};
    struct choice *c;
    uint64_t index;

    (void)jscan_fields(choice, f, ARRAY_LEN(f));
    if (!jscan_u64(&index, f[0].val, OPENAI_CHOICES_MAX - 1))
        return false;
    c = &a->choices[index];
    c->is_used = true;
    c->has_content = c->has_content || f[2].val.type == JVAL_STRING;
    return take_delta(a, c, f[1].val) && gather(a, &c->content, f[2].val) &&
           take_logprobs(a, c, f[3].val) && note_short(c->finish_reason, f[4].val);
}

static enum chunk_result take_chunk(struct assembly *a, struct bytes data)
{
    struct chunk_facts facts;
    struct jval choice;
    struct jiter it;
    struct jval root;

    if (jscan_object(&root, data) != TACIT_OK)
        return CHUNK_BAD;
    chunk_facts_of(&facts, root);
    if (facts.error.type != JVAL_NONE) {
        openai_error_of_engine(&a->head.error, chunk_error_status(facts.error), data);
        return CHUNK_ERROR;
    }
    if (facts.choices.type == JVAL_NONE)
        return CHUNK_BAD;
    chunk_head_note(&a->head, root, &facts);
    it = jscan_iter(facts.choices);
    while (jscan_next(&it, NULL, &choice))
        if (!take_choice(a, choice))
            return CHUNK_BAD;
    return CHUNK_DATA;
}

enum chunk_result assembly_event(struct assembly *a, struct bytes data)
{
    enum chunk_result result;

    if (a->head.is_over)
        return CHUNK_BAD;
    if (bytes_eq_cstr(bytes_trim(data), "[DONE]"))
        result = a->head.id[0] == '\0' ? CHUNK_BAD : CHUNK_DONE;
    else
        result = take_chunk(a, data);
    a->is_done = result == CHUNK_DONE;
    a->head.is_over = result != CHUNK_DATA;
    return result;
}

const struct openai_error *assembly_error(const struct assembly *a)
{
    return &a->head.error;
}

const struct openai_usage *assembly_usage(const struct assembly *a)
{
    return &a->head.usage;
}

const char *assembly_id(const struct assembly *a)
{
    return a->head.id;
}

static void put_calls(struct jw *w, const struct choice *c)
{
    jw_key(w, "tool_calls");
    jw_array(w);
    for (size_t i = 0; i < c->call_count; i++) {
        const struct tool_call *call = c->calls[i];

        jw_object(w);
        jw_key_cstr(w, "id", call->id);
        jw_key_cstr(w, "type", call->type[0] == '\0' ? "function" : call->type);
        jw_key(w, "function");
        jw_object(w);
        jw_key_str(w, "name", buf_bytes(&call->name));
        jw_key_str(w, "arguments", buf_bytes(&call->arguments));
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

static void put_message(struct jw *w, const struct choice *c)
{
    jw_key(w, "message");
    jw_object(w);
    jw_key_cstr(w, "role", c->role[0] == '\0' ? "assistant" : c->role);
    jw_key(w, "content");
    if (c->content.len == 0 && (!c->has_content || c->call_count > 0))
        jw_null(w);
    else
        jw_str(w, buf_bytes(&c->content));
    if (c->has_reasoning)
        jw_key_str(w, "reasoning_content", buf_bytes(&c->reasoning));
    if (c->has_refusal)
        jw_key_str(w, "refusal", buf_bytes(&c->refusal));
    if (c->call_count > 0)
        put_calls(w, c);
    jw_end(w);
}

static void put_logprobs(struct jw *w, const struct choice *c)
{
    jw_key(w, "logprobs");
    if (!c->has_logprobs) {
        jw_null(w);
        return;
    }
    jw_object(w);
    for (size_t k = 0; k < LOGPROB_LISTS; k++) {
        if (!c->has_list[k])
            continue;
        jw_key(w, list_names[k]);
        jw_raw(w, BYTES_LIT("["));
        buf_put(w->out, buf_bytes(&c->lists[k]));
        buf_putc(w->out, ']');
    }
    jw_end(w);
}

static void put_choice(struct jw *w, const struct choice *c, size_t index, enum openai_kind kind)
{
    jw_object(w);
    jw_key_u64(w, "index", index);
    if (kind == OPENAI_CHAT)
        put_message(w, c);
    else
        jw_key_str(w, "text", buf_bytes(&c->content));
    put_logprobs(w, c);
    jw_key(w, "finish_reason");
    if (c->finish_reason[0] == '\0')
        jw_null(w);
    else
        jw_cstr(w, c->finish_reason);
    jw_end(w);
}

static const char *object_name(enum openai_kind kind)
{
    return kind == OPENAI_CHAT ? "chat.completion" : "text_completion";
}

enum tacit_err assembly_write(struct assembly *a, struct buf *out)
{
    struct jw w = jw_make(out);
    bool has_choice = false;

    for (size_t i = 0; i < OPENAI_CHOICES_MAX; i++)
        has_choice = has_choice || a->choices[i].is_used;
    if (!a->is_done || !has_choice)
        return TACIT_STATE;
    jw_object(&w);
    chunk_head_put(&w, &a->head, object_name(a->head.opts.kind));
    jw_key(&w, "choices");
    jw_array(&w);
    for (size_t i = 0; i < OPENAI_CHOICES_MAX; i++)
        if (a->choices[i].is_used)
            put_choice(&w, &a->choices[i], i, a->head.opts.kind);
    jw_end(&w);
    if (a->head.usage.is_present) {
        jw_key(&w, "usage");
        chunk_put_usage(&w, &a->head.usage);
    }
    jw_end(&w);
    return buf_err(out);
}

enum tacit_err reply_normalise(struct buf *out, char id[static OPENAI_ID_MAX + 1],
                               struct openai_usage *usage, struct bytes body,
                               const struct chunk_opts *opts)
{
    struct chunk_stream head;
    struct chunk_facts facts;
    struct jw w = jw_make(out);
    struct jval root;
    struct jval choice;
    struct jiter it;
    enum tacit_err err;

    id[0] = '\0';
    memset(usage, 0, sizeof(*usage));
    err = jscan_object(&root, body);
    if (err != TACIT_OK)
        return err;
    chunk_facts_of(&facts, root);
    if (facts.error.type != JVAL_NONE || !facts.has_choices ||
        !chunk_choices_are_sane(facts.choices))
        return TACIT_FORMAT;
    chunk_stream_init(&head, opts);
    chunk_head_note(&head, root, &facts);
    jw_object(&w);
    chunk_head_put(&w, &head, object_name(opts->kind));
    jw_key(&w, "choices");
    jw_array(&w);
    it = jscan_iter(facts.choices);
    while (jscan_next(&it, NULL, &choice))
        chunk_put_choice(&w, choice);
    jw_end(&w);
    if (facts.usage.is_present) {
        jw_key(&w, "usage");
        chunk_put_usage(&w, &facts.usage);
    }
    jw_end(&w);
    err = buf_err(out);
    if (err == TACIT_OK) {
        memcpy(id, head.id, sizeof(head.id));
        *usage = facts.usage;
    }
    return err;
}
