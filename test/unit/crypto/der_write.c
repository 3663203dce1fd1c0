/* Claims about the DER writer: the shortest forms, and what it writes the strict reader reads. */
#include "cmocka_all.h"

#include "crypto/der_write.h"
#include "hex_test.h"

static void writes_the_shortest_integers(void **state)
{
    static const uint8_t padded[] = {0, 0, 0x80};
    uint8_t mem[64];
    struct buf b = buf_over(mem, sizeof(mem));

    UNUSED(state);
    der_put_u64(&b, DER_INTEGER, 0);
    der_put_u64(&b, DER_INTEGER, 127);
    der_put_u64(&b, DER_INTEGER, 128);
    der_put_u64(&b, DER_ENUMERATED, 256);
    der_put_unsigned(&b, BYTES_ARRAY(padded));
    assert_hex(b.ptr, b.len, "02010002017f020200800a02010002020080");
}

static void writes_known_object_identifiers(void **state)
{
    uint8_t mem[64];
    struct buf b = buf_over(mem, sizeof(mem));

    UNUSED(state);
    der_put_oid(&b, "2.5.29.19");
    der_put_oid(&b, "1.2.840.113741.1.13.1");
    der_put_oid(&b, "2.999.3");
    assert_hex(b.ptr, b.len, "0603551d1306092a864886f84d010d010603883703");
}

static void lengths_grow_with_the_content(void **state)
{
    static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 65535, 65536};
    static uint8_t content[65536];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct buf b = buf_make(70000);
        size_t outer = der_open(&b, DER_SEQUENCE);
        struct der d;
        struct der inside;

        der_put(&b, DER_OCTET_STRING, bytes_make(content, lengths[i]));
        der_close(&b, outer);
        d = der_over(buf_bytes(&b));
        inside = der_enter(&d, DER_SEQUENCE);
        assert_int_equal(der_read(&inside, DER_OCTET_STRING).len, lengths[i]);
        assert_true(der_finished(&inside) && der_finished(&d));
        buf_done(&b);
    }
}

static void times_change_form_in_2050(void **state)
{
    uint8_t mem[64];
    struct buf b = buf_over(mem, sizeof(mem));
    struct der d;

    UNUSED(state);
    der_put_time(&b, 2524607999);
    der_put_time(&b, 2524608000);
    der_put_generalized_time(&b, 0);
    d = der_over(buf_bytes(&b));
    assert_int_equal(der_peek(&d), DER_UTC_TIME);
    assert_true(der_time(&d) == 2524607999);
    assert_int_equal(der_peek(&d), DER_GENERALIZED_TIME);
    assert_true(der_time(&d) == 2524608000);
    assert_true(bytes_eq_cstr(der_read(&d, DER_GENERALIZED_TIME), "19700101000000Z"));
    assert_true(der_finished(&d));
}

static void a_full_buffer_shows_nothing(void **state)
{
    for (size_t cap = 0; cap < 11; cap++) {
        uint8_t mem[11];
        struct buf b = buf_over(mem, cap);
        size_t mark = der_open(&b, DER_SEQUENCE);

        der_put_oid(&b, "1.2.3");
        der_put_bool(&b, true);
        der_put_null(&b);
        der_close(&b, mark);
        assert_int_equal(b.failed, true);
        assert_int_equal(buf_bytes(&b).len, 0);
    }
    UNUSED(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_shortest_integers),
        cmocka_unit_test(writes_known_object_identifiers),
        cmocka_unit_test(lengths_grow_with_the_content),
        cmocka_unit_test(times_change_form_in_2050),
        cmocka_unit_test(a_full_buffer_shows_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
