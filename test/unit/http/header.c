/* Claims about field and target rules: what RFC 9110 and 3986 allow is taken, the rest is not. */
#include "cmocka_all.h"

#include "http/header.h"

static bool is_target(const char *text)
{
    return http_is_origin_form(bytes_of(text));
}

static bool is_authority(const char *text)
{
    return http_is_authority(bytes_of(text));
}

static void names_are_tokens(void **state)
{
    UNUSED(state);
    assert_true(http_is_token(BYTES_LIT("X-Request_Id.1~!")));
    assert_true(http_is_lower_token(BYTES_LIT("x-a")));
    assert_false(http_is_lower_token(BYTES_LIT("X-a")));
    assert_false(http_is_token(BYTES_LIT("")));
    assert_false(http_is_token(BYTES_LIT("a b")));
    assert_false(http_is_token(BYTES_LIT("a:")));
    assert_false(http_is_token(BYTES_LIT("a\0b")));
    assert_false(http_is_token(BYTES_LIT("a\x80")));
}

static void values_hold_no_controls(void **state)
{
    UNUSED(state);
    assert_true(http_is_field_value(BYTES_LIT("")));
    assert_true(http_is_field_value(BYTES_LIT("a\tb \xc3\xa9 c")));
    assert_false(http_is_field_value(BYTES_LIT(" a")));
    assert_false(http_is_field_value(BYTES_LIT("a\t")));
    assert_false(http_is_field_value(BYTES_LIT("a\r\nb")));
    assert_false(http_is_field_value(BYTES_LIT("a\nb")));
    assert_false(http_is_field_value(BYTES_LIT("a\0b")));
    assert_false(http_is_field_value(BYTES_LIT("a\x7f")));
}

static void targets_are_strict(void **state)
{
    UNUSED(state);
    assert_true(is_target("/"));
    assert_true(is_target("/v1/signature/chatcmpl-1?signing_algo=ecdsa&a=/?"));
    assert_true(is_target("/%7Ea"));
    assert_false(is_target(""));
    assert_false(is_target("v1"));
    assert_false(is_target("/a#b"));
    assert_false(is_target("/a b"));
    assert_false(is_target("/%7"));
    assert_false(is_target("/%zz"));
    assert_false(is_target("/a\x80"));
    assert_false(is_target("/<>"));
    assert_false(is_target("*"));
}

static void authorities_are_strict(void **state)
{
    UNUSED(state);
    assert_true(is_authority("example.org"));
    assert_true(is_authority("example.org:443"));
    assert_true(is_authority("127.0.0.1:80"));
    assert_true(is_authority("[::1]:8443"));
    assert_true(is_authority("[::1]"));
    assert_true(is_authority("localhost:"));
    assert_false(is_authority(""));
    assert_false(is_authority(":80"));
    assert_false(is_authority("user@host"));
    assert_false(is_authority("a:b:80"));
    assert_false(is_authority("[::1"));
    assert_false(is_authority("::1]"));
    assert_false(is_authority("[]"));
    assert_false(is_authority("a/b"));
    assert_false(is_authority("a b"));
}

static void lists_are_searched_by_token(void **state)
{
    UNUSED(state);
    assert_true(http_list_has(BYTES_LIT("keep-alive, Close"), "close"));
    assert_true(http_list_has(BYTES_LIT("close"), "close"));
    assert_false(http_list_has(BYTES_LIT("closed"), "close"));
    assert_false(http_list_has(BYTES_LIT(""), "close"));
    assert_false(http_list_has(BYTES_LIT(",,"), "close"));
}

static void finds_the_first_header(void **state)
{
    const struct header h[] = {{BYTES_LIT("a"), BYTES_LIT("1")}, {BYTES_LIT("a"), BYTES_LIT("2")}};

    UNUSED(state);
    assert_true(bytes_eq_cstr(header_find(h, 2, "a"), "1"));
    assert_null(header_find(h, 2, "b").ptr);
    assert_string_equal(http_reason(404), "Not Found");
    assert_string_equal(http_reason(299), "");
}

static bool is_alnum_or(uint8_t c, const char *others)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr(others, c) != NULL);
}

static void every_octet_has_the_class_of_its_grammar(void **state)
{
    UNUSED(state);
    for (unsigned i = 0; i < 256; i++) {
        uint8_t c = (uint8_t)i;
        const uint8_t path[] = {'/', c};
        const uint8_t query[] = {'/', '?', c};
        const uint8_t host[] = {'h', c};
        bool is_path = is_alnum_or(c, "-._~!$&'()*+,;=:@/");

        assert_int_equal(http_is_token(bytes_make(&c, 1)), is_alnum_or(c, "!#$%&'*+-.^_`|~"));
        assert_int_equal(http_is_origin_form(BYTES_ARRAY(path)), is_path || c == '?');
        assert_int_equal(http_is_origin_form(BYTES_ARRAY(query)), is_path || c == '?');
        assert_int_equal(http_is_authority(BYTES_ARRAY(host)), is_alnum_or(c, "-._~!$&'()*+,;=:"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_tokens),
        cmocka_unit_test(values_hold_no_controls),
        cmocka_unit_test(targets_are_strict),
        cmocka_unit_test(authorities_are_strict),
        cmocka_unit_test(lists_are_searched_by_token),
        cmocka_unit_test(finds_the_first_header),
        cmocka_unit_test(every_octet_has_the_class_of_its_grammar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
