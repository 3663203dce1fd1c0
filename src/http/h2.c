/* The door to nghttp2: a server session over memory. Every callback of nghttp2 ends here and leaves
 * as one of our events. */
#include "http/h2.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#include "http/h2_priv.h"

enum {
    STREAM_WINDOW = 256 * 1024,  /* what one request body may hold in our memory */
    CONNECTION_WINDOW = 1 << 20, /* what all of one connection may */
    RESET_BURST = 200,           /* streams reset, by either side, before it counts as abuse */
    RESET_PER_S = 20,            /* and how many a second are fine for ever */
    CONTROL_BURST = 500,         /* PING, SETTINGS, PRIORITY, CONTINUATION, empty DATA, ... */
    CONTROL_PER_S = 100,
    WINDOW_BURST = 20000, /* WINDOW_UPDATE comes with every read of an eager client */
    WINDOW_PER_S = 5000,
    /* Body that is taken and dropped after a whole reply, before the client is told to stop. */
    LATE_BODY_MAX = 256 * 1024,
};

/* An allowance that refills with time, in thousandths. */
struct allowance {
    uint64_t left;
    uint64_t burst;
    uint64_t per_s;
};

struct h2 {
    nghttp2_session *session;
    struct h2_events events;
    void *ctx;
    struct h2_fields *fields; /* of the head being received */
    struct allowance resets, controls, windows;
    uint64_t last_ms;
    bool is_flooded;
    bool is_mid_head;
};

static struct allowance allowance_make(uint64_t burst, uint64_t per_s)
{
    return (struct allowance){.left = burst * 1000, .burst = burst * 1000, .per_s = per_s};
}

static void allowance_refill(struct allowance *a, uint64_t passed_ms)
{
    uint64_t missing = a->burst - a->left;
    uint64_t more = passed_ms > 3600000 ? missing : passed_ms * a->per_s;

    a->left += more < missing ? more : missing;
}

/* Takes one; when none is left the session ends with ENHANCE_YOUR_CALM. */
static void allowance_take(struct h2 *h, struct allowance *a)
{
    if (a->left >= 1000) {
        a->left -= 1000;
    } else if (!h->is_flooded) {
        h->is_flooded = true;
        (void)nghttp2_session_terminate_session(h->session, NGHTTP2_ENHANCE_YOUR_CALM);
    }
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user)
{
    struct h2 *h = user;

    UNUSED(session);
    if (hd->type == NGHTTP2_RST_STREAM)
        allowance_take(h, &h->resets);
    else if (hd->type == NGHTTP2_WINDOW_UPDATE)
        allowance_take(h, &h->windows);
    else if (hd->type != NGHTTP2_HEADERS && (hd->type != NGHTTP2_DATA || hd->length == 0))
        allowance_take(h, &h->controls);
    if (hd->type == NGHTTP2_HEADERS)
        h->is_mid_head = true;
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *h = user;

    UNUSED(session);
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    h2_fields_free(h->fields);
    h->fields = h2_fields_new();
    return h->fields == NULL ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct h2 *h = user;

    UNUSED(session);
    UNUSED(flags);
    /* Trailers (another category) mean nothing here and are dropped. */
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST && h->fields != NULL)
        h2_fields_add(h->fields, (struct bytes){name, name_len}, (struct bytes){value, value_len});
    return 0;
}

static void head_done(struct h2 *h, int32_t stream, bool has_body)
{
    struct header headers[LIMIT_HEADERS + 9];
    struct h2_fields *fields = h->fields;
    struct h2_head head;

    h->fields = NULL;
    if (fields == NULL)
        return;
    h2_fields_head(&head, headers, fields, has_body);
    h->events.on_head(h->ctx, stream, &head);
    h2_fields_free(fields);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *h = user;
    bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    UNUSED(session);
    if (frame->hd.type == NGHTTP2_HEADERS) {
        h->is_mid_head = false;
        if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            head_done(h, frame->hd.stream_id, !is_end);
    }
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) && is_end)
        h->events.on_end(h->ctx, frame->hd.stream_id);
    return 0;
}

/* A header block that was refused is over too. */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
                            void *user)
{
    struct h2 *h = user;

    UNUSED(session);
    UNUSED(code);
    if (frame->hd.type == NGHTTP2_HEADERS)
        h->is_mid_head = false;
    return 0;
}

/* After the whole reply a client that still sends is told to stop (RFC 9113 8.1), but not at once:
 * curl takes that for a failed transfer, and a body that is nearly through costs little. */
static void late_body(struct h2 *h, int32_t stream, size_t len)
{
    uintptr_t dropped;

    if (nghttp2_session_get_stream_local_close(h->session, stream) != 1)
        return;
    dropped = (uintptr_t)nghttp2_session_get_stream_user_data(h->session, stream) + len;
    (void)nghttp2_session_set_stream_user_data(h->session, stream, (void *)dropped);
    if (dropped > LATE_BODY_MAX)
        (void)nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_NO_ERROR);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t len, void *user)
{
    struct h2 *h = user;

    UNUSED(session);
    UNUSED(flags);
    h->events.on_body(h->ctx, stream, (struct bytes){data, len});
    late_body(h, stream, len);
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *h = user;

    UNUSED(session);
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
        allowance_take(h, &h->resets);
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        h->events.on_sent(h->ctx, frame->hd.stream_id);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    struct h2 *h = user;

    UNUSED(session);
    UNUSED(code);
    h->events.on_close(h->ctx, stream);
    return 0;
}

static ssize_t on_read(nghttp2_session *session, int32_t stream, uint8_t *out, size_t cap,
                       uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct h2 *h = user;
    size_t len = 0;

    UNUSED(session);
    UNUSED(source);
    switch (h->events.on_take(h->ctx, stream, out, cap, &len)) {
    case H2_TAKE_SOME:
        return (ssize_t)len;
    case H2_TAKE_LATER:
        return NGHTTP2_ERR_DEFERRED;
    case H2_TAKE_END:
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        return (ssize_t)len;
    case H2_TAKE_FAIL:
        break;
    }
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static bool session_make(struct h2 *h)
{
    nghttp2_session_callbacks *calls = NULL;
    nghttp2_option *option = NULL;
    bool is_made = false;

    if (nghttp2_session_callbacks_new(&calls) != 0 || nghttp2_option_new(&option) != 0)
        goto out;
    nghttp2_session_callbacks_set_on_begin_frame_callback(calls, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame_recv);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(calls, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(calls, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
    nghttp2_option_set_no_auto_window_update(option, 1);
    is_made = nghttp2_session_server_new2(&h->session, calls, h, option) == 0;
out:
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(calls);
    return is_made;
}

static bool session_greet(struct h2 *h, uint32_t max_streams)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, LIMIT_HEAD_BYTES},
    };

    return nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings)) ==
               0 &&
           nghttp2_session_set_local_window_size(h->session, NGHTTP2_FLAG_NONE, 0,
                                                 CONNECTION_WINDOW) == 0;
}

struct h2 *h2_new(const struct h2_events *events, void *ctx, uint32_t max_streams)
{
    struct h2 *h = calloc(1, sizeof(*h));

    if (h == NULL)
        return NULL;
    h->events = *events;
    h->ctx = ctx;
    h->resets = allowance_make(RESET_BURST, RESET_PER_S);
    h->controls = allowance_make(CONTROL_BURST, CONTROL_PER_S);
    h->windows = allowance_make(WINDOW_BURST, WINDOW_PER_S);
    if (session_make(h) && session_greet(h, max_streams))
        return h;
    h2_free(h);
    return NULL;
}

static void ignore_stream(void *ctx, int32_t stream)
{
    UNUSED(ctx);
    UNUSED(stream);
}

void h2_free(struct h2 *h)
{
    if (h == NULL)
        return;
    /* nghttp2 closes the streams that are left, one by one. */
    h->events.on_close = ignore_stream;
    nghttp2_session_del(h->session);
    h2_fields_free(h->fields);
    free(h);
}

enum tacit_err h2_feed(struct h2 *h, struct bytes in, uint64_t now_ms)
{
    uint64_t passed_ms = h->last_ms == 0 || now_ms < h->last_ms ? 0 : now_ms - h->last_ms;
    ssize_t used;

    h->last_ms = now_ms;
    allowance_refill(&h->resets, passed_ms);
    allowance_refill(&h->controls, passed_ms);
    allowance_refill(&h->windows, passed_ms);
    used = in.len == 0 ? 0 : nghttp2_session_mem_recv(h->session, in.ptr, in.len);
    if (h->is_flooded)
        return TACIT_LIMIT;
    if (used == NGHTTP2_ERR_NOMEM || used == NGHTTP2_ERR_CALLBACK_FAILURE)
        return TACIT_NOMEM;
    return used < 0 || (size_t)used != in.len ? TACIT_FORMAT : TACIT_OK;
}

struct bytes h2_take_out(struct h2 *h)
{
    const uint8_t *ptr = NULL;
    ssize_t len = nghttp2_session_mem_send(h->session, &ptr);

    return len <= 0 ? (struct bytes){0} : (struct bytes){ptr, (size_t)len};
}

static nghttp2_nv field_of(struct bytes name, struct bytes value)
{
    /* nghttp2 copies and never writes through these, though its type says otherwise. */
    union {
        const uint8_t *in;
        uint8_t *out;
    } n = {name.ptr}, v = {value.ptr};

    return (nghttp2_nv){n.out, v.out, name.len, value.len, NGHTTP2_NV_FLAG_NONE};
}

enum tacit_err h2_reply(struct h2 *h, int32_t stream, unsigned status, const struct header *headers,
                        size_t count, bool has_body)
{
    nghttp2_nv fields[LIMIT_HEADERS + 9];
    nghttp2_data_provider body = {.read_callback = on_read};
    char digits[3];
    int result;

    if (status < 200 || status > 599 || count > LIMIT_HEADERS + 8)
        return TACIT_FORMAT;
    digits[0] = (char)('0' + status / 100);
    digits[1] = (char)('0' + status / 10 % 10);
    digits[2] = (char)('0' + status % 10);
    fields[0] = field_of(BYTES_LIT(":status"), bytes_make(digits, sizeof(digits)));
    for (size_t i = 0; i < count; i++) {
        if (!http_is_lower_token(headers[i].name) || !http_is_field_value(headers[i].value))
            return TACIT_FORMAT;
        fields[i + 1] = field_of(headers[i].name, headers[i].value);
    }
    if (nghttp2_session_find_stream(h->session, stream) == NULL)
        return TACIT_STATE;
    result =
        nghttp2_submit_response(h->session, stream, fields, count + 1, has_body ? &body : NULL);
    return result == 0 ? TACIT_OK : TACIT_NOMEM;
}

void h2_continue(struct h2 *h, int32_t stream)
{
    nghttp2_nv status = field_of(BYTES_LIT(":status"), BYTES_LIT("100"));

    (void)nghttp2_submit_headers(h->session, NGHTTP2_FLAG_NONE, stream, NULL, &status, 1, NULL);
}

void h2_resume(struct h2 *h, int32_t stream)
{
    (void)nghttp2_session_resume_data(h->session, stream);
}

void h2_reset(struct h2 *h, int32_t stream)
{
    (void)nghttp2_submit_rst_stream(h->session, NGHTTP2_FLAG_NONE, stream, NGHTTP2_INTERNAL_ERROR);
}

void h2_consumed(struct h2 *h, int32_t stream, size_t len)
{
    (void)nghttp2_session_consume(h->session, stream, len);
}

void h2_goaway(struct h2 *h)
{
    (void)nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(h->session),
                                NGHTTP2_NO_ERROR, NULL, 0);
}

bool h2_is_done(const struct h2 *h)
{
    return nghttp2_session_want_read(h->session) == 0 &&
           nghttp2_session_want_write(h->session) == 0;
}

bool h2_is_mid_head(const struct h2 *h)
{
    return h->is_mid_head;
}
