/* Bodies of GET /v1/models (near.md 1.4). What is absent is left out, never null. */
#ifndef OPENAI_MODELS_H
#define OPENAI_MODELS_H

#include "base/buf.h"

struct openai_model {
    const char *id;
    int64_t created_unix_s;
    const char *owned_by;
    const char *name; /* NULL: none; the same for the strings below */
    const char *description;
    const char *quantization;
    uint64_t context_length;    /* tokens; 0: unknown */
    uint64_t max_output_length; /* tokens; 0: unknown */
    bool has_pricing;
    uint64_t input_nano_usd_per_token;
    uint64_t output_nano_usd_per_token;
    bool has_readiness;
    bool is_ready;
    bool supports_tools, supports_json, supports_reasoning; /* supported_features */
};

/* Append {"object":"list","data":[…]}. Threads: pure. */
void openai_models_put(struct buf *out, const struct openai_model *models, size_t count);
/* Append one item alone. */
void openai_model_put(struct buf *out, const struct openai_model *model);

#endif
