/* Claims about receipts: read exactly, refused when they are not what was asked for. */
#include "cmocka_all.h"

#include "gateway/usage.h"

#define SIG                                                                                       \
    "{\"text\":\"m:a:b\",\"signature\":\"0x12\",\"signing_address\":\"0x34\",\"signing_algo\":\"" \
    "ecdsa\"}"
#define USAGE                                                                    \
    "\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9," \
    "\"prompt_tokens_details\":{\"cached_tokens\":5}}"

static void reads_usage_and_signatures(void **state)
{
    struct openai_usage usage;
    struct store_reply reply;
    struct bytes body = BYTES_LIT("{\"id\":\"c1\"," USAGE ",\"signatures\":[" SIG "," SIG "]}");

    UNUSED(state);
    assert_ok(receipt_read(&usage, &reply, body, "c1"));
    assert_int_equal(usage.prompt_tokens, 7);
    assert_int_equal(usage.completion_tokens, 2);
    assert_int_equal(usage.cached_tokens, 5);
    assert_int_equal(reply.signature_count, 2);
    assert_string_equal(reply.signatures[1].text, "m:a:b");
    assert_string_equal(reply.signatures[0].chat_id, "c1");
    assert_string_equal(reply.signatures[0].kind, "provider_tee");
}

static void refuses_what_is_not_the_receipt_asked_for(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{\"id\":\"c2\"," USAGE ",\"signatures\":[" SIG "]}",
        "{\"id\":\"c1\",\"signatures\":[" SIG "]}",
        "{\"id\":\"c1\"," USAGE ",\"signatures\":[]}",
        "{\"id\":\"c1\"," USAGE "}",
        "{\"id\":\"c1\"," USAGE ",\"signatures\":[" SIG "," SIG "," SIG "]}",
        "{\"id\":\"c1\"," USAGE ",\"signatures\":[{\"text\":\"x\"}]}",
        "{\"id\":\"c1\"," USAGE ",\"signatures\":[" SIG "]}x",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct openai_usage usage;
        struct store_reply reply;

        assert_err(receipt_read(&usage, &reply, bytes_of(bad[i]), "c1"), TACIT_FORMAT);
    }
}

static void refuses_every_prefix(void **state)
{
    struct bytes body = BYTES_LIT("{\"id\":\"c1\"," USAGE ",\"signatures\":[" SIG "]}");

    UNUSED(state);
    for (size_t n = 0; n < body.len; n++) {
        struct openai_usage usage;
        struct store_reply reply;

        assert_err(receipt_read(&usage, &reply, bytes_slice(body, 0, n), "c1"), TACIT_FORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_usage_and_signatures),
        cmocka_unit_test(refuses_what_is_not_the_receipt_asked_for),
        cmocka_unit_test(refuses_every_prefix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
