/* Claims about CCEL logs, over logs built here: what replays, and every malformed one refused. */
#include "cmocka_all.h"

#include "attest/ccel.h"
#include "attest/event_log.h"
#include "base/buf.h"
#include "crypto/sha2.h"

static void spec_put(struct buf *b, uint16_t alg, uint16_t digest_len)
{
    buf_u32le(b, 1);
    buf_u32le(b, 3);
    buf_fill(b, 0, 20);
    buf_u32le(b, 16 + 4 + 4 + 4 + 4 + 1);
    buf_put(b, BYTES_LIT("Spec ID Event03\0"));
    buf_u32le(b, 0);
    buf_u32le(b, 0x02000200);
    buf_u32le(b, 1);
    buf_u16le(b, alg);
    buf_u16le(b, digest_len);
    buf_putc(b, 0);
}

static void event_put(struct buf *b, uint32_t mr, uint32_t type, struct bytes data)
{
    uint8_t digest[48];

    sha384(digest, data);
    buf_u32le(b, mr);
    buf_u32le(b, type);
    buf_u32le(b, 1);
    buf_u16le(b, CCEL_ALG_SHA384);
    buf_put(b, BYTES_ARRAY(digest));
    buf_u32le(b, (uint32_t)data.len);
    buf_put(b, data);
}

static void log_put(struct buf *b)
{
    spec_put(b, CCEL_ALG_SHA384, 48);
    event_put(b, 1, 0x80000001, BYTES_LIT("variable"));
    event_put(b, 1, 4, BYTES_LIT("\0\0\0\0"));
    event_put(b, 2, 0x80000003, BYTES_LIT("image"));
    event_put(b, 3, 13, BYTES_LIT("cmdline"));
}

static void replays_what_was_measured(void **state)
{
    struct buf b = buf_make(4096);
    uint8_t rtmr[48] = {0};
    uint8_t digest[48];
    struct ccel log;

    UNUSED(state);
    log_put(&b);
    assert_ok(ccel_read(&log, buf_bytes(&b)));
    assert_int_equal(log.event_count, 4);
    sha384(digest, BYTES_LIT("variable"));
    event_log_extend(rtmr, digest);
    sha384(digest, BYTES_LIT("\0\0\0\0"));
    event_log_extend(rtmr, digest);
    assert_memory_equal(log.rtmr[0], rtmr, 48);
    assert_true(bytes_is_zero(BYTES_ARRAY(log.rtmr[3])));
    buf_done(&b);
}

static void tells_which_payloads_the_digest_covers(void **state)
{
    struct buf b = buf_make(4096);
    struct reader cursor;
    struct ccel_event e;
    struct ccel log;

    UNUSED(state);
    log_put(&b);
    assert_ok(ccel_read(&log, buf_bytes(&b)));
    cursor = reader_over(log.events);
    assert_true(ccel_next(&e, &cursor, &log));
    assert_true(e.is_data_hashed && bytes_eq_cstr(e.data, "variable"));
    assert_true(ccel_next(&e, &cursor, &log));
    assert_true(e.is_data_hashed);
    assert_true(ccel_next(&e, &cursor, &log));
    assert_false(e.is_data_hashed);
    assert_true(ccel_next(&e, &cursor, &log));
    assert_false(e.is_data_hashed);
    assert_false(ccel_next(&e, &cursor, &log));
    buf_done(&b);
}

static void ends_at_fill_and_at_a_zero_entry(void **state)
{
    struct buf b = buf_make(4096);
    struct ccel log;

    UNUSED(state);
    log_put(&b);
    buf_fill(&b, 0xff, 100);
    assert_ok(ccel_read(&log, buf_bytes(&b)));
    assert_int_equal(log.event_count, 4);
    buf_reset(&b);
    log_put(&b);
    buf_fill(&b, 0, 100);
    assert_ok(ccel_read(&log, buf_bytes(&b)));
    assert_int_equal(log.event_count, 4);
    buf_done(&b);
}

/* A prefix is whole only where an event ends. */
static void refuses_every_prefix_that_cuts_an_event(void **state)
{
    struct buf b = buf_make(4096);
    struct bytes all;
    struct ccel log;
    size_t accepted = 0;

    UNUSED(state);
    log_put(&b);
    all = buf_bytes(&b);
    for (size_t len = 0; len <= all.len; len++)
        if (ccel_read(&log, bytes_slice(all, 0, len)) == TACIT_OK)
            accepted++;
    assert_int_equal(accepted, 5);
    buf_done(&b);
}

static void no_flipped_digest_bit_keeps_the_replay(void **state)
{
    struct buf b = buf_make(4096);
    struct ccel before;
    struct ccel after;
    size_t at;

    UNUSED(state);
    log_put(&b);
    assert_ok(ccel_read(&before, buf_bytes(&b)));
    at = b.len - before.events.len + 14;
    for (size_t bit = 0; bit < 48 * 8; bit++) {
        b.ptr[at + bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_ok(ccel_read(&after, buf_bytes(&b)));
        assert_memory_not_equal(after.rtmr[0], before.rtmr[0], 48);
        b.ptr[at + bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    buf_done(&b);
}

static void every_flip_is_handled(void **state)
{
    struct buf b = buf_make(4096);
    struct ccel log;

    UNUSED(state);
    log_put(&b);
    for (size_t bit = 0; bit < b.len * 8; bit++) {
        b.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (ccel_read(&log, buf_bytes(&b)) != TACIT_OK)
            assert_true(log.event_count == 0 && log.events.len == 0);
        b.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    buf_done(&b);
}

static void refuses_other_registers_algorithms_and_separators(void **state)
{
    struct buf b = buf_make(4096);
    struct ccel log;

    UNUSED(state);
    log_put(&b);
    event_put(&b, 5, 13, BYTES_LIT("x"));
    assert_err(ccel_read(&log, buf_bytes(&b)), TACIT_FORMAT);
    buf_reset(&b);
    spec_put(&b, 0x000b, 32);
    assert_err(ccel_read(&log, buf_bytes(&b)), TACIT_FORMAT);
    buf_reset(&b);
    spec_put(&b, CCEL_ALG_SHA384, 32);
    assert_err(ccel_read(&log, buf_bytes(&b)), TACIT_FORMAT);
    buf_reset(&b);
    log_put(&b);
    event_put(&b, 2, 4, BYTES_LIT("\0\0\0\0"));
    assert_ok(ccel_read(&log, buf_bytes(&b)));
    event_put(&b, 2, 4, BYTES_LIT("\0\0\0\0"));
    assert_err(ccel_read(&log, buf_bytes(&b)), TACIT_FORMAT);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replays_what_was_measured),
        cmocka_unit_test(tells_which_payloads_the_digest_covers),
        cmocka_unit_test(ends_at_fill_and_at_a_zero_entry),
        cmocka_unit_test(refuses_every_prefix_that_cuts_an_event),
        cmocka_unit_test(no_flipped_digest_bit_keeps_the_replay),
        cmocka_unit_test(every_flip_is_handled),
        cmocka_unit_test(refuses_other_registers_algorithms_and_separators),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
