/* Reading usage and receipts. Invariant: nothing from a node is stored that is longer than its
 * field or not visible ASCII. */
#include "gateway/usage.h"

#include <stdio.h>

static bool text_read(char *out, size_t cap, struct jval v)
{
    struct bytes text;

    if (!jscan_str_view(&text, v) || text.len == 0 || text.len >= cap)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
    return true;
}

static bool signature_read(struct store_signature *out, struct jval sig, const char *chat_id)
{
    struct jscan_field f[] = {
        {"text", JVAL_ABSENT},
        {"signature", JVAL_ABSENT},
        {"signing_address", JVAL_ABSENT},
        {"signing_algo", JVAL_ABSENT},
    };

    *out = (struct store_signature){.kind = "provider_tee"};
    (void)jscan_fields(sig, f, ARRAY_LEN(f));
    snprintf(out->chat_id, sizeof(out->chat_id), "%s", chat_id);
    return text_read(out->text, sizeof(out->text), f[0].val) &&
           text_read(out->signature, sizeof(out->signature), f[1].val) &&
           text_read(out->signing_address, sizeof(out->signing_address), f[2].val) &&
           text_read(out->algo, sizeof(out->algo), f[3].val) &&
           (strcmp(out->algo, "ecdsa") == 0 || strcmp(out->algo, "ed25519") == 0);
}

enum tacit_err receipt_read(struct openai_usage *usage, struct store_reply *reply,
                            struct bytes body, const char *chat_id)
{
    struct jval root;
    struct jval sig;
    struct jiter it;

    *usage = (struct openai_usage){0};
    reply->signature_count = 0;
    if (jscan_object(&root, body) != TACIT_OK ||
        !jscan_str_eq_cstr(jscan_member(root, "id"), chat_id))
        return TACIT_FORMAT;
    openai_usage_read(usage, jscan_member(root, "usage"));
    if (!usage->is_present)
        return TACIT_FORMAT;
    it = jscan_iter(jscan_member(root, "signatures"));
    while (jscan_next(&it, NULL, &sig)) {
        if (reply->signature_count == ARRAY_LEN(reply->signatures) ||
            !signature_read(&reply->signatures[reply->signature_count], sig, chat_id))
            return TACIT_FORMAT;
        reply->signature_count++;
    }
    return reply->signature_count > 0 ? TACIT_OK : TACIT_FORMAT;
}
