/* The quote parser, the TDREPORT parser and the SGX extension. */
#include "cmocka_all.h"

#include "attest/quote.h"
#include "attest/sgx_ext.h"
#include "crypto/sha2.h"
#include "tdx_vector.h"

#define CORPUS TEST_DATA_DIR "/../../fuzz/corpus/"

static void seed(struct buf *out, const char *path)
{
    *out = buf_make(1 << 16);
    assert_ok(file_read(out, path));
}

static void reads_every_body_of_version_5(void **state)
{
    static const char *const files[] = {CORPUS "quote/v5-1.bin", CORPUS "quote/v5-2.bin",
                                        CORPUS "quote/v5-3.bin", CORPUS "quote/v5-4.bin"};
    static const size_t signed_len[] = {54 + 384, 54 + 584, 54 + 648, 54 + 885};
    struct tacit_quote q;
    struct buf b;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        seed(&b, files[i]);
        assert_ok(tacit_quote_parse(&q, buf_bytes(&b), NULL));
        assert_int_equal(q.body, i + 1);
        assert_int_equal(q.signed_part.len, signed_len[i]);
        assert_int_equal(q.td.mrservicetd.len, i >= 2 ? 48 : 0);
        assert_int_equal(q.td.extended.len, i == 3 ? 237 : 0);
        buf_done(&b);
    }
}

static void reads_versions_3_and_4(void **state)
{
    struct tacit_quote q;
    struct buf b;

    (void)state;
    seed(&b, CORPUS "quote/v3.bin");
    assert_ok(tacit_quote_parse(&q, buf_bytes(&b), NULL));
    assert_int_equal(q.signed_part.len, 432);
    assert_int_equal(q.qe_auth_data.len, 4);
    assert_int_equal(q.trailing.len, 0);
    buf_done(&b);
    seed(&b, CORPUS "quote/v4.bin");
    assert_ok(tacit_quote_parse(&q, buf_bytes(&b), NULL));
    assert_int_equal(q.signed_part.len, 632);
    assert_int_equal(q.trailing.len, 16);
    buf_done(&b);
}

/* Without its padding, no prefix of a quote is a quote. */
static void refuses_every_prefix(void **state)
{
    struct tacit_quote q;
    struct buf b;

    (void)state;
    seed(&b, CORPUS "quote/v5-3.bin");
    for (size_t i = 0; i < b.len; i++)
        assert_int_not_equal(tacit_quote_parse(&q, bytes_slice(buf_bytes(&b), 0, i), NULL),
                             TACIT_OK);
    buf_done(&b);
}

/* Every u16 and u32 that is a length, made too large. */
static void refuses_oversized_lengths(void **state)
{
    static const size_t at[] = {50, 632 + 70, 632 + 70 + 4 + 130, 632 + 70 + 4 + 134 + 448};
    struct tacit_quote q;
    struct buf b;

    (void)state;
    seed(&b, CORPUS "quote/v5-3.bin");
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        uint8_t old[2];

        memcpy(old, b.ptr + at[i], 2);
        memset(b.ptr + at[i], 0xff, 2);
        assert_err(tacit_quote_parse(&q, buf_bytes(&b), NULL), TACIT_FORMAT);
        memcpy(b.ptr + at[i], old, 2);
    }
    assert_ok(tacit_quote_parse(&q, buf_bytes(&b), NULL));
    buf_done(&b);
}

static void says_what_the_header_lacks(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *word;
    } cases[] = {
        {0, 6, "version"}, {2, 3, "P-256"}, {4, 0x82, "TEE"}, {12, 0, "vendor"}, {48, 9, "body"}};
    struct tacit_quote q;
    struct buf b;
    const char *why;

    (void)state;
    seed(&b, CORPUS "quote/v5-2.bin");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t old = b.ptr[cases[i].at];

        b.ptr[cases[i].at] = cases[i].value;
        assert_err(tacit_quote_parse(&q, buf_bytes(&b), &why), TACIT_UNSUPPORTED);
        assert_non_null(strstr(why, cases[i].word));
        b.ptr[cases[i].at] = old;
    }
    buf_done(&b);
}

static void tdreport_make(uint8_t r[static TDREPORT_LEN])
{
    for (size_t i = 0; i < TDREPORT_LEN; i++)
        r[i] = (uint8_t)i;
    r[0] = 0x81;
    r[1] = 0;
    r[2] = 1;
    sha384(r + 32, bytes_make(r + 256, 239));
    sha384(r + 80, bytes_make(r + 512, 512));
}

static void reads_a_tdreport_and_checks_its_digests(void **state)
{
    uint8_t r[TDREPORT_LEN];
    struct tdreport t;

    (void)state;
    tdreport_make(r);
    assert_ok(tdreport_parse(&t, bytes_make(r, sizeof(r))));
    assert_ptr_equal(t.report_data.ptr, r + 128);
    assert_ptr_equal(t.mac.ptr, r + 224);
    assert_ptr_equal(t.td.tee_tcb_svn.ptr, r + 264);
    assert_ptr_equal(t.td.mrseam.ptr, r + 280);
    assert_ptr_equal(t.td.tee_tcb_svn2.ptr, r + 384);
    assert_ptr_equal(t.td.mrtd.ptr, r + 528);
    assert_ptr_equal(t.td.rtmr[3].ptr, r + 864);
    assert_ptr_equal(t.td.mrservicetd.ptr, r + 912);
    r[600] ^= 1;
    assert_err(tdreport_parse(&t, bytes_make(r, sizeof(r))), TACIT_MISMATCH);
    r[600] ^= 1;
    r[300] ^= 1;
    assert_err(tdreport_parse(&t, bytes_make(r, sizeof(r))), TACIT_MISMATCH);
    assert_err(tdreport_parse(&t, bytes_make(r, sizeof(r) - 1)), TACIT_FORMAT);
}

static void reads_both_forms_of_the_sgx_extension(void **state)
{
    struct sgx_ext e;
    struct buf b;

    (void)state;
    seed(&b, CORPUS "sgx_ext/five.der");
    assert_ok(sgx_ext_parse(&e, buf_bytes(&b)));
    assert_true(e.is_complete);
    assert_int_equal(e.pcesvn, 13);
    assert_int_equal(e.components[15], 16);
    assert_int_equal(e.dynamic_platform, TACIT_FLAG_UNKNOWN);
    buf_done(&b);
    seed(&b, CORPUS "sgx_ext/seven.der");
    assert_ok(sgx_ext_parse(&e, buf_bytes(&b)));
    assert_true(e.is_complete && e.has_platform_instance_id);
    assert_int_equal(e.cached_keys, TACIT_FLAG_FALSE);
    assert_int_equal(e.smt_enabled, TACIT_FLAG_TRUE);
    for (size_t i = 0; i < b.len; i++)
        assert_err(sgx_ext_parse(&e, bytes_slice(buf_bytes(&b), 0, i)), TACIT_FORMAT);
    buf_putc(&b, 0);
    assert_err(sgx_ext_parse(&e, buf_bytes(&b)), TACIT_FORMAT);
    buf_done(&b);
}

static void says_which_collateral_a_quote_needs(void **state)
{
    static const uint8_t fmspc[] = {0xb0, 0xc0, 0x6f, 0, 0, 0};
    struct tacit_collateral_need need;
    struct tdx_vector v;

    (void)state;
    TDX_NEED(&v, TDX_REAL_V4);
    assert_ok(tacit_quote_need(&need, buf_bytes(&v.quote)));
    assert_memory_equal(need.fmspc, fmspc, 6);
    assert_true(need.is_platform_ca && need.is_tdx);
    tdx_vector_done(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_body_of_version_5),
        cmocka_unit_test(reads_versions_3_and_4),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(refuses_oversized_lengths),
        cmocka_unit_test(says_what_the_header_lacks),
        cmocka_unit_test(reads_a_tdreport_and_checks_its_digests),
        cmocka_unit_test(reads_both_forms_of_the_sgx_extension),
        cmocka_unit_test(says_which_collateral_a_quote_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
