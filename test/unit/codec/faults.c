/* The codec folder when memory runs out, ours or jansson's: a refusal, never another value. */
#include "fault.h"

#include <jansson.h>

#include "base/arena.h"
#include "codec/conf.h"
#include "codec/jnormal.h"
#include "codec/json.h"
#include "codec/jwrite.h"

static const char document[] =
    "{\"b\":[1,-2.50,true,null,\"x\\u00e9\\n\"],\"a\":{\"2\":1,\"1\":{}},"
    "\"long\":\"................................................\"}";

/* Parsing is left out of jansson's own faults: its lexer does not look whether a character could be
 * kept, so it can lose one when memory is out. Trees are read for tests and tools only. */
static bool json_once(void *ctx)
{
    static uint8_t mem[1024];
    static size_t len;
    struct json *doc = NULL;
    struct json *added = NULL;
    struct buf out = buf_make(1024);
    bool is_well;

    UNUSED(ctx);
    doc = json_new_object();
    is_well = json_set_bool(doc, "b", true) == TACIT_OK;
    if (is_well) {
        added = json_new_array();
        is_well = json_append(added, json_new_str(BYTES_LIT("y"))) == TACIT_OK;
        is_well = json_set(doc, "added", added) == TACIT_OK && is_well;
        is_well = json_set_cstr(doc, "c", "d") == TACIT_OK && is_well;
        is_well = json_set_i64(doc, "n", 7) == TACIT_OK && is_well;
        is_well = is_well && json_write(&out, doc, true) == TACIT_OK;
    }
    if (is_well)
        same_as_first(buf_bytes(&out), mem, sizeof(mem), &len);
    buf_done(&out);
    json_free(doc);
    return is_well;
}

static bool in_place_once(void *ctx)
{
    static uint8_t mem[1024];
    static size_t len;
    struct arena arena = arena_make(4096);
    struct buf out = buf_make(1024);
    struct bytes text;
    struct jval root;
    bool is_well;

    UNUSED(ctx);
    assert_ok(jscan_object(&root, bytes_of(document)));
    text = jscan_str_dup(&arena, jscan_item(jscan_member(root, "b"), 4));
    jnormal_put(&out, root);
    jw_put_str(&out, text);
    is_well = text.ptr != NULL && !out.failed;
    if (is_well)
        same_as_first(buf_bytes(&out), mem, sizeof(mem), &len);
    buf_done(&out);
    arena_done(&arena);
    return is_well;
}

static const struct conf_key keys[] = {
    {.key = "name", .kind = CONF_STRING, .is_required = true},
    {.key = "idle", .kind = CONF_DURATION, .fallback = "60s", .max = 3600000},
};
static const struct conf_section sections[] = {
    {.name = "main", .is_required = true, .keys = keys, .key_count = ARRAY_LEN(keys)},
    {.name = "node", .is_repeated = true, .keys = keys, .key_count = ARRAY_LEN(keys)},
};
static const struct conf_schema schema = {sections, ARRAY_LEN(sections)};

static bool conf_once(void *ctx)
{
    static const char text[] =
        "[main]\nname = a\n[node x]\nname = b\nidle = 5s\n[node y]\nname = c\n";
    char message[CONF_MESSAGE_MAX];
    struct conf *c = NULL;
    bool is_well = conf_parse(&c, message, bytes_of(text), "f", &schema) == TACIT_OK;

    UNUSED(ctx);
    assert_true(is_well == (c != NULL));
    if (is_well) {
        assert_string_equal(conf_str(c, "main", 0, "name"), "a");
        assert_int_equal(conf_u64(c, "main", 0, "idle"), 60000);
        assert_int_equal(conf_count(c, "node"), 2);
        assert_string_equal(conf_str(c, "node", 1, "name"), "c");
        assert_int_equal(conf_u64(c, "node", 0, "idle"), 5000);
    } else {
        assert_true(message[0] != 0);
    }
    conf_free(c);
    return is_well;
}

static void trees_are_whole_or_refused(void **state)
{
    UNUSED(state);
    json_set_alloc_funcs(__wrap_malloc, free);
    faults_run(json_once, NULL, NULL);
}

static void copies_are_exact_or_none(void **state)
{
    UNUSED(state);
    faults_run(in_place_once, NULL, NULL);
}

static void a_configuration_is_whole_or_refused(void **state)
{
    UNUSED(state);
    faults_run(conf_once, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_whole_or_refused),
        cmocka_unit_test(copies_are_exact_or_none),
        cmocka_unit_test(a_configuration_is_whole_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
