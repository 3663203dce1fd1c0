/* Claims about model lists: near.md 1.4, absent means left out. */
#include "cmocka_all.h"

#include "codec/jscan.h"
#include "openai/models.h"

static void absent_fields_are_left_out(void **state)
{
    const struct openai_model m = {.id = "a/b", .owned_by = "tacit", .created_unix_s = 7};
    struct buf b = buf_make(4096);

    UNUSED(state);
    openai_models_put(&b, &m, 1);
    assert_string_equal(buf_cstr(&b),
                        "{\"object\":\"list\",\"data\":[{\"id\":\"a/b\",\"object\":\"model\","
                        "\"created\":7,\"owned_by\":\"tacit\",\"supported_features\":[]}]}");
    buf_reset(&b);
    openai_models_put(&b, NULL, 0);
    assert_string_equal(buf_cstr(&b), "{\"object\":\"list\",\"data\":[]}");
    buf_done(&b);
}

static void prices_are_exact(void **state)
{
    const struct openai_model m = {.id = "m",
                                   .owned_by = "t",
                                   .has_pricing = true,
                                   .input_nano_usd_per_token = 150,
                                   .output_nano_usd_per_token = 1000000000,
                                   .context_length = 8192,
                                   .supports_tools = true,
                                   .has_readiness = true};
    struct buf b = buf_make(4096);
    struct jval root;

    UNUSED(state);
    openai_model_put(&b, &m);
    assert_int_equal(jscan_object(&root, buf_bytes(&b)), TACIT_OK);
    assert_true(bytes_eq_cstr(jscan_member(root, "pricing").raw,
                              "{\"input\":0.15,\"output\":1000000,\"prompt\":\"0.00000015\","
                              "\"completion\":\"1\"}"));
    assert_true(bytes_eq_cstr(jscan_member(root, "supported_features").raw, "[\"tools\"]"));
    assert_true(bytes_eq_cstr(jscan_member(root, "is_ready").raw, "false"));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_fields_are_left_out),
        cmocka_unit_test(prices_are_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
