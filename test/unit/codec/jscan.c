/* Claims about the JSON scanner: it accepts RFC 8259 and nothing else, and reads in place. */
#include <stdlib.h>

#include "cmocka_all.h"

#include "base/file.h"
#include "codec/jscan.h"

/* From memory of exactly the right size, so that ASan sees any read beyond it. */
static enum tacit_err validate(struct bytes in)
{
    uint8_t *tight = malloc(in.len + 1);
    struct jval root;
    enum tacit_err err;

    assert_non_null(tight);
    if (in.len > 0)
        memcpy(tight + 1, in.ptr, in.len);
    err = jscan_validate(&root, NULL, bytes_make(tight + 1, in.len));
    assert_int_equal(err == TACIT_OK, root.type != JVAL_NONE);
    free(tight);
    return err;
}

static void accepts_what_the_rfc_allows(void **state)
{
    static const char *const good[] = {
        "null",
        "true",
        " false\n",
        "0",
        "-0",
        "10",
        "1.5",
        "-1.5e+10",
        "1E2",
        "1e-2",
        "\"\"",
        "[]",
        "{}",
        " [ 1 , 2 ] ",
        "{\"a\":{\"a\":[{}]},\"b\":null}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000\\uD83D\\uDE00\\uffff\"",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "\"\x7f\"",
        "{\"\":1,\"a\":2}",
        "[[],[[]],{}]",
        "\"a long one, beyond eight octets, in words\"",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(validate(bytes_of(good[i])), TACIT_OK);
}

static void refuses_what_the_rfc_does_not_allow(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "tru",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "Infinity",
        "-01",
        "1.e1",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u123g\"",
        "\"\n\"",
        "\"\t\"",
        "\"\x01\"",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        "{]",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{,}",
        "{1:1}",
        "'a'",
        "[]]",
        "{}{}",
        "1 2",
        "null null",
        "// c\n1",
        "/* */1",
        "[1,,2]",
        "\xef\xbb\xbf{}",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800x\"",
        "\"\\uD800\\uD800\"",
        "\"\x80\"",
        "\"\xc3\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xe2\x82\"",
        "\"\xf0\x80\x80\x80\"",
        "\"\xff\"",
        "[\"a\":1]",
        "{\"a\":1 \"b\":2}",
        "\x01",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (validate(bytes_of(bad[i])) != TACIT_FORMAT)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(validate(BYTES_LIT("\"\0\"")), TACIT_FORMAT);
    assert_int_equal(validate(BYTES_LIT("1\0")), TACIT_FORMAT);
}

static void refuses_a_name_twice_at_any_level_and_in_any_spelling(void **state)
{
    static const char *const bad[] = {
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"\\u0061\":1,\"a\":2}",
        "[{\"x\":{\"k\":1,\"l\":{\"k\":1},\"k\":2}}]",
        "{\"\":1,\"\":2}",
        "{\"/\":1,\"\\/\":2}",
        "{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}",
        "{\"a name of many octets\":1,\"b\":1,\"a name of m\\u0061ny octets\":2}",
    };
    static const char *const good[] = {
        "{\"a\":1,\"A\":2}",
        "{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":1}]}",
        "{\"a\":1,\"\\\\u0061\":2}",
        "{\"a\":1,\"a\\u0000\":2,\"a\\u0000\\u0000\":3}",
    };
    struct jscan_fault fault;
    struct jval root;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(validate(bytes_of(bad[i])), TACIT_FORMAT);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(validate(bytes_of(good[i])), TACIT_OK);
    assert_int_equal(jscan_validate(&root, &fault, bytes_of(bad[0])), TACIT_FORMAT);
    assert_string_equal(fault.what, "duplicate member name");
    assert_int_equal(fault.offset, 10);
}

static void has_a_depth_and_a_member_limit(void **state)
{
    struct buf b = buf_make(1 << 20);

    UNUSED(state);
    buf_fill(&b, '[', LIMIT_JSON_DEPTH);
    buf_fill(&b, ']', LIMIT_JSON_DEPTH);
    assert_int_equal(validate(buf_bytes(&b)), TACIT_OK);
    buf_reset(&b);
    buf_fill(&b, '[', LIMIT_JSON_DEPTH + 1);
    assert_int_equal(validate(buf_bytes(&b)), TACIT_LIMIT);
    for (size_t count = LIMIT_JSON_MEMBERS; count <= LIMIT_JSON_MEMBERS + 1; count++) {
        buf_reset(&b);
        for (size_t i = 0; i < count; i++)
            buf_putf(&b, "%c\"%zu\":0", i == 0 ? '{' : ',', i);
        buf_putc(&b, '}');
        assert_int_equal(validate(buf_bytes(&b)),
                         count <= LIMIT_JSON_MEMBERS ? TACIT_OK : TACIT_LIMIT);
    }
    buf_done(&b);
}

static const char sample[] =
    " {\"id\":\"a\\u00e9\\n\",\"n\":-12,\"u\":18446744073709551615,\"f\":1.5e3,"
    "\"list\":[1,\"]\",{\"x\":[]},[2]],\"t\":true,\"z\":null,"
    "\"ob\\u006a\":{ \"k\" : \"}\\\"\" , \"m\":{}} } ";

static void reads_values_in_place(void **state)
{
    struct jval root, list, obj;
    struct bytes view;
    uint64_t u;
    int64_t n;
    double f;
    bool t;

    UNUSED(state);
    assert_int_equal(jscan_object(&root, bytes_of(sample)), TACIT_OK);
    assert_int_equal(root.raw.len, strlen(sample) - 2);
    assert_true(jscan_str_eq_cstr(jscan_member(root, "id"), "a\xc3\xa9\n"));
    assert_false(jscan_str_eq_cstr(jscan_member(root, "id"), "a\xc3\xa9"));
    assert_false(jscan_str_view(&view, jscan_member(root, "id")));
    assert_true(jscan_i64(&n, jscan_member(root, "n")) && n == -12);
    assert_false(jscan_u64(&u, jscan_member(root, "n"), 100));
    assert_true(jscan_u64(&u, jscan_member(root, "u"), UINT64_MAX) && u == UINT64_MAX);
    assert_false(jscan_u64(&u, jscan_member(root, "u"), UINT64_MAX - 1));
    assert_true(jscan_f64(&f, jscan_member(root, "f")) && f > 1499 && f < 1501);
    assert_false(jscan_u64(&u, jscan_member(root, "f"), UINT64_MAX));
    assert_true(jscan_bool(&t, jscan_member(root, "t")) && t);
    assert_true(jscan_is_nothing(jscan_member(root, "z")));
    assert_true(jscan_is_nothing(jscan_member(root, "no")));
    list = jscan_member(root, "list");
    assert_true(bytes_eq_cstr(list.raw, "[1,\"]\",{\"x\":[]},[2]]"));
    assert_int_equal(jscan_count(list), 4);
    assert_true(bytes_eq_cstr(jscan_item(list, 3).raw, "[2]"));
    assert_int_equal(jscan_item(list, 4).type, JVAL_NONE);
    obj = jscan_member(root, "obj");
    assert_int_equal(jscan_count(obj), 2);
    assert_true(jscan_str_eq_cstr(jscan_member(obj, "k"), "}\""));
    assert_int_equal(jscan_member(jscan_member(list, "x"), "y").type, JVAL_NONE);
}

static void reads_many_members_in_one_walk(void **state)
{
    struct jscan_field f[] = {{.name = "t"}, {.name = "id"}, {.name = "missing"}};
    struct jval root;

    UNUSED(state);
    assert_int_equal(jscan_object(&root, bytes_of(sample)), TACIT_OK);
    assert_int_equal(jscan_fields(root, f, ARRAY_LEN(f)), 6);
    assert_int_equal(f[0].val.type, JVAL_BOOL);
    assert_int_equal(f[1].val.type, JVAL_STRING);
    assert_int_equal(f[2].val.type, JVAL_NONE);
    assert_true(jscan_fields(f[0].val, f, ARRAY_LEN(f)) == SIZE_MAX);
    assert_int_equal(f[1].val.type, JVAL_NONE);
}

static void copies_strings_unescaped(void **state)
{
    struct arena a = arena_make(4096);
    struct buf b = buf_make(64);
    struct jval s;
    struct bytes dup;

    UNUSED(state);
    assert_int_equal(jscan_validate(&s, NULL, BYTES_LIT("\"x\\\\\\u0000\\ud83d\\ude00y\"")),
                     TACIT_OK);
    assert_int_equal(jscan_str_copy(&b, s), TACIT_OK);
    assert_true(bytes_eq(buf_bytes(&b), BYTES_LIT("x\\\0\xf0\x9f\x98\x80y")));
    dup = jscan_str_dup(&a, s);
    assert_true(bytes_eq(dup, buf_bytes(&b)));
    assert_int_equal(dup.ptr[dup.len], 0);
    assert_int_equal(jscan_str_copy(&b, JVAL_ABSENT), TACIT_FORMAT);
    assert_null(jscan_str_dup(&a, JVAL_ABSENT).ptr);
    arena_done(&a);
    buf_done(&b);
}

static void rejects_every_prefix(void **state)
{
    struct bytes doc = bytes_trim(bytes_of(sample));

    UNUSED(state);
    for (size_t n = 0; n < doc.len; n++)
        assert_int_equal(validate(bytes_slice(doc, 0, n)), TACIT_FORMAT);
}

static void walk_all(struct jval v, unsigned depth)
{
    struct jiter it = jscan_iter(v);
    struct jval name, val;

    assert_true(depth <= LIMIT_JSON_DEPTH);
    while (jscan_next(&it, &name, &val)) {
        struct jval again;

        assert_int_equal(jscan_validate(&again, NULL, val.raw), TACIT_OK);
        assert_int_equal(again.type, val.type);
        walk_all(val, depth + 1);
    }
}

static void every_bit_flip_is_refused_or_read_within_bounds(void **state)
{
    size_t len = strlen(sample);
    uint8_t *copy = malloc(len);

    UNUSED(state);
    assert_non_null(copy);
    for (size_t i = 0; i < len * 8; i++) {
        struct jval root;

        memcpy(copy, sample, len);
        copy[i / 8] ^= (uint8_t)(1U << i % 8);
        if (jscan_validate(&root, NULL, bytes_make(copy, len)) == TACIT_OK)
            walk_all(root, 0);
    }
    free(copy);
}

/* Strings with brackets, quotes and backslashes at every distance from the 64-octet blocks in which
 * containers are skipped. */
static void finds_the_end_of_containers_wherever_strings_fall(void **state)
{
    static const char *const strings[] = {"]", "\\\"]", "\\\\", "[{", "\\\\\\\"}{", ""};

    UNUSED(state);
    for (size_t pad = 0; pad < 150; pad++) {
        for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
            struct buf b = buf_make(4096);
            struct jval root;

            buf_puts(&b, "[[{\"");
            buf_fill(&b, 'x', pad);
            buf_putf(&b, "\":[\"%s\",\"%s\"]},[[\"", strings[i], strings[(i + 1) % 6]);
            buf_fill(&b, 'y', pad / 2);
            buf_putf(&b, "%s\"]]],7]", strings[i]);
            assert_int_equal(jscan_validate(&root, NULL, buf_bytes(&b)), TACIT_OK);
            assert_int_equal(jscan_count(root), 2);
            assert_int_equal(jscan_item(root, 0).raw.len, b.len - 4);
            assert_int_equal(jscan_count(jscan_item(root, 0)), 2);
            assert_true(bytes_eq_cstr(jscan_item(root, 1).raw, "7"));
            walk_all(root, 0);
            buf_done(&b);
        }
    }
}

static void reads_a_real_tcb_info(void **state)
{
    struct buf b = buf_make(1 << 20);
    struct jval root;
    struct jval info;
    uint64_t version;

    UNUSED(state);
    if (file_read(&b, TEST_VECTORS_DIR "/near/gateway-20260629/intel-tcb-info-a.json") !=
        TACIT_OK) {
        print_message("skipped: shared vectors are not here\n");
        buf_done(&b);
        skip();
    }
    assert_int_equal(jscan_object(&root, buf_bytes(&b)), TACIT_OK);
    info = jscan_member(root, "tcbInfo");
    assert_true(jscan_u64(&version, jscan_member(info, "version"), 3) && version == 3);
    assert_true(jscan_count(jscan_member(info, "tcbLevels")) > 1);
    walk_all(root, 0);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_the_rfc_allows),
        cmocka_unit_test(refuses_what_the_rfc_does_not_allow),
        cmocka_unit_test(refuses_a_name_twice_at_any_level_and_in_any_spelling),
        cmocka_unit_test(has_a_depth_and_a_member_limit),
        cmocka_unit_test(reads_values_in_place),
        cmocka_unit_test(reads_many_members_in_one_walk),
        cmocka_unit_test(copies_strings_unescaped),
        cmocka_unit_test(rejects_every_prefix),
        cmocka_unit_test(every_bit_flip_is_refused_or_read_within_bounds),
        cmocka_unit_test(finds_the_end_of_containers_wherever_strings_fall),
        cmocka_unit_test(reads_a_real_tcb_info),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
