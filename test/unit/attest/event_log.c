/* Claims about dstack logs: what replay proves is told, and every trap of the format is refused by
 * its name. */
#include "cmocka_all.h"

#include "attest/event_log.h"
#include "base/buf.h"
#include "base/limits.h"

enum { TEXT_MAX = 256 * 1024 };

static const char boot[] =
    "{\"imr\":0,\"event_type\":2147483659,\"digest\":\""
    "2e070cda358b5aa00f27cca25c47381bb564f4be3a84d059805a73cbbde764ed8341f7e09915b5e7b370f9c08a743"
    "fbd\",\"event\":\"table\",\"event_payload\":\"0954\"}";

/* One runtime entry; digest: 'c' computed, 'e' empty, 'w' wrong. */
static void entry_put(struct buf *b, const char *name, struct bytes payload, char digest)
{
    uint8_t value[48];

    event_log_digest(value, bytes_of(name), payload);
    if (digest == 'w')
        value[47] ^= 1;
    buf_puts(b, ",{\"imr\":3,\"event_type\":134217729,\"digest\":\"");
    if (digest != 'e')
        buf_hex(b, BYTES_ARRAY(value));
    buf_putf(b, "\",\"event\":\"%s\",\"event_payload\":\"", name);
    buf_hex(b, payload);
    buf_puts(b, "\"}");
}

static void log_put(struct buf *b, char digest)
{
    buf_putf(b, "[%s", boot);
    entry_put(b, "system-preparing", BYTES_LIT(""), digest);
    entry_put(b, "compose-hash", BYTES_LIT("hash"), digest);
    entry_put(b, "system-ready", BYTES_LIT(""), digest);
    entry_put(b, "compose-hash", BYTES_LIT("app's own"), digest);
    entry_put(b, "model", BYTES_LIT("one"), digest);
    entry_put(b, "model", BYTES_LIT("two"), digest);
}

/* Proves a log with registers replayed before. */
static bool prove(struct event_log *log, uint8_t rtmr[RTMR_COUNT][RTMR_LEN])
{
    struct bytes views[RTMR_COUNT];

    for (size_t i = 0; i < RTMR_COUNT; i++)
        views[i] = bytes_make(rtmr[i], RTMR_LEN);
    return event_log_prove(log, views);
}

static enum tacit_err read_log(struct event_log *log, struct buf *b, struct arena *arena)
{
    buf_puts(b, "]");
    return event_log_read(log, buf_bytes(b), arena);
}

static void tells_only_what_replay_proves(void **state)
{
    struct buf b = buf_make(TEXT_MAX);
    struct arena arena = arena_make(TEXT_MAX);
    uint8_t rtmr[RTMR_COUNT][RTMR_LEN];
    struct event_log log;

    UNUSED(state);
    log_put(&b, 'c');
    assert_ok(read_log(&log, &b, &arena));
    assert_int_equal(log.runtime_count, 6);
    assert_null(event_log_system(&log, "compose-hash"));
    memcpy(rtmr, log.rtmr, sizeof(rtmr));
    assert_true(prove(&log, rtmr));
    assert_true(bytes_eq_cstr(event_log_system(&log, "compose-hash")->payload, "hash"));
    assert_true(bytes_eq_cstr(event_log_app(&log, "compose-hash", 0)->payload, "app's own"));
    assert_true(bytes_eq_cstr(event_log_app(&log, "model", 1)->payload, "two"));
    assert_null(event_log_app(&log, "model", 2));
    assert_null(event_log_system(&log, "model"));
    assert_null(event_log_system(&log, "table"));
    rtmr[3][0] ^= 1;
    assert_false(prove(&log, rtmr));
    assert_int_equal(log.proven_mask, 7);
    assert_null(event_log_system(&log, "compose-hash"));
    arena_done(&arena);
    buf_done(&b);
}

static void stripped_digests_replay_to_the_same(void **state)
{
    struct buf b = buf_make(TEXT_MAX);
    struct arena arena = arena_make(TEXT_MAX);
    struct event_log full;
    struct event_log stripped;

    UNUSED(state);
    log_put(&b, 'c');
    assert_ok(read_log(&full, &b, &arena));
    buf_reset(&b);
    log_put(&b, 'e');
    assert_ok(read_log(&stripped, &b, &arena));
    assert_memory_equal(full.rtmr, stripped.rtmr, sizeof(full.rtmr));
    arena_done(&arena);
    buf_done(&b);
}

static void version_2_digests_are_of_canonical_json(void **state)
{
    static const char text[] = "[{\"imr\":3,\"event_type\":134217729,\"version\":2,\"digest\":\"\","
                               "\"event\":\"n\",\"event_payload\":\"Aa\"}]";
    struct arena arena = arena_make(TEXT_MAX);
    uint8_t v1[48];
    struct event_log log;

    UNUSED(state);
    assert_ok(event_log_read(&log, bytes_of(text), &arena));
    event_log_digest(v1, BYTES_LIT("n"), BYTES_LIT("\xaa"));
    assert_memory_not_equal(log.runtime[0].digest, v1, 48);
    arena_done(&arena);
}

static void without_system_ready_nothing_is_a_system_event(void **state)
{
    struct buf b = buf_make(TEXT_MAX);
    struct arena arena = arena_make(TEXT_MAX);
    struct event_log log;

    UNUSED(state);
    buf_putf(&b, "[%s", boot);
    entry_put(&b, "compose-hash", BYTES_LIT("hash"), 'c');
    assert_ok(read_log(&log, &b, &arena));
    assert_true(prove(&log, log.rtmr));
    assert_null(event_log_system(&log, "compose-hash"));
    assert_non_null(event_log_app(&log, "compose-hash", 0));
    arena_done(&arena);
    buf_done(&b);
}

static void refused_as(const char *json, enum event_log_fault fault, size_t index)
{
    struct arena arena = arena_make(TEXT_MAX);
    struct event_log log;

    assert_err(event_log_read(&log, bytes_of(json), &arena), TACIT_FORMAT);
    assert_string_equal(event_log_fault_name(log.fault), event_log_fault_name(fault));
    assert_int_equal(log.fault_index, index);
    assert_int_equal(log.runtime_count, 0);
    assert_true(bytes_is_zero(bytes_make(log.rtmr, sizeof(log.rtmr))));
    arena_done(&arena);
}

#define ENTRY(imr, type, digest, name, payload)                                            \
    "{\"imr\":" imr ",\"event_type\":" type ",\"digest\":\"" digest "\",\"event\":\"" name \
    "\",\"event_payload\":\"" payload "\"}"
#define RUNTIME(name, payload) ENTRY("3", "134217729", "", name, payload)

static void refuses_malformed_entries(void **state)
{
    UNUSED(state);
    refused_as("", EVENT_LOG_JSON, 0);
    refused_as("{}", EVENT_LOG_PARSE, 0);
    refused_as("[1]", EVENT_LOG_PARSE, 0);
    refused_as("[" RUNTIME("a", "") ",{}]", EVENT_LOG_PARSE, 1);
    refused_as("[" RUNTIME("a", "0") "]", EVENT_LOG_PARSE, 0);
    refused_as("[" RUNTIME("a", "0x") "]", EVENT_LOG_PARSE, 0);
    refused_as("[" ENTRY("4", "1", "", "a", "") "]", EVENT_LOG_PARSE, 0);
    refused_as("[" ENTRY("-1", "1", "", "a", "") "]", EVENT_LOG_PARSE, 0);
    refused_as("[" ENTRY("1.0", "1", "", "a", "") "]", EVENT_LOG_PARSE, 0);
    refused_as("[" ENTRY("0", "4294967296", "", "a", "") "]", EVENT_LOG_PARSE, 0);
    refused_as("[" ENTRY("0", "1", "", "a", "") "]", EVENT_LOG_PARSE, 0);
    refused_as("[" ENTRY("3", "134217729", "00", "a", "") "]", EVENT_LOG_PARSE, 0);
    refused_as("[" RUNTIME("a", "") "] x", EVENT_LOG_JSON, 0);
    refused_as("[{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"a\","
               "\"event_payload\":\"00\",\"event_payload\":\"01\"}]",
               EVENT_LOG_JSON, 0);
}

static void refuses_ambiguous_names_and_foreign_types(void **state)
{
    UNUSED(state);
    refused_as("[" RUNTIME("a:b", "00") "]", EVENT_LOG_NAME, 0);
    refused_as("[" RUNTIME("a\\u003ab", "00") "]", EVENT_LOG_NAME, 0);
    refused_as("[" RUNTIME("", "00") "]", EVENT_LOG_NAME, 0);
    refused_as("[" ENTRY("3", "134217730", "", "a", "") "]", EVENT_LOG_TYPE, 0);
    refused_as("[" ENTRY("2", "134217729", "", "a", "") "]", EVENT_LOG_TYPE, 0);
}

static void refuses_a_digest_that_is_not_of_name_and_payload(void **state)
{
    struct buf b = buf_make(TEXT_MAX);

    UNUSED(state);
    buf_putf(&b, "[%s", boot);
    entry_put(&b, "app-id", BYTES_LIT("x"), 'w');
    buf_puts(&b, "]");
    refused_as(buf_cstr(&b), EVENT_LOG_DIGEST, 1);
    buf_done(&b);
}

static void refuses_a_second_identity_event_before_system_ready(void **state)
{
    UNUSED(state);
    refused_as("[" RUNTIME("app-id", "00") "," RUNTIME("app-id", "00") "]", EVENT_LOG_DUPLICATE, 1);
    refused_as("[" RUNTIME("os-image-hash",
                           "00") "," RUNTIME("x", "00") "," RUNTIME("os-image-hash", "01") "]",
               EVENT_LOG_DUPLICATE, 2);
}

static void refuses_more_events_than_the_limit(void **state)
{
    struct buf b = buf_make(1024 * 1024);
    struct arena arena = arena_make(4 * 1024 * 1024);
    struct event_log log;

    UNUSED(state);
    buf_puts(&b, "[" RUNTIME("a", ""));
    for (size_t i = 1; i < LIMIT_EVENT_LOG_EVENTS; i++)
        buf_puts(&b, "," RUNTIME("a", ""));
    buf_puts(&b, "]");
    assert_ok(event_log_read(&log, buf_bytes(&b), &arena));
    b.len--;
    buf_puts(&b, "," RUNTIME("a", "") "]");
    assert_err(event_log_read(&log, buf_bytes(&b), &arena), TACIT_LIMIT);
    arena_done(&arena);
    buf_done(&b);
}

static void every_prefix_is_refused(void **state)
{
    struct buf b = buf_make(TEXT_MAX);
    struct event_log log;

    UNUSED(state);
    log_put(&b, 'c');
    buf_puts(&b, "]");
    for (size_t len = 0; len < b.len; len++) {
        struct arena arena = arena_make(TEXT_MAX);

        assert_err(event_log_read(&log, bytes_make(b.ptr, len), &arena), TACIT_FORMAT);
        arena_done(&arena);
    }
    buf_done(&b);
}

/* A flip in a boot event's name or payload may pass: nothing about them is ever told. */
static void no_flip_changes_what_is_proven(void **state)
{
    struct buf b = buf_make(TEXT_MAX);
    struct arena first = arena_make(TEXT_MAX);
    struct event_log good;
    struct event_log log;

    UNUSED(state);
    log_put(&b, 'c');
    assert_ok(read_log(&good, &b, &first));
    for (size_t bit = 0; bit < b.len * 8; bit++) {
        struct arena arena = arena_make(TEXT_MAX);

        b.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (event_log_read(&log, buf_bytes(&b), &arena) == TACIT_OK && prove(&log, good.rtmr))
            for (size_t i = 0; i < good.runtime_count; i++) {
                assert_true(bytes_eq(log.runtime[i].name, good.runtime[i].name));
                assert_true(bytes_eq(log.runtime[i].payload, good.runtime[i].payload));
            }
        b.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        arena_done(&arena);
    }
    arena_done(&first);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_only_what_replay_proves),
        cmocka_unit_test(stripped_digests_replay_to_the_same),
        cmocka_unit_test(version_2_digests_are_of_canonical_json),
        cmocka_unit_test(without_system_ready_nothing_is_a_system_event),
        cmocka_unit_test(refuses_malformed_entries),
        cmocka_unit_test(refuses_ambiguous_names_and_foreign_types),
        cmocka_unit_test(refuses_a_digest_that_is_not_of_name_and_payload),
        cmocka_unit_test(refuses_a_second_identity_event_before_system_ready),
        cmocka_unit_test(refuses_more_events_than_the_limit),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(no_flip_changes_what_is_proven),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
