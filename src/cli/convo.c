/* Building a request and reading a reply: see convo.h. */
#include "cli/convo.h"

#include <stdio.h>

#include "codec/jscan.h"
#include "codec/jwrite.h"

enum { SMALL_LIMIT = 64 * 1024 };

void convo_init(struct convo *c)
{
    c->request = buf_make_secret(LIMIT_BODY_BYTES);
    c->response = buf_make_secret(LIMIT_REPLY_BYTES);
    c->signature = buf_make(SMALL_LIMIT);
    c->answer = buf_make_secret(LIMIT_REPLY_BYTES);
    sse_init(&c->sse);
}

void convo_done(struct convo *c)
{
    buf_done(&c->request);
    buf_done(&c->response);
    buf_done(&c->signature);
    buf_done(&c->answer);
    sse_done(&c->sse);
}

static void put_message(struct jw *w, const char *role, const char *text)
{
    jw_object(w);
    jw_key_cstr(w, "role", role);
    jw_key_cstr(w, "content", text);
    jw_end(w);
}

static bool is_number(const char *text)
{
    struct jval v;

    return jscan_validate(&v, NULL, bytes_of(text)) == TACIT_OK && v.type == JVAL_NUMBER;
}

enum tacit_err convo_make_request(struct convo *c)
{
    struct jw w = jw_make(&c->request);

    if ((c->max_tokens != NULL && !is_number(c->max_tokens)) ||
        (c->temperature != NULL && !is_number(c->temperature)))
        return TACIT_FORMAT;
    jw_object(&w);
    jw_key_cstr(&w, "model", c->model);
    jw_key(&w, "messages");
    jw_array(&w);
    if (c->system != NULL)
        put_message(&w, "system", c->system);
    put_message(&w, "user", c->prompt);
    jw_end(&w);
    if (c->max_tokens != NULL)
        jw_key_raw(&w, "max_tokens", bytes_of(c->max_tokens));
    if (c->temperature != NULL)
        jw_key_raw(&w, "temperature", bytes_of(c->temperature));
    if (c->is_stream) {
        jw_key(&w, "stream");
        jw_bool(&w, true);
    }
    jw_end(&w);
    return c->request.failed ? TACIT_FORMAT : TACIT_OK; /* no UTF-8, or beyond the body limit */
}

static void take_id(struct convo *c, struct jval root)
{
    struct bytes id;

    if (c->id[0] == '\0' && jscan_str_view(&id, jscan_member(root, "id")) && id.len < sizeof c->id)
        (void)snprintf(c->id, sizeof c->id, "%.*s", BYTES_FMT(id));
}

/* One JSON object of the reply: a chunk of a stream, or all of it. */
static void take_object(struct convo *c, struct bytes json, const char *member,
                        void (*on_text)(struct bytes, void *), void *ctx)
{
    struct jval root;
    size_t before = c->answer.len;

    if (jscan_object(&root, json) != TACIT_OK || !jscan_is_nothing(jscan_member(root, "error"))) {
        c->is_error = true;
        return;
    }
    take_id(c, root);
    struct jval choice = jscan_item(jscan_member(root, "choices"), 0);
    struct jval content = jscan_member(jscan_member(choice, member), "content");
    if (content.type != JVAL_STRING || jscan_str_copy(&c->answer, content) != TACIT_OK)
        return;
    if (on_text != NULL)
        on_text(bytes_make(c->answer.ptr + before, c->answer.len - before), ctx);
}

enum tacit_err convo_take(struct convo *c, struct bytes chunk,
                          void (*on_text)(struct bytes text, void *ctx), void *ctx)
{
    struct sse_event event;
    enum tacit_err err;

    buf_put(&c->response, chunk);
    if (c->response.failed)
        return TACIT_LIMIT;
    if (!c->is_stream || c->status != 200)
        return TACIT_OK;
    err = sse_feed(&c->sse, chunk);
    while (err == TACIT_OK && sse_next(&c->sse, &event)) {
        if (event.is_done)
            c->is_done = true;
        else if (event.has_data)
            take_object(c, event.data, "delta", on_text, ctx);
    }
    return err;
}

void convo_end(struct convo *c)
{
    if (c->status != 200) {
        c->is_error = true;
    } else if (!c->is_stream) {
        take_object(c, buf_bytes(&c->response), "message", NULL, NULL);
        c->is_done = !c->is_error;
    }
}
