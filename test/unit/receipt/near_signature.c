/* Claims about NEAR's signatures: ours verify, the recorded one verifies, and a change of anything
 * fails the row that says so. */
#include "cmocka_all.h"

#include "base/file.h"
#include "receipt/near_signature.h"

static const uint8_t seed[32] = {7, 1, 2, 3};

struct made {
    char text[NEAR_TEXT_MAX + 1];
    char sig[NEAR_SIG_TEXT_MAX + 1];
    char address[NEAR_ADDRESS_TEXT_MAX + 1];
};

static struct near_signature made_signature(struct made *m, enum near_algo algo)
{
    uint8_t request[SHA256_LEN];
    uint8_t response[SHA256_LEN];

    sha256(request, BYTES_LIT("the request"));
    sha256(response, BYTES_LIT("the response"));
    assert_int_equal(near_text_make(m->text, BYTES_LIT("a/b"), request, response), TACIT_OK);
    if (algo == NEAR_ECDSA) {
        struct k1_key *key;

        assert_int_equal(k1_key_new(&key, seed), TACIT_OK);
        assert_int_equal(near_sign_ecdsa(m->sig, key, bytes_of(m->text)), TACIT_OK);
        near_address_ecdsa(m->address, k1_key_pub(key));
        k1_key_free(key);
    } else {
        struct ed25519_key key;

        ed25519_key_init(&key, seed);
        near_sign_ed25519(m->sig, &key, bytes_of(m->text));
        near_address_ed25519(m->address, key.pub);
        ed25519_key_done(&key);
    }
    return (struct near_signature){.algo = algo,
                                   .text = bytes_of(m->text),
                                   .signature = bytes_of(m->sig),
                                   .address = bytes_of(m->address)};
}

static struct near_expected expectation(const struct made *m)
{
    return (struct near_expected){.request = BYTES_LIT("the request"),
                                  .response = BYTES_LIT("the response"),
                                  .model = BYTES_LIT("a/b"),
                                  .address = bytes_of(m->address)};
}

/* Exactly `row` fails, and nothing else. */
static void fails_only(const struct near_signature *sig, const struct near_expected *expected,
                       enum near_check_row row)
{
    enum near_check_result rows[NEAR_CHECK_ROWS];

    assert_false(near_signature_check(rows, sig, expected));
    for (size_t i = 0; i < NEAR_CHECK_ROWS; i++)
        assert_int_equal(rows[i], i == row ? NEAR_FAILED : NEAR_PASSED);
    assert_true(strlen(near_check_row_id(row)) > 0 && strlen(near_check_row_reason(row)) > 0);
}

static void ours_verify_and_each_change_fails_its_own_row(void **state)
{
    UNUSED(state);
    for (int algo = NEAR_ECDSA; algo <= NEAR_ED25519; algo++) {
        enum near_check_result rows[NEAR_CHECK_ROWS];
        struct made m;
        struct near_signature sig = made_signature(&m, (enum near_algo)algo);
        struct near_expected e = expectation(&m);

        assert_true(near_signature_check(rows, &sig, &e));
        e.request = BYTES_LIT("the requesT");
        fails_only(&sig, &e, NEAR_CHECK_REQUEST);
        e = expectation(&m);
        e.response = BYTES_LIT("the response ");
        fails_only(&sig, &e, NEAR_CHECK_RESPONSE);
        e = expectation(&m);
        e.model = BYTES_LIT("a/c");
        fails_only(&sig, &e, NEAR_CHECK_MODEL);
        e = expectation(&m);
        e.address = algo == NEAR_ECDSA
                        ? BYTES_LIT("0x0000000000000000000000000000000000000000")
                        : BYTES_LIT("00000000000000000000000000000000000000000000000000000000000"
                                    "00000");
        fails_only(&sig, &e, NEAR_CHECK_ADDRESS);
        e = expectation(&m);
        m.sig[20] = m.sig[20] == '0' ? '1' : '0';
        fails_only(&sig, &e, NEAR_CHECK_SIGNATURE);
    }
}

static void what_is_not_expected_is_not_run_and_not_trusted(void **state)
{
    enum near_check_result rows[NEAR_CHECK_ROWS];
    struct made m;
    struct near_signature sig = made_signature(&m, NEAR_ED25519);
    struct near_expected e = expectation(&m);

    UNUSED(state);
    e.address = (struct bytes){NULL, 0};
    e.model = (struct bytes){NULL, 0};
    assert_false(near_signature_check(rows, &sig, &e));
    assert_int_equal(rows[NEAR_CHECK_ADDRESS], NEAR_NOT_RUN);
    assert_int_equal(rows[NEAR_CHECK_MODEL], NEAR_NOT_RUN);
    assert_int_equal(rows[NEAR_CHECK_SIGNATURE], NEAR_PASSED);
    sig.text = BYTES_LIT("nonsense");
    assert_false(near_signature_check(rows, &sig, &e));
    assert_int_equal(rows[NEAR_CHECK_TEXT], NEAR_FAILED);
    assert_int_equal(rows[NEAR_CHECK_REQUEST], NEAR_NOT_RUN);
    assert_int_equal(rows[NEAR_CHECK_SIGNATURE], NEAR_FAILED);
}

#define HASH "2974f24b2a687856d2a0cf08d813902965c25e6552ba7062e4fa303432b6d2ad"

static void texts_of_two_and_three_parts_are_read(void **state)
{
    static const char *const bad[] = {
        "",
        HASH,
        ":" HASH ":" HASH,
        "a:b:" HASH ":" HASH,
        HASH ";" HASH,
        "m" HASH ":" HASH,
        "m:" HASH ":" HASH "0",
        "m:" HASH ":x" HASH,
        "m\n:" HASH ":" HASH,
        "\xc3\xa9:" HASH ":" HASH,
    };
    struct near_text t;

    UNUSED(state);
    assert_int_equal(near_text_parse(&t, BYTES_LIT(HASH ":" HASH)), TACIT_OK);
    assert_int_equal(t.model.len, 0);
    assert_int_equal(near_text_parse(&t, BYTES_LIT("a/b:" HASH ":" HASH)), TACIT_OK);
    assert_true(bytes_eq_cstr(t.model, "a/b"));
    assert_int_equal(t.response_sha256[0], 0x29);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(near_text_parse(&t, bytes_of(bad[i])), TACIT_FORMAT);
}

static void a_model_that_would_confuse_the_text_is_refused(void **state)
{
    char text[NEAR_TEXT_MAX + 1];
    uint8_t hash[SHA256_LEN] = {0};
    uint8_t long_name[NEAR_TEXT_MAX];

    UNUSED(state);
    memset(long_name, 'x', sizeof(long_name));
    assert_int_equal(near_text_make(text, BYTES_LIT("a:b"), hash, hash), TACIT_FORMAT);
    assert_int_equal(near_text_make(text, BYTES_LIT("a\n"), hash, hash), TACIT_FORMAT);
    assert_int_equal(near_text_make(text, BYTES_ARRAY(long_name), hash, hash), TACIT_FORMAT);
    assert_string_equal(text, "");
    assert_int_equal(near_text_make(text, BYTES_LIT(""), hash, hash), TACIT_OK);
    assert_int_equal(strlen(text), 129);
}

static void the_json_goes_both_ways(void **state)
{
    struct made m;
    struct near_signature sig = made_signature(&m, NEAR_ECDSA);
    struct near_signature again;
    struct buf b = buf_make(4096);

    UNUSED(state);
    sig.kind = BYTES_LIT("provider_tee");
    near_signature_put(&b, &sig);
    assert_int_equal(near_signature_read(&again, buf_bytes(&b)), TACIT_OK);
    assert_true(bytes_eq(again.text, sig.text) && bytes_eq(again.signature, sig.signature));
    assert_true(bytes_eq_cstr(again.kind, "provider_tee"));
    assert_int_equal(near_signature_read(&again, BYTES_LIT("{\"error_code\":\"X\"}")),
                     TACIT_NOT_FOUND);
    assert_int_equal(near_signature_read(&again, BYTES_LIT("{}")), TACIT_FORMAT);
    assert_int_equal(near_signature_read(
                         &again, BYTES_LIT("{\"text\":\"a\",\"signature\":\"b\","
                                           "\"signing_address\":\"c\",\"signing_algo\":\"rsa\"}")),
                     TACIT_UNSUPPORTED);
    buf_done(&b);
}

static void the_recorded_exchange_verifies_and_every_flip_does_not(void **state)
{
    enum near_check_result rows[NEAR_CHECK_ROWS];
    struct buf request = buf_make(65536);
    struct buf response = buf_make(65536);
    struct buf json = buf_make(65536);
    struct near_expected e = {.model = BYTES_LIT("Qwen/Qwen3.5-122B-A10B")};
    struct near_signature sig;

    UNUSED(state);
    if (file_read(&request, TEST_VECTORS_DIR "/near/chat-stream-request.json") != TACIT_OK ||
        file_read(&response, TEST_VECTORS_DIR "/near/chat-stream-response.sse") != TACIT_OK ||
        file_read(&json, TEST_VECTORS_DIR "/near/chat-stream-signature.json") != TACIT_OK) {
        print_message("skipped: shared vectors are not here\n");
        buf_done(&request);
        buf_done(&response);
        buf_done(&json);
        skip();
    }
    e.request = buf_bytes(&request);
    e.response = buf_bytes(&response);
    assert_int_equal(near_signature_read(&sig, buf_bytes(&json)), TACIT_OK);
    e.address = BYTES_LIT("0x6525E128AFCFFEBF7EED05D485D7BE983CDAE934");
    assert_true(near_signature_check(rows, &sig, &e));
    for (size_t i = 0; i < response.len; i += 97) {
        response.ptr[i] ^= 1;
        fails_only(&sig, &e, NEAR_CHECK_RESPONSE);
        response.ptr[i] ^= 1;
    }
    for (size_t i = 0; i < request.len; i += 13) {
        request.ptr[i] ^= 1;
        fails_only(&sig, &e, NEAR_CHECK_REQUEST);
        request.ptr[i] ^= 1;
    }
    buf_done(&request);
    buf_done(&response);
    buf_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours_verify_and_each_change_fails_its_own_row),
        cmocka_unit_test(what_is_not_expected_is_not_run_and_not_trusted),
        cmocka_unit_test(texts_of_two_and_three_parts_are_read),
        cmocka_unit_test(a_model_that_would_confuse_the_text_is_refused),
        cmocka_unit_test(the_json_goes_both_ways),
        cmocka_unit_test(the_recorded_exchange_verifies_and_every_flip_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
