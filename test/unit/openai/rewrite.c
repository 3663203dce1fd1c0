/* Claims about the engine's copy: only what an edit names changes. */
#include "cmocka_all.h"

#include "openai/rewrite.h"

static void rewritten(const char *in, const struct rewrite_edit *edits, size_t count,
                      const char *out)
{
    struct buf b = buf_make(4096);
    struct jval root;

    assert_int_equal(jscan_object(&root, bytes_of(in)), TACIT_OK);
    assert_int_equal(rewrite_members(&b, root, edits, count), TACIT_OK);
    assert_string_equal(buf_cstr(&b), out);
    assert_int_equal(jscan_object(&root, buf_bytes(&b)), TACIT_OK);
    buf_done(&b);
}

static void replaces_adds_and_removes_and_keeps_the_rest(void **state)
{
    static const struct rewrite_edit set[] = {{"b", {(const uint8_t *)"[9]", 3}}};
    static const struct rewrite_edit del[] = {{"b", {NULL, 0}}};

    UNUSED(state);
    rewritten("{ \"a\" : 1.0 , \"b\" : \"\\u0041\" ,\n\"c\":{ } }", set, 1,
              "{ \"a\" : 1.0 , \"b\" : [9] ,\n\"c\":{ } }");
    rewritten("{\"a\":1}", set, 1, "{\"a\":1,\"b\":[9]}");
    rewritten("{ }", set, 1, "{\"b\":[9] }");
    rewritten("{\"\\u0062\":1}", set, 1, "{\"\\u0062\":[9]}");
    rewritten("{\"a\":1,\"b\":2,\"c\":3}", del, 1, "{\"a\":1,\"c\":3}");
    rewritten("{\"b\":2, \"c\":3}", del, 1, "{\"c\":3}");
    rewritten("{\"a\":1,\"b\":2}", del, 1, "{\"a\":1}");
    rewritten("{\"b\":2}", del, 1, "{}");
    rewritten("{\"x\":{\"b\":2}}", del, 1, "{\"x\":{\"b\":2}}");
    rewritten("{}", NULL, 0, "{}");
}

static void for_engine(const char *in, const struct rewrite_opts *opts, const char *out)
{
    struct buf b = buf_make(65536);
    struct openai_request req;
    struct openai_error error;

    assert_int_equal(openai_request_read(&req, &error, bytes_of(in), OPENAI_CHAT, OPENAI_NODE),
                     TACIT_OK);
    assert_int_equal(rewrite_for_engine(&b, &req, opts), TACIT_OK);
    assert_string_equal(buf_cstr(&b), out);
    buf_done(&b);
}

static void the_engine_is_always_asked_for_a_stream_with_usage(void **state)
{
    const struct rewrite_opts plain = {.engine_model = NULL};
    const struct rewrite_opts llama = {.engine_model = "local", .is_llama_server = true};
    const struct rewrite_opts vllm = {.engine_id = "00ff", .cache_salt = "s\""};

    UNUSED(state);
    for_engine("{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}]}", &plain,
               "{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}],\"stream\":true,"
               "\"stream_options\":{\"include_usage\":true}}");
    for_engine("{\"priority\":-9,\"stream\":false,\"model\":\"m\",\"odd\":[1],\"temperature\":0.50,"
               "\"stream_options\":null,\"cache_prompt\":true,\"messages\":[{\"role\":\"user\"}]}",
               &llama,
               "{\"stream\":true,\"model\":\"local\",\"temperature\":0.50,"
               "\"stream_options\":{\"include_usage\":true},\"cache_prompt\":false,"
               "\"messages\":[{\"role\":\"user\"}]}");
    for_engine(
        "{\"model\":\"m\",\"rid\":\"mine\",\"messages\":[{\"role\":\"user\"}],\"stream\":true,"
        "\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}}",
        &vllm,
        "{\"model\":\"m\",\"rid\":\"00ff\",\"messages\":[{\"role\":\"user\"}],\"stream\":true,"
        "\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true},"
        "\"cache_salt\":\"s\\\"\",\"request_id\":\"00ff\"}");
}

static void history_quirks_are_cut_out_and_the_rest_stays(void **state)
{
    const struct rewrite_opts llama = {.is_llama_server = true};
    const struct rewrite_opts plain = {.is_llama_server = false};

    UNUSED(state);
    for_engine("{\"model\":\"m\",\"messages\":[ {\"role\":\"developer\",\"content\":\"x\"} , "
               "{\"role\":\"assistant\",\"tool_calls\":[ ],\"content\":\"\\u00e9\"},"
               "{\"role\":\"user\"} ]}",
               &llama,
               "{\"model\":\"m\",\"messages\":[ {\"role\":\"system\",\"content\":\"x\"} , "
               "{\"role\":\"assistant\",\"content\":\"\\u00e9\"},"
               "{\"role\":\"user\"} ],\"stream\":true,\"stream_options\":{\"include_usage\":true},"
               "\"cache_prompt\":false}");
    for_engine("{\"model\":\"m\",\"messages\":[{\"role\":\"developer\"}]}", &plain,
               "{\"model\":\"m\",\"messages\":[{\"role\":\"developer\"}],\"stream\":true,"
               "\"stream_options\":{\"include_usage\":true}}");
}

static void who_wants_no_tool_called_gets_an_engine_without_tools(void **state)
{
    const struct rewrite_opts plain = {.is_llama_server = false};

    UNUSED(state);
    for_engine("{\"model\":\"m\",\"tools\":[{\"type\":\"function\"}],\"parallel_tool_calls\":true,"
               "\"messages\":[{\"role\":\"user\"}],\"tool_choice\":\"none\"}",
               &plain,
               "{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}],\"stream\":true,"
               "\"stream_options\":{\"include_usage\":true}}");
    for_engine("{\"model\":\"m\",\"functions\":[1],\"messages\":[{\"role\":\"user\"}],"
               "\"function_call\":\"none\"}",
               &plain,
               "{\"model\":\"m\",\"messages\":[{\"role\":\"user\"}],\"stream\":true,"
               "\"stream_options\":{\"include_usage\":true}}");
    for_engine("{\"model\":\"m\",\"tools\":[1],\"messages\":[{\"role\":\"user\"}],"
               "\"tool_choice\":\"auto\"}",
               &plain,
               "{\"model\":\"m\",\"tools\":[1],\"messages\":[{\"role\":\"user\"}],"
               "\"tool_choice\":\"auto\",\"stream\":true,"
               "\"stream_options\":{\"include_usage\":true}}");
}

static void arguments_of_earlier_tool_calls_are_repaired(void **state)
{
    const struct rewrite_opts plain = {.is_llama_server = false};

    UNUSED(state);
    for_engine(
        "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\","
        "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}],\"content\":null},"
        "{\"role\":\"user\"}]}",
        &plain,
        "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\","
        "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}],\"content\":null},"
        "{\"role\":\"user\"}],\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_adds_and_removes_and_keeps_the_rest),
        cmocka_unit_test(the_engine_is_always_asked_for_a_stream_with_usage),
        cmocka_unit_test(history_quirks_are_cut_out_and_the_rest_stays),
        cmocka_unit_test(who_wants_no_tool_called_gets_an_engine_without_tools),
        cmocka_unit_test(arguments_of_earlier_tool_calls_are_repaired),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
