/* Claims about the output buffer: bounded, sticky in failure, exact in content. */
#include "cmocka_all.h"

#include "base/buf.h"

static void grows_up_to_its_limit_and_fails_beyond(void **state)
{
    struct buf b = buf_make(1000);

    UNUSED(state);
    buf_fill(&b, 'x', 1000);
    assert_ok(buf_err(&b));
    assert_int_equal(buf_bytes(&b).len, 1000);
    buf_putc(&b, 'y');
    assert_err(buf_err(&b), TACIT_NOMEM);
    assert_int_equal(buf_bytes(&b).len, 0);
    buf_reset(&b);
    buf_puts(&b, "again");
    assert_true(bytes_eq_cstr(buf_bytes(&b), "again"));
    buf_done(&b);
    buf_done(&b);
}

static void formats_short_and_long(void **state)
{
    struct buf b = buf_make(4000);
    char text[1001];

    UNUSED(state);
    memset(text, 'a', 1000);
    text[1000] = 0;
    buf_putf(&b, "%s-%d", text, 7);
    assert_int_equal(buf_bytes(&b).len, 1002);
    assert_true(bytes_ends_with(buf_bytes(&b), BYTES_LIT("aa-7")));
    buf_done(&b);
}

static void fixed_buffers_never_grow(void **state)
{
    uint8_t mem[4];
    struct buf b = buf_over(mem, sizeof(mem));

    UNUSED(state);
    buf_u32be(&b, 0x01020304);
    assert_ok(buf_err(&b));
    assert_int_equal(mem[3], 4);
    assert_null(buf_cstr(&b));
    buf_putc(&b, 0);
    assert_err(buf_err(&b), TACIT_NOMEM);
}

static void writes_integers_hex_and_consumes(void **state)
{
    struct buf b = buf_make(64);
    struct buf h = buf_make(64);

    UNUSED(state);
    buf_u16le(&b, 0x0201);
    buf_u24le(&b, 0x050403);
    buf_u64le(&b, 0x0d0c0b0a09080706);
    buf_u16be(&b, 0x0e0f);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.ptr[i], i + 1);
    buf_hex(&h, buf_bytes(&b));
    assert_string_equal(buf_cstr(&h), "0102030405060708090a0b0c0d0e0f");
    buf_consume(&b, 14);
    assert_int_equal(b.len, 1);
    assert_int_equal(b.ptr[0], 15);
    buf_consume(&b, 99);
    assert_int_equal(b.len, 0);
    buf_done(&b);
    buf_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_up_to_its_limit_and_fails_beyond),
        cmocka_unit_test(formats_short_and_long),
        cmocka_unit_test(fixed_buffers_never_grow),
        cmocka_unit_test(writes_integers_hex_and_consumes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
