/* Claims about views: nothing reads outside, numbers are strict. */
#include "cmocka_all.h"

#include "base/bytes.h"

static void slices_are_clamped(void **state)
{
    struct bytes b = BYTES_LIT("hello");

    UNUSED(state);
    assert_true(bytes_eq_cstr(bytes_slice(b, 1, 3), "ell"));
    assert_true(bytes_eq_cstr(bytes_slice(b, 3, SIZE_MAX), "lo"));
    assert_int_equal(bytes_slice(b, 5, 1).len, 0);
    assert_int_equal(bytes_slice(b, SIZE_MAX, SIZE_MAX).len, 0);
}

static void finds_what_is_there(void **state)
{
    struct bytes b = BYTES_LIT("a needle, a hay");

    UNUSED(state);
    assert_int_equal(bytes_find(b, BYTES_LIT("needle")), 2);
    assert_int_equal(bytes_find(b, BYTES_LIT("Needle")), SIZE_MAX);
    assert_int_equal(bytes_find_byte(b, ','), 8);
    assert_int_equal(bytes_find_byte(BYTES_LIT(""), ','), SIZE_MAX);
    assert_true(bytes_eq_nocase(BYTES_LIT("Content-Type"), BYTES_LIT("content-type")));
    assert_false(bytes_eq_nocase(BYTES_LIT("a@"), BYTES_LIT("A`")));
    assert_true(bytes_starts_with(b, BYTES_LIT("a n")));
    assert_true(bytes_ends_with(b, BYTES_LIT("hay")));
    assert_false(bytes_ends_with(BYTES_LIT("y"), BYTES_LIT("hay")));
    assert_true(bytes_eq_cstr(bytes_trim(BYTES_LIT(" \r\n x y\t ")), "x y"));
    assert_int_equal(bytes_trim(BYTES_LIT(" \t")).len, 0);
}

static void numbers_are_strict(void **state)
{
    static const char *const bad[] = {
        "", "+1", "-1", " 1", "1 ", "01", "1.", "0x1", "18446744073709551616", "101"};
    uint64_t v;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(
            bytes_to_u64(&v, bytes_of(bad[i]), i == ARRAY_LEN(bad) - 1 ? 100 : UINT64_MAX));
    assert_true(bytes_to_u64(&v, BYTES_LIT("18446744073709551615"), UINT64_MAX));
    assert_true(v == UINT64_MAX);
    assert_true(bytes_to_u64(&v, BYTES_LIT("0"), 0));
}

static void sums_overflow_loudly(void **state)
{
    size_t n;

    UNUSED(state);
    assert_false(size_add(&n, SIZE_MAX, 1));
    assert_true(size_add(&n, SIZE_MAX, 0));
    assert_false(size_mul(&n, SIZE_MAX / 2, 3));
}

static void orders_like_memcmp_then_length(void **state)
{
    UNUSED(state);
    assert_true(bytes_cmp(BYTES_LIT("a"), BYTES_LIT("b")) < 0);
    assert_true(bytes_cmp(BYTES_LIT("ab"), BYTES_LIT("a")) > 0);
    assert_true(bytes_cmp(BYTES_LIT(""), BYTES_LIT("")) == 0);
    assert_true(bytes_is_zero(BYTES_LIT("\0\0")));
    assert_false(bytes_is_zero(BYTES_LIT("\0\1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_are_clamped),
        cmocka_unit_test(finds_what_is_there),
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(sums_overflow_loudly),
        cmocka_unit_test(orders_like_memcmp_then_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
