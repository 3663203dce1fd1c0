/* Claims about the simulated certification service: every document under its path, with its chain,
 * and Intel's statuses for what does not fit. */
#include "cmocka_all.h"

#include "cli/sim_cli.h"
#include "crypto/x509.h"

static const uint8_t seed[SIM_SEED_LEN] = {3, 1, 4};

struct fixture {
    struct sim *sim;
    struct sim_answer answer;
};

static void ask(struct fixture *f, const char *method, const char *path, const char *query)
{
    struct sim_ask ask = {.method = bytes_of(method),
                          .path = bytes_of(path),
                          .query = bytes_of(query),
                          .now_unix_s = 1790000000};

    buf_done(&f->answer.body);
    buf_done(&f->answer.header_value);
    f->answer = (struct sim_answer){.header_value = buf_make(16384), .body = buf_make(1 << 20)};
    assert_true(sim_pcs_service(&f->answer, &ask, f->sim));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (f == NULL || sim_open_seed(&f->sim, seed) != TACIT_OK)
        return -1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    buf_done(&f->answer.body);
    buf_done(&f->answer.header_value);
    sim_free(f->sim);
    free(f);
    return 0;
}

static void tcb_info_is_given_for_our_platform_only(void **state)
{
    struct fixture *f = *state;

    ask(f, "GET", "/tdx/certification/v4/tcb", "fmspc=F053494D0000");
    assert_int_equal(f->answer.status, 200);
    assert_true(
        bytes_starts_with(buf_bytes(&f->answer.body), BYTES_LIT("{\"tcbInfo\":{\"id\":\"TDX\"")));
    assert_true(bytes_find(buf_bytes(&f->answer.body), BYTES_LIT(",\"signature\":\"")) != SIZE_MAX);
    assert_true(bytes_ends_with(buf_bytes(&f->answer.body), BYTES_LIT("\"}")));
    assert_string_equal(f->answer.header_name, "tcb-info-issuer-chain");
    assert_true(bytes_starts_with(buf_bytes(&f->answer.header_value),
                                  BYTES_LIT("-----BEGIN%20CERTIFICATE-----%0A")));
    ask(f, "GET", "/sgx/certification/v4/tcb", "update=early&fmspc=f053494d0000");
    assert_true(
        bytes_starts_with(buf_bytes(&f->answer.body), BYTES_LIT("{\"tcbInfo\":{\"id\":\"SGX\"")));
    ask(f, "GET", "/tdx/certification/v4/tcb", "fmspc=00906ED50000");
    assert_int_equal(f->answer.status, 404);
    assert_int_equal(f->answer.body.len, 0);
    ask(f, "GET", "/tdx/certification/v4/tcb", "fmspc=00906ED5000");
    assert_int_equal(f->answer.status, 400);
    ask(f, "GET", "/tdx/certification/v4/tcb", "");
    assert_int_equal(f->answer.status, 400);
}

static void evaluation_numbers_are_known_gone_or_unknown(void **state)
{
    static const struct {
        const char *query;
        unsigned status;
    } cases[] = {
        {"tcbEvaluationDataNumber=19", 200}, {"tcbEvaluationDataNumber=18", 410},
        {"tcbEvaluationDataNumber=20", 404}, {"tcbEvaluationDataNumber=x", 400},
        {"tcbEvaluationDataNumber=", 400},   {"tcbEvaluationDataNumber=19&update=early", 400}};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ask(f, "GET", "/tdx/certification/v4/qe/identity", cases[i].query);
        assert_int_equal(f->answer.status, cases[i].status);
    }
}

static void lists_come_in_the_encoding_asked_for(void **state)
{
    struct fixture *f = *state;
    struct x509_crl crl;

    ask(f, "GET", "/sgx/certification/v4/pckcrl", "ca=platform&encoding=der");
    assert_ok(x509_crl_parse(&crl, buf_bytes(&f->answer.body)));
    assert_true(bytes_eq_cstr(crl.issuer_cn, "Intel SGX PCK Platform CA"));
    ask(f, "GET", "/sgx/certification/v4/pckcrl", "encoding=der&ca=processor");
    assert_ok(x509_crl_parse(&crl, buf_bytes(&f->answer.body)));
    assert_true(bytes_eq_cstr(crl.issuer_cn, "Intel SGX PCK Processor CA"));
    ask(f, "GET", "/sgx/certification/v4/pckcrl", "ca=platform");
    assert_true(bytes_starts_with(buf_bytes(&f->answer.body), BYTES_LIT("-----BEGIN X509 CRL")));
    ask(f, "GET", "/sgx/certification/v4/pckcrl", "ca=other");
    assert_int_equal(f->answer.status, 400);
    ask(f, "GET", "/IntelSGXRootCA.der", "");
    assert_ok(x509_crl_parse(&crl, buf_bytes(&f->answer.body)));
    assert_null(f->answer.header_name);
    ask(f, "GET", "/sgx/certification/v4/rootcacrl", "");
    assert_true(bytes_starts_with(buf_bytes(&f->answer.body), BYTES_LIT("30820")));
}

static void platforms_and_evaluations_are_listed(void **state)
{
    struct fixture *f = *state;

    ask(f, "GET", "/sgx/certification/v4/fmspcs", "platform=all");
    assert_true(bytes_eq_cstr(buf_bytes(&f->answer.body),
                              "[{\"fmspc\":\"f053494d0000\",\"platform\":\"simulated\"}]"));
    ask(f, "GET", "/tdx/certification/v4/tcbevaluationdatanumbers", "");
    assert_int_equal(f->answer.status, 200);
    assert_true(bytes_find(buf_bytes(&f->answer.body),
                           BYTES_LIT("\"tcbEvaluationDataNumber\":19")) != SIZE_MAX);
    assert_string_equal(f->answer.header_name, "tcb-evaluation-data-numbers-issuer-chain");
}

static void other_methods_and_paths_are_not_served(void **state)
{
    struct fixture *f = *state;
    struct sim_ask other = {.method = BYTES_LIT("GET"), .path = BYTES_LIT("/v1/models")};

    ask(f, "POST", "/sgx/certification/v4/rootcacrl", "");
    assert_int_equal(f->answer.status, 405);
    assert_false(sim_pcs_service(&f->answer, &other, f->sim));
}

static void parameters_are_found_by_whole_name(void **state)
{
    UNUSED(state);
    assert_true(bytes_eq_cstr(sim_query(BYTES_LIT("a=1&ab=2&b="), "ab"), "2"));
    assert_null(sim_query(BYTES_LIT("a=1&ab=2"), "b").ptr);
    assert_non_null(sim_query(BYTES_LIT("a=1&b="), "b").ptr);
    assert_null(sim_query(BYTES_LIT(""), "b").ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tcb_info_is_given_for_our_platform_only, setup, teardown),
        cmocka_unit_test_setup_teardown(evaluation_numbers_are_known_gone_or_unknown, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(lists_come_in_the_encoding_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(platforms_and_evaluations_are_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(other_methods_and_paths_are_not_served, setup, teardown),
        cmocka_unit_test(parameters_are_found_by_whole_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
