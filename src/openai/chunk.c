/* The final bytes of a stream, frame by frame. Invariant: each frame is "data: ", one JSON object
 * in JavaScript's own spelling, and an empty line; the last one is "data: [DONE]". */
#include "openai/chunk_priv.h"

void chunk_stream_init(struct chunk_stream *s, const struct chunk_opts *opts)
{
    memset(s, 0, sizeof(*s));
    s->opts = *opts;
}

static const char *object_name(const struct chunk_stream *s)
{
    return s->opts.kind == OPENAI_CHAT ? "chat.completion.chunk" : "text_completion";
}

/* A client that asked for usage sees null in every chunk but the last (OpenAI's way), or the
 * running count if it asked for that. */
static void put_usage_field(struct jw *w, const struct chunk_stream *s,
                            const struct openai_usage *usage)
{
    if (!s->opts.wants_usage)
        return;
    jw_key(w, "usage");
    if (usage != NULL && usage->is_present)
        chunk_put_usage(w, usage);
    else
        jw_null(w);
}

static void put_frame(struct chunk_stream *s, struct buf *out, struct jval choices,
                      const struct openai_usage *usage)
{
    struct jw w = jw_make(out);
    struct jiter it = jscan_iter(choices);
    struct jval choice;

    buf_puts(out, "data: ");
    jw_object(&w);
    chunk_head_put(&w, s, object_name(s));
    jw_key(&w, "choices");
    jw_array(&w);
    while (jscan_next(&it, NULL, &choice))
        chunk_put_choice(&w, choice);
    jw_end(&w);
    put_usage_field(&w, s, usage);
    jw_end(&w);
    buf_puts(out, "\n\n");
    s->frame_count++;
}

static void put_usage_frame(struct chunk_stream *s, struct buf *out)
{
    if (!s->opts.wants_usage || s->is_usage_sent || !s->usage.is_present)
        return;
    put_frame(s, out, JVAL_ABSENT, &s->usage);
    s->is_usage_sent = true;
}

static enum chunk_result take_done(struct chunk_stream *s, struct buf *out)
{
    if (s->id[0] == '\0')
        return CHUNK_BAD; /* an end of nothing */
    put_usage_frame(s, out);
    buf_puts(out, "data: [DONE]\n\n");
    return CHUNK_DONE;
}

static enum chunk_result take_chunk(struct chunk_stream *s, struct buf *out, struct bytes data)
{
    struct chunk_facts facts;
    struct jval root;

    if (jscan_object(&root, data) != TACIT_OK)
        return CHUNK_BAD;
    chunk_facts_of(&facts, root);
    if (facts.error.type != JVAL_NONE) {
        openai_error_of_engine(&s->error, chunk_error_status(facts.error), data);
        return CHUNK_ERROR;
    }
    if (facts.choices.type == JVAL_NONE || !chunk_choices_are_sane(facts.choices))
        return CHUNK_BAD;
    chunk_head_note(s, root, &facts);
    /* A chunk without choices carries usage, or an engine's own news. */
    if (!facts.has_choices)
        return CHUNK_DROPPED;
    put_frame(s, out, facts.choices, s->opts.wants_continuous_usage ? &facts.usage : NULL);
    return CHUNK_DATA;
}

enum chunk_result chunk_stream_event(struct chunk_stream *s, struct buf *out, struct bytes data)
{
    enum chunk_result result;

    if (s->is_over)
        return CHUNK_BAD;
    if (bytes_eq_cstr(bytes_trim(data), "[DONE]"))
        result = take_done(s, out);
    else
        result = take_chunk(s, out, data);
    if (out->failed)
        result = CHUNK_BAD;
    s->is_over = result != CHUNK_DATA && result != CHUNK_DROPPED;
    return result;
}
