/* The one-pass walk agrees with the text, whatever its white space, and stays within bounds. */
#include "cmocka_all.h"

#include "codec/jwalk.h"

static struct jwalk over(const char *text)
{
    struct jval root;

    assert_ok(jscan_validate(&root, NULL, bytes_of(text)));
    return jwalk_over(root);
}

static void reads_members_in_their_order(void **state)
{
    static const char *const texts[] = {
        "{\"a\":1,\"b\":\"two\",\"c\":[3,{\"d\":4}],\"e\":null}",
        " { \"a\" : 1 ,\n\"b\":\t\"two\" , \"c\" : [ 3 , { \"d\" : 4 } ] , \"e\" : null } ",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct jwalk w = over(texts[i]);
        struct bytes name;

        assert_true(jwalk_enter(&w, '{'));
        assert_true(jwalk_member(&w, &name));
        assert_true(bytes_eq_cstr(name, "a"));
        assert_int_equal(jwalk_u64(&w, 1), 1);
        assert_true(jwalk_member(&w, &name));
        assert_true(bytes_eq_cstr(jwalk_str(&w), "two"));
        assert_true(jwalk_member(&w, &name));
        assert_true(jwalk_enter(&w, '['));
        assert_true(jwalk_item(&w));
        assert_int_equal(jwalk_u64(&w, 9), 3);
        assert_true(jwalk_item(&w));
        assert_true(jwalk_skip(&w).len >= 7);
        assert_false(jwalk_item(&w));
        assert_true(jwalk_member(&w, &name));
        assert_true(bytes_eq_cstr(name, "e"));
        assert_true(bytes_eq_cstr(jwalk_skip(&w), "null"));
        assert_false(jwalk_member(&w, &name));
        assert_false(w.is_bad);
    }
}

static void skips_values_with_brackets_and_quotes_in_strings(void **state)
{
    struct jwalk w = over("[{\"x\":\"]}\\\"[{\"},\"\\\\\",[[],{}],7]");

    (void)state;
    assert_true(jwalk_enter(&w, '['));
    assert_true(jwalk_item(&w));
    assert_true(bytes_eq_cstr(jwalk_skip(&w), "{\"x\":\"]}\\\"[{\"}"));
    assert_true(jwalk_item(&w));
    assert_true(bytes_eq_cstr(jwalk_skip(&w), "\"\\\\\""));
    assert_true(jwalk_item(&w));
    assert_true(bytes_eq_cstr(jwalk_skip(&w), "[[],{}]"));
    assert_true(jwalk_item(&w));
    assert_int_equal(jwalk_u64(&w, 10), 7);
    assert_false(jwalk_item(&w));
    assert_false(w.is_bad);
}

/* Numbers out of range or not integers, escapes, other types: bad, and bad for good. */
static void goes_bad_on_surprises(void **state)
{
    static const char *const numbers[] = {"[256]", "[-1]", "[1.0]", "[1e0]", "[\"1\"]", "[true]"};
    struct bytes name;
    struct jwalk w;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        w = over(numbers[i]);
        assert_true(jwalk_enter(&w, '['));
        assert_true(jwalk_item(&w));
        assert_int_equal(jwalk_u64(&w, 255), 0);
        assert_true(w.is_bad);
        assert_false(jwalk_item(&w));
    }
    w = over("{\"a\\u0062\":1}");
    assert_true(jwalk_enter(&w, '{'));
    assert_false(jwalk_member(&w, &name));
    assert_true(w.is_bad);
    w = over("{}");
    assert_false(jwalk_enter(&w, '['));
    assert_true(w.is_bad);
    w = jwalk_over(JVAL_ABSENT);
    assert_false(jwalk_enter(&w, '{'));
}

/* On text that nobody validated it must still end, inside the bytes. */
static void stays_within_bounds_on_prefixes(void **state)
{
    static const char text[] = "{\"a\":[1,{\"b\":\"c\\\\\"}],\"d\":\"e\"}";

    (void)state;
    for (size_t len = 1; len < sizeof(text); len++) {
        uint8_t *copy = malloc(len);
        struct jwalk w;
        struct bytes name;

        assert_non_null(copy);
        memcpy(copy, text, len);
        w = jwalk_over((struct jval){JVAL_OBJECT, {copy, len}});
        jwalk_enter(&w, '{');
        while (jwalk_member(&w, &name))
            jwalk_skip(&w);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_members_in_their_order),
        cmocka_unit_test(skips_values_with_brackets_and_quotes_in_strings),
        cmocka_unit_test(goes_bad_on_surprises),
        cmocka_unit_test(stays_within_bounds_on_prefixes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
