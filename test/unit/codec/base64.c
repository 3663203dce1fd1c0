/* Claims about base64: canonical texts only, both alphabets, RFC 4648's own examples. */
#include "cmocka_all.h"

#include "codec/base64.h"

static const struct {
    const char *octets, *std, *url;
} known[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/", "-_-_"},
};

static void both_ways_as_the_rfc_says(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct buf b = buf_make(64);

        base64_encode(&b, bytes_of(known[i].octets), BASE64_STD);
        assert_true(bytes_eq_cstr(buf_bytes(&b), known[i].std));
        buf_reset(&b);
        base64_encode(&b, bytes_of(known[i].octets), BASE64_URL);
        assert_true(bytes_eq_cstr(buf_bytes(&b), known[i].url));
        buf_reset(&b);
        assert_int_equal(base64_decode(&b, bytes_of(known[i].std), BASE64_STD), TACIT_OK);
        assert_int_equal(base64_decode(&b, bytes_of(known[i].url), BASE64_URL), TACIT_OK);
        assert_int_equal(b.len, 2 * strlen(known[i].octets));
        assert_true(bytes_starts_with(buf_bytes(&b), bytes_of(known[i].octets)));
        buf_done(&b);
    }
}

static void refuses_what_no_encoder_writes(void **state)
{
    static const char *const bad[] = {
        "Z",        "Zg",       "Zg=",   "Zh==",   "Zm9=",  "Zg===", "=",
        "====",     "Zg==Zg==", "Zm9v=", "Zm9v==", "Zg= =", "Zm 9v", "Zm9v\n",
        "Zm9v\x80", "Zm9vYg",   "-_-_",  "Z===",   "Zm8==",
    };
    struct buf b = buf_make(64);

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(base64_decode(&b, bytes_of(bad[i]), BASE64_STD), TACIT_FORMAT);
    assert_int_equal(base64_decode(&b, BYTES_LIT("Zg=="), BASE64_URL), TACIT_FORMAT);
    assert_int_equal(base64_decode(&b, BYTES_LIT("+/+/"), BASE64_URL), TACIT_FORMAT);
    assert_int_equal(base64_decode(&b, BYTES_LIT("Zh"), BASE64_URL), TACIT_FORMAT);
    assert_int_equal(b.len, 0);
    buf_done(&b);
}

static void pem_bodies_may_have_white_space(void **state)
{
    struct buf b = buf_make(64);

    UNUSED(state);
    assert_int_equal(base64_decode_spaced(&b, BYTES_LIT(" Zm\r\n9vYg\t=\n=\n")), TACIT_OK);
    assert_true(bytes_eq_cstr(buf_bytes(&b), "foob"));
    assert_int_equal(base64_decode_spaced(&b, BYTES_LIT("Zm9v\v")), TACIT_FORMAT);
    assert_int_equal(base64_decode_spaced(&b, BYTES_LIT("Zg==\nZg==")), TACIT_FORMAT);
    buf_done(&b);
}

static void every_accepted_text_is_what_encoding_gives(void **state)
{
    static const char chars[] = "AZz9+/=-_ ";
    struct buf b = buf_make(64);
    struct buf again = buf_make(64);
    char text[4];
    size_t accepted = 0;

    UNUSED(state);
    for (unsigned n = 0; n < 10 * 10 * 10 * 10; n++) {
        for (unsigned i = 0, v = n; i < 4; i++, v /= 10)
            text[i] = chars[v % 10];
        buf_reset(&b);
        buf_reset(&again);
        if (base64_decode(&b, bytes_make(text, 4), BASE64_STD) != TACIT_OK)
            continue;
        accepted++;
        base64_encode(&again, buf_bytes(&b), BASE64_STD);
        assert_true(bytes_eq(buf_bytes(&again), bytes_make(text, 4)));
    }
    assert_true(accepted > 6 * 6 * 6 * 6);
    buf_done(&b);
    buf_done(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_as_the_rfc_says),
        cmocka_unit_test(refuses_what_no_encoder_writes),
        cmocka_unit_test(pem_bodies_may_have_white_space),
        cmocka_unit_test(every_accepted_text_is_what_encoding_gives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
