/* The http folder when memory runs out: heads are whole or refused, an HTTP/2 connection goes on or
 * ends, every stream that began is told its end at most once, and nothing leaks. */
#include "fault.h"

#include "http/h1.h"
#include "http/h2.h"

static const struct header fields[] = {
    {{(const uint8_t *)"content-type", 12}, {(const uint8_t *)"text/plain", 10}},
    {{(const uint8_t *)"x-a", 3}, {(const uint8_t *)"b", 1}},
};

static bool h1_once(void *ctx)
{
    static uint8_t mem[1024];
    static size_t len;
    struct buf out = buf_make(1024);
    enum tacit_err err = h1_put_reply(&out, 200, fields, ARRAY_LEN(fields));
    bool is_well;

    UNUSED(ctx);
    h1_put_chunk(&out, BYTES_LIT("0123456789"));
    h1_put_last_chunk(&out);
    is_well = err == TACIT_OK && !out.failed;
    if (is_well)
        same_as_first(buf_bytes(&out), mem, sizeof(mem), &len);
    buf_done(&out);
    return is_well;
}

struct talk {
    struct h2 *h;
    unsigned heads, closes, refused;
};

static void on_head(void *ctx, int32_t stream, const struct h2_head *head)
{
    struct talk *t = ctx;

    t->heads++;
    if (head->no.status != 0)
        t->refused++;
    if (h2_reply(t->h, stream, 200, fields, ARRAY_LEN(fields), true) != TACIT_OK)
        h2_reset(t->h, stream);
}

static void on_body(void *ctx, int32_t stream, struct bytes piece)
{
    h2_consumed(((struct talk *)ctx)->h, stream, piece.len);
}

static void on_end(void *ctx, int32_t stream)
{
    UNUSED(ctx);
    UNUSED(stream);
}

static enum h2_take on_take(void *ctx, int32_t stream, uint8_t *out, size_t cap, size_t *len)
{
    UNUSED(ctx);
    UNUSED(stream);
    *len = cap < 10 ? cap : 10;
    memset(out, 'x', *len);
    return H2_TAKE_END;
}

static void on_close(void *ctx, int32_t stream)
{
    UNUSED(stream);
    ((struct talk *)ctx)->closes++;
}

/* Preface, SETTINGS, and three requests: GET http / from the static table, with a literal "x-b: c".
 */
static const char conversation[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
                                   "\0\0\x0d\1\5\0\0\0\1\x82\x86\x84\x01\1h\0\3x-b\1c"
                                   "\0\0\x0d\1\4\0\0\0\3\x83\x86\x84\x01\1h\0\3x-b\1c"
                                   "\0\0\3\0\1\0\0\0\3abc"
                                   "\0\0\x0d\1\5\0\0\0\5\x82\x86\x84\x01\1h\0\3x-b\1c";

static bool h2_once(void *ctx)
{
    static const struct h2_events events = {on_head, on_body, on_end, on_take, on_end, on_close};
    struct talk t = {.h = NULL};
    struct bytes in = bytes_make(conversation, sizeof(conversation) - 1);
    bool is_well;

    UNUSED(ctx);
    t.h = h2_new(&events, &t, 10);
    is_well = t.h != NULL;
    while (is_well && in.len > 0) {
        is_well = h2_feed(t.h, bytes_slice(in, 0, 11), 1) == TACIT_OK;
        in = bytes_slice(in, 11, SIZE_MAX);
        while (h2_take_out(t.h).len > 0)
            continue;
    }
    h2_free(t.h);
    assert_true(t.closes <= t.heads);
    return is_well && t.heads == 3 && t.closes == 3 && t.refused == 0;
}

static void heads_are_whole_or_refused(void **state)
{
    UNUSED(state);
    faults_run(h1_once, NULL, NULL);
}

static void an_http_2_connection_serves_or_ends(void **state)
{
    UNUSED(state);
    faults_run(h2_once, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_whole_or_refused),
        cmocka_unit_test(an_http_2_connection_serves_or_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
