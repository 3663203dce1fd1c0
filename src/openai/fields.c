/* Top-level fields of chat and completion requests, by what may happen to them (engine.md 8).
 * Invariant: a field that is in no list never reaches an engine. */
#include "openai/request.h"

static const char *const allowed[] = {
    /* OpenAI */
    "model",
    "messages",
    "prompt",
    "suffix",
    "echo",
    "best_of",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "max_tokens",
    "max_completion_tokens",
    "n",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "response_format",
    "reasoning_effort",
    "reasoning",
    "user",
    "store",
    "metadata",
    "modalities",
    "audio",
    "prediction",
    "service_tier",
    "verbosity",
    "web_search_options",
    "prompt_cache_key",
    "safety_identifier",
    /* sampling of the engines */
    "top_k",
    "min_p",
    "typical_p",
    "top_a",
    "repetition_penalty",
    "repeat_penalty",
    "repeat_last_n",
    "length_penalty",
    "min_tokens",
    "ignore_eos",
    "stop_token_ids",
    "include_stop_str_in_output",
    "skip_special_tokens",
    "spaces_between_special_tokens",
    "no_stop_trim",
    "allowed_token_ids",
    "bad_words",
    "use_beam_search",
    "add_generation_prompt",
    "continue_final_message",
    "include_reasoning",
    "thinking",
    "enable_thinking",
    "thinking_budget",
    "thinking_token_budget",
    "chat_template_kwargs",
    "separate_reasoning",
    "stream_reasoning",
    "mirostat",
    "mirostat_tau",
    "mirostat_eta",
    "dynatemp_range",
    "dynatemp_exponent",
    "xtc_probability",
    "xtc_threshold",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "dry_penalty_last_n",
    "dry_sequence_breakers",
    "penalize_nl",
    /* constrained output */
    "structured_outputs",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "guided_whitespace_pattern",
    "regex",
    "ebnf",
    "json_schema",
    "grammar",
    "structural_tag",
};

/* Set by the node itself. */
static const char *const owned[] = {"priority", "cache_prompt", "rid", "request_id"};

static const char *const refused[] = {
    "kv_transfer_params",
    "vllm_xargs",
    "custom_logit_processor",
    "custom_params",
    "chat_template",
    "mm_processor_kwargs",
    "media_io_kwargs",
    "input_ids",
    "input_embeds",
    "prompt_embeds",
    "cache_salt",
    "extra_key",
    "lora",
    "lora_path",
    "lora_request",
    "id_slot",
    "slot_id",
    "session_params",
    "session_id",
    "data_parallel_rank",
    "data_parallel_rank_decode",
    "return_hidden_states",
    "return_routed_experts",
    "logits_processors",
    "documents",
    "response_fields",
    "ec_transfer_params",
    "image_data",
    "return_token_ids",
};

static const char *const refused_prefixes[] = {"bootstrap_", "disagg_", "__"};

static bool is_in(struct bytes name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_eq_cstr(name, list[i]))
            return true;
    return false;
}

enum openai_field openai_field_class(struct bytes name)
{
    if (is_in(name, allowed, ARRAY_LEN(allowed)))
        return OPENAI_FIELD_ALLOWED;
    if (is_in(name, owned, ARRAY_LEN(owned)))
        return OPENAI_FIELD_OWNED;
    if (is_in(name, refused, ARRAY_LEN(refused)))
        return OPENAI_FIELD_REFUSED;
    for (size_t i = 0; i < ARRAY_LEN(refused_prefixes); i++)
        if (bytes_starts_with(name, bytes_of(refused_prefixes[i])))
            return OPENAI_FIELD_REFUSED;
    return OPENAI_FIELD_UNKNOWN;
}
