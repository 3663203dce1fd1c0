/* Claims about query strings: found by whole name, decoded once, doubled or broken ones told. */
#include "cmocka_all.h"

#include "http/query.h"

static void finds_and_decodes(void **state)
{
    char out[16];
    bool is_bad = false;

    UNUSED(state);
    assert_true(query_get(out, sizeof(out), &is_bad, BYTES_LIT("a=1&model=x%2Fy+z&b"), "model"));
    assert_string_equal(out, "x/y+z");
    assert_true(query_get(out, sizeof(out), &is_bad, BYTES_LIT("a=1&b"), "b"));
    assert_string_equal(out, "");
    assert_true(query_get(out, sizeof(out), &is_bad, BYTES_LIT("a=%41"), "a"));
    assert_string_equal(out, "A");
    assert_false(query_get(out, sizeof(out), &is_bad, BYTES_LIT("xmodel=1&model2=3"), "model"));
    assert_false(query_get(out, sizeof(out), &is_bad, BYTES_LIT(""), "model"));
    assert_false(is_bad);
}

static void tells_what_is_wrong(void **state)
{
    static const char *const bad[] = {"a=1&a=2", "a=%4", "a=%", "a=%zz", "a=%00", "a=0123456789"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char out[8];
        bool is_bad = false;

        assert_true(query_get(out, sizeof(out), &is_bad, bytes_of(bad[i]), "a"));
        assert_true(is_bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_and_decodes),
        cmocka_unit_test(tells_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
