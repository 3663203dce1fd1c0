/* Whole verifications: flips, prefixes, the cache and its windows, roots, report data, forecasts.
 */
#include "cmocka_all.h"

#include "attest/dcap.h"
#include "tdx_vector.h"

/* Large, so not on the stack; every test starts from zero. */
struct bench {
    struct tdx_vector v;
    struct tacit_verdict *verdict;
    struct tacit_quote_result *result;
};

static void open_vector(struct bench *b, const char *id)
{
    TDX_NEED(&b->v, id);
    b->verdict = calloc(1, sizeof(*b->verdict));
    b->result = calloc(1, sizeof(*b->result));
    assert_non_null(b->verdict);
    assert_non_null(b->result);
}

static void close_vector(struct bench *b)
{
    free(b->verdict);
    free(b->result);
    tdx_vector_done(&b->v);
}

static bool verify(struct bench *b, const struct tacit_quote_input *in)
{
    b->verdict->count = 0;
    b->verdict->is_overflowed = false;
    b->verdict->is_simulated = false;
    assert_ok(tacit_quote_verify(b->verdict, b->result, in));
    if (!b->result->is_genuine)
        assert_int_equal(b->result->tcb_status, TACIT_TCB_NONE);
    return tacit_verdict_is_trusted(b->verdict);
}

static const char *refusal(const struct bench *b)
{
    const struct tacit_row *row = tacit_verdict_first_refusal(b->verdict);

    return row == NULL ? "" : row->id;
}

/* Where the certificates start: flips behind may decode to the same certificate. */
static size_t pem_start(struct bytes quote)
{
    size_t at = bytes_find(quote, BYTES_LIT("-----BEGIN CERTIFICATE-----"));

    assert_int_not_equal(at, SIZE_MAX);
    return at;
}

/* Bits of the PEM text that are no content: line ends and the NUL at the end. A flip there may
 * give another white space; the certificates are then the same octets. */
static bool is_pem_space(uint8_t before, uint8_t after)
{
    bool was = before == '\n' || before == '\r' || before == 0;
    bool is = after == '\n' || after == '\r' || after == ' ' || after == '\t' || after == 0;

    return was && is;
}

static void flip_all(const char *id, size_t step)
{
    struct tacit_quote_cache *cache; /* made after what may skip the test */
    struct tacit_quote_input in;
    struct tacit_quote q;
    struct bench b;
    uint8_t *copy;
    size_t pem, end;

    open_vector(&b, id);
    cache = tacit_quote_cache_new();
    in = tdx_input(&b.v);
    in.cache = cache;
    assert_ok(tacit_quote_parse(&q, in.quote, NULL));
    assert_true(verify(&b, &in));
    pem = pem_start(in.quote);
    end = q.signed_part.len + 4 + q.auth.len;
    copy = malloc(in.quote.len);
    assert_non_null(copy);
    memcpy(copy, in.quote.ptr, in.quote.len);
    in.quote.ptr = copy;
    for (size_t bit = 0; bit < end * 8; bit += step) {
        uint8_t was = copy[bit / 8];

        copy[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (verify(&b, &in) && !(bit / 8 >= pem && is_pem_space(was, copy[bit / 8])))
            fail_msg("%s: bit %zu of octet %zu may be flipped", id, bit % 8, bit / 8);
        copy[bit / 8] = was;
    }
    free(copy);
    close_vector(&b);
    tacit_quote_cache_free(cache);
}

static void no_bit_of_a_v4_quote_may_be_flipped(void **state)
{
    (void)state;
    flip_all(TDX_REAL_V4, 1);
}

static void no_bit_of_a_v5_quote_may_be_flipped(void **state)
{
    (void)state;
    flip_all(TDX_REAL_V5, 1);
}

static void no_bit_of_an_sgx_quote_may_be_flipped(void **state)
{
    (void)state;
    flip_all("real-00606a000000-v3-6efb780f-tcb20250815", 3);
}

static void refuses_every_prefix_of_the_quote(void **state)
{
    struct tacit_quote_cache *cache; /* made after what may skip the test */
    struct tacit_quote_input in;
    struct tacit_quote q;
    struct bench b;
    size_t end;

    (void)state;
    open_vector(&b, TDX_REAL_V4);
    cache = tacit_quote_cache_new();
    in = tdx_input(&b.v);
    in.cache = cache;
    assert_ok(tacit_quote_parse(&q, in.quote, NULL));
    end = q.signed_part.len + 4 + q.auth.len;
    for (in.quote.len = 0; in.quote.len < end; in.quote.len++)
        assert_false(verify(&b, &in));
    assert_true(verify(&b, &in));
    close_vector(&b);
    tacit_quote_cache_free(cache);
}

/* The text may gain or lose white space and members nobody reads; nothing else. */
static void a_flipped_bit_in_the_collateral_is_refused_or_harmless(void **state)
{
    struct tacit_quote_input in;
    struct bench b;
    uint8_t *copy;
    size_t chain;
    size_t accepted = 0;

    (void)state;
    open_vector(&b, TDX_REAL_V4);
    in = tdx_input(&b.v);
    copy = malloc(in.collateral.len);
    assert_non_null(copy);
    memcpy(copy, in.collateral.ptr, in.collateral.len);
    chain = bytes_find(in.collateral, BYTES_LIT("\"tcb_info\""));
    in.collateral.ptr = copy;
    for (size_t i = 0; i < in.collateral.len; i += 5) {
        copy[i] ^= 1;
        if (verify(&b, &in)) {
            /* The CRL's own issuer chain is not needed, and \n may become another escape. */
            accepted++;
            assert_true(b.result->tcb_status == TACIT_TCB_UP_TO_DATE);
        }
        copy[i] ^= 1;
    }
    assert_true(chain != SIZE_MAX && accepted < in.collateral.len / 5 / 4);
    free(copy);
    close_vector(&b);
}

static void a_cache_changes_no_verdict_and_ends_with_its_window(void **state)
{
    struct tacit_quote_cache *cache; /* made after what may skip the test */
    struct tacit_quote_input in;
    struct bench b;
    int64_t until;

    (void)state;
    open_vector(&b, TDX_REAL_V5);
    cache = tacit_quote_cache_new();
    in = tdx_input(&b.v);
    in.cache = cache;
    for (int i = 0; i < 3; i++)
        assert_true(verify(&b, &in));
    until = b.result->earliest_expiry_unix_s;
    dcap_cache_forget_platforms(cache);
    assert_true(verify(&b, &in));
    in.now_unix_s = until;
    assert_true(verify(&b, &in));
    in.now_unix_s = until + 1;
    assert_false(verify(&b, &in));
    in.now_unix_s = b.v.now_unix_s - 400 * 86400;
    assert_false(verify(&b, &in));
    in.now_unix_s = b.v.now_unix_s;
    in.root_der = (struct bytes){NULL, 0};
    assert_true(verify(&b, &in));
    close_vector(&b);
    tacit_quote_cache_free(cache);
}

/* The same octets under another root are another verification. */
static void a_cache_is_bound_to_its_root(void **state)
{
    struct tacit_quote_cache *cache; /* made after what may skip the test */
    struct tacit_quote_input in;
    struct bench b;

    (void)state;
    open_vector(&b, TDX_SYN_V4);
    cache = tacit_quote_cache_new();
    in = tdx_input(&b.v);
    in.cache = cache;
    assert_true(verify(&b, &in));
    in.root_der = (struct bytes){NULL, 0};
    assert_false(verify(&b, &in));
    assert_string_equal(refusal(&b), "tdx.pck.root");
    close_vector(&b);
    tacit_quote_cache_free(cache);
}

static void another_root_than_intels_is_called_simulated(void **state)
{
    struct tacit_quote_input in;
    struct bench b;

    (void)state;
    open_vector(&b, TDX_SYN_V4);
    in = tdx_input(&b.v);
    assert_true(verify(&b, &in));
    assert_true(b.verdict->is_simulated && b.result->is_simulated);
    assert_string_equal(b.verdict->rows[0].authority, "SIMULATED root");
    close_vector(&b);
    open_vector(&b, TDX_REAL_V4);
    in = tdx_input(&b.v);
    assert_true(verify(&b, &in));
    assert_false(b.verdict->is_simulated || b.result->is_simulated);
    close_vector(&b);
}

static void the_pinned_root_is_intels(void **state)
{
    struct bench b;

    (void)state;
    open_vector(&b, TDX_REAL_V4);
    assert_true(bytes_eq(b.v.root_der, tacit_intel_root()));
    close_vector(&b);
}

static void compares_all_64_octets_of_report_data(void **state)
{
    struct tacit_quote_input in;
    struct bench b;
    uint8_t wanted[64];

    (void)state;
    open_vector(&b, TDX_REAL_V4);
    in = tdx_input(&b.v);
    assert_true(verify(&b, &in));
    memcpy(wanted, b.result->quote.td.report_data.ptr, 64);
    in.report_data = wanted;
    assert_true(verify(&b, &in));
    for (size_t i = 0; i < 64; i++) {
        wanted[i] ^= 0x80;
        assert_false(verify(&b, &in));
        assert_string_equal(refusal(&b), "tdx.report_data");
        wanted[i] ^= 0x80;
    }
    close_vector(&b);
}

static void every_check_has_a_row_whatever_fails(void **state)
{
    struct tacit_quote_input in;
    struct bench b;
    size_t rows;

    (void)state;
    open_vector(&b, TDX_REAL_V4);
    in = tdx_input(&b.v);
    assert_true(verify(&b, &in));
    rows = b.verdict->count;
    in.quote.len = 10;
    assert_false(verify(&b, &in));
    assert_int_equal(b.verdict->count, rows);
    in = tdx_input(&b.v);
    in.collateral.len = 0;
    assert_false(verify(&b, &in));
    assert_int_equal(b.verdict->count, rows);
    assert_string_equal(refusal(&b), "tdx.collateral");
    in = tdx_input(&b.v);
    in.now_unix_s += INT64_C(40) * 365 * 86400;
    assert_false(verify(&b, &in));
    assert_int_equal(b.verdict->count, rows);
    assert_string_equal(refusal(&b), "tdx.pck.validity");
    close_vector(&b);
}

static void forecasts_what_will_have_expired(void **state)
{
    struct tacit_quote_input in;
    struct tacit_tdx_policy policy = tacit_tdx_policy_default();
    struct bench b;

    (void)state;
    open_vector(&b, TDX_REAL_V4);
    in = tdx_input(&b.v);
    assert_true(verify(&b, &in));
    b.verdict->count = 0;
    tacit_quote_forecast(b.verdict, b.result, &policy, NULL, b.result->earliest_expiry_unix_s);
    assert_true(tacit_verdict_is_trusted(b.verdict));
    b.verdict->count = 0;
    tacit_quote_forecast(b.verdict, b.result, &policy, NULL, b.result->earliest_expiry_unix_s + 1);
    assert_false(tacit_verdict_is_trusted(b.verdict));
    b.verdict->count = 0;
    memset(b.result, 0, sizeof(*b.result));
    tacit_quote_forecast(b.verdict, b.result, &policy, NULL, in.now_unix_s);
    assert_false(tacit_verdict_is_trusted(b.verdict));
    close_vector(&b);
}

static void an_unreadable_root_is_an_error_and_no_trust(void **state)
{
    static const uint8_t junk[] = {0x30, 0x03, 1, 2, 3};
    struct tacit_quote_input in;
    struct bench b;

    (void)state;
    open_vector(&b, TDX_REAL_V4);
    in = tdx_input(&b.v);
    in.root_der = BYTES_ARRAY(junk);
    assert_err(tacit_quote_verify(b.verdict, b.result, &in), TACIT_USAGE);
    assert_false(tacit_verdict_is_trusted(b.verdict));
    assert_true(b.verdict->is_simulated);
    close_vector(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_bit_of_a_v4_quote_may_be_flipped),
        cmocka_unit_test(no_bit_of_a_v5_quote_may_be_flipped),
        cmocka_unit_test(no_bit_of_an_sgx_quote_may_be_flipped),
        cmocka_unit_test(refuses_every_prefix_of_the_quote),
        cmocka_unit_test(a_flipped_bit_in_the_collateral_is_refused_or_harmless),
        cmocka_unit_test(a_cache_changes_no_verdict_and_ends_with_its_window),
        cmocka_unit_test(a_cache_is_bound_to_its_root),
        cmocka_unit_test(another_root_than_intels_is_called_simulated),
        cmocka_unit_test(the_pinned_root_is_intels),
        cmocka_unit_test(compares_all_64_octets_of_report_data),
        cmocka_unit_test(every_check_has_a_row_whatever_fails),
        cmocka_unit_test(forecasts_what_will_have_expired),
        cmocka_unit_test(an_unreadable_root_is_an_error_and_no_trust),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
