/* GET /v1/signature/{id}: what the node signed for a reply, kept by the gateway when the reply was
 * complete (near.md 1.6). The store is asked on a work thread. */
#include <stdio.h>
#include <stdlib.h>

#include "codec/jwrite.h"
#include "gateway/gateway_priv.h"

struct lookup {
    struct worker *worker;
    struct exchange *x; /* NULL once the client has left */
    char id[STORE_CHAT_ID_MAX + 1];
    enum near_algo algo;
    struct store_signature found;
    enum tacit_err err;
    bool is_working;
};

static void lookup_work(void *ctx)
{
    struct lookup *l = ctx;

    l->err = store_signature_get(l->worker->gw->store, &l->found, l->id, near_algo_name(l->algo));
}

static void found_reply(struct lookup *l)
{
    uint8_t mem[2048];
    struct buf body = buf_over(mem, sizeof(mem));
    struct jw w = jw_make(&body);

    jw_object(&w);
    if (strcmp(l->found.kind, "disconnected") == 0) {
        jw_key_cstr(&w, "error_code", "STREAM_DISCONNECTED");
        jw_key_cstr(&w, "message", "Verification not available due to disconnection.");
    } else {
        jw_key_cstr(&w, "text", l->found.text);
        jw_key_cstr(&w, "signature", l->found.signature);
        jw_key_cstr(&w, "signing_address", l->found.signing_address);
        jw_key_cstr(&w, "signing_algo", l->found.algo);
        jw_key_cstr(&w, "signature_kind", l->found.kind);
    }
    jw_end(&w);
    reply_json(l->x, 200, buf_bytes(&body), NULL, 0);
}

static void lookup_reply(struct lookup *l)
{
    char message[STORE_CHAT_ID_MAX + 64];

    if (l->err == TACIT_OK) {
        found_reply(l);
    } else if (l->err == TACIT_NOT_FOUND) {
        snprintf(message, sizeof(message), "Signature not found: %s:%s", l->id,
                 near_algo_name(l->algo));
        reply_error(l->x, 404, "not_found_error", message, NULL);
    } else {
        reply_error(l->x, 500, "internal_server_error", "The signature could not be looked up",
                    NULL);
    }
}

static void lookup_done(void *ctx)
{
    struct lookup *l = ctx;

    l->is_working = false;
    if (l->x == NULL)
        free(l);
    else
        lookup_reply(l);
}

static void on_closed(struct exchange *x, bool is_complete, void *ctx)
{
    struct lookup *l = ctx;

    UNUSED(x);
    UNUSED(is_complete);
    l->x = NULL;
    if (!l->is_working)
        free(l);
}

/* Ids are ours or an engine's: visible ASCII. Anything else was never issued. */
static bool id_is_fine(struct bytes id)
{
    for (size_t i = 0; i < id.len; i++)
        if (id.ptr[i] <= ' ' || id.ptr[i] > '~' || id.ptr[i] == '"' || id.ptr[i] == '\\' ||
            id.ptr[i] == '%')
            return false;
    return id.len > 0 && id.len <= STORE_CHAT_ID_MAX;
}

void signature_begin(struct worker *w, struct exchange *x, struct bytes id, struct bytes query)
{
    static const struct exchange_events events = {reply_drop_body, reply_drop_end, NULL, on_closed};
    enum near_algo algo = NEAR_ECDSA;
    char text[16];
    bool is_bad = false;
    struct lookup *l;

    if ((query_get(text, sizeof(text), &is_bad, query, "signing_algo") &&
         !near_algo_read(&algo, bytes_of(text))) ||
        is_bad) {
        reply_error(x, 400, "invalid_request_error",
                    "Invalid parameter: signing_algo must be 'ed25519' or 'ecdsa'", "signing_algo");
        return;
    }
    if (!id_is_fine(id)) {
        reply_error(x, 404, "not_found_error", "Signature not found", NULL);
        return;
    }
    l = calloc(1, sizeof(*l));
    if (l == NULL) {
        reply_error(x, 500, "internal_server_error", "Out of memory", NULL);
        return;
    }
    *l = (struct lookup){.worker = w, .x = x, .algo = algo};
    snprintf(l->id, sizeof(l->id), "%.*s", BYTES_FMT(id));
    exchange_listen(x, &events, l);
    l->is_working = loop_work(w->loop, lookup_work, lookup_done, l);
    if (!l->is_working)
        reply_error(x, 500, "internal_server_error", "Out of memory", NULL);
}
