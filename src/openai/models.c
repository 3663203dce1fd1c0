/* Model lists. Invariant: what is not known is left out. */
#include "openai/models.h"

#include <stdio.h>

#include "codec/jwrite.h"

static void put_text(struct jw *w, const char *name, const char *text)
{
    if (text != NULL)
        jw_key_cstr(w, name, text);
}

static void put_count(struct jw *w, const char *name, uint64_t n)
{
    if (n > 0)
        jw_key_u64(w, name, n);
}

/* A decimal fraction without trailing zeros: nano / 10^digits. */
static void decimal(char *out, size_t size, uint64_t units, uint64_t scale, int digits)
{
    int len = snprintf(out, size, "%llu.%0*llu", (unsigned long long)(units / scale), digits,
                       (unsigned long long)(units % scale));

    while (len > 0 && out[len - 1] == '0')
        out[--len] = '\0';
    if (len > 0 && out[len - 1] == '.')
        out[len - 1] = '\0';
}

static void put_number(struct jw *w, const char *name, uint64_t nano_per_token)
{
    char text[32];

    decimal(text, sizeof(text), nano_per_token, 1000, 3); /* USD per million tokens */
    jw_key(w, name);
    jw_raw(w, (struct bytes){NULL, 0});
    jw_put_js_number(w->out, bytes_of(text));
}

static void put_price_text(struct jw *w, const char *name, uint64_t nano_per_token)
{
    char text[32];

    decimal(text, sizeof(text), nano_per_token, 1000000000, 9); /* USD per token */
    jw_key_cstr(w, name, text);
}

static void put_pricing(struct jw *w, const struct openai_model *m)
{
    if (!m->has_pricing)
        return;
    jw_key(w, "pricing");
    jw_object(w);
    put_number(w, "input", m->input_nano_usd_per_token);
    put_number(w, "output", m->output_nano_usd_per_token);
    put_price_text(w, "prompt", m->input_nano_usd_per_token);
    put_price_text(w, "completion", m->output_nano_usd_per_token);
    jw_end(w);
}

static void put_features(struct jw *w, const struct openai_model *m)
{
    jw_key(w, "supported_features");
    jw_array(w);
    if (m->supports_tools)
        jw_cstr(w, "tools");
    if (m->supports_json) {
        jw_cstr(w, "json_mode");
        jw_cstr(w, "structured_outputs");
    }
    if (m->supports_reasoning)
        jw_cstr(w, "reasoning");
    jw_end(w);
}

static void put_item(struct jw *w, const struct openai_model *m)
{
    jw_object(w);
    jw_key_cstr(w, "id", m->id);
    jw_key_cstr(w, "object", "model");
    jw_key(w, "created");
    jw_i64(w, m->created_unix_s);
    jw_key_cstr(w, "owned_by", m->owned_by);
    put_text(w, "name", m->name);
    put_text(w, "description", m->description);
    put_text(w, "quantization", m->quantization);
    put_pricing(w, m);
    put_count(w, "context_length", m->context_length);
    put_count(w, "max_output_length", m->max_output_length);
    put_features(w, m);
    if (m->has_readiness) {
        jw_key(w, "is_ready");
        jw_bool(w, m->is_ready);
    }
    jw_end(w);
}

void openai_model_put(struct buf *out, const struct openai_model *model)
{
    struct jw w = jw_make(out);

    put_item(&w, model);
}

void openai_models_put(struct buf *out, const struct openai_model *models, size_t count)
{
    struct jw w = jw_make(out);

    jw_object(&w);
    jw_key_cstr(&w, "object", "list");
    jw_key(&w, "data");
    jw_array(&w);
    for (size_t i = 0; i < count; i++)
        put_item(&w, &models[i]);
    jw_end(&w);
    jw_end(&w);
}
