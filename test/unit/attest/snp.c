/* Claims about SEV-SNP reports beyond what the shared vectors say: revocation, pins, and what is
 * handed out. The vectors themselves are run by tacit-vectors. */
#include "cmocka_all.h"

#include "attest/snp.h"
#include "attest/verdict.h"
#include "base/file.h"

enum { FILE_MAX = 1024 * 1024 };

static struct tacit_verdict verdict;
static const int64_t genoa_time =
    1752235657; /* real-openpcc-azure-genoa, inside its CRL's window */

struct files {
    struct buf report, leaf, chain, crl, other_crl, root;
};

static bool load(struct buf *out, const char *root, const char *name)
{
    char path[1024];

    *out = buf_make(FILE_MAX);
    snprintf(path, sizeof(path), "%s/%s", root, name);
    return file_read(out, path) == TACIT_OK;
}

static void files_done(struct files *f)
{
    buf_done(&f->report);
    buf_done(&f->leaf);
    buf_done(&f->chain);
    buf_done(&f->crl);
    buf_done(&f->other_crl);
    buf_done(&f->root);
}

static bool genoa_open(struct files *f)
{
    static const char dir[] = TEST_VECTORS_DIR "/snp";

    *f = (struct files){0};
    if (load(&f->report, dir, "r/a9e9196c94d21b9b.bin") &&
        load(&f->leaf, dir, "l/3941d081fb811c23.der") &&
        load(&f->chain, dir, "amd/vcek_genoa_cert_chain.pem") &&
        load(&f->crl, dir, "amd/genoa_crl.der") && load(&f->other_crl, dir, "amd/milan_crl.der"))
        return true;
    print_message("skipped: no shared vectors at " TEST_VECTORS_DIR "\n");
    files_done(f);
    return false;
}

static struct tacit_snp_input input_of(const struct files *f)
{
    return (struct tacit_snp_input){.report = buf_bytes(&f->report),
                                    .leaf_der = buf_bytes(&f->leaf),
                                    .chain_pem = buf_bytes(&f->chain),
                                    .crl_der = buf_bytes(&f->crl),
                                    .is_crl_required = true,
                                    .now_unix_s = genoa_time};
}

/* NULL if trusted, else the id of the row that refuses. */
static const char *refusal(const struct tacit_snp_input *in, struct tacit_snp_result *found)
{
    struct tacit_snp_result own;

    verdict = (struct tacit_verdict){0};
    assert_ok(tacit_snp_verify(&verdict, found == NULL ? &own : found, in));
    return tacit_verdict_is_trusted(&verdict) ? NULL : tacit_verdict_first_refusal(&verdict)->id;
}

static void a_real_report_with_its_crl_is_genuine(void **state)
{
    static const struct tacit_snp_policy standard;
    struct tacit_snp_result found;
    struct tacit_snp_input in;
    struct files f;

    UNUSED(state);
    if (!genoa_open(&f))
        skip();
    in = input_of(&f);
    in.policy = &standard;
    in.report_data = f.report.ptr + 0x50;
    assert_null(refusal(&in, &found));
    assert_false(verdict.is_simulated);
    assert_true(found.is_genuine && found.product == TACIT_SNP_GENOA);
    assert_int_equal(found.expires_unix_s, 1762131600); /* the CRL ends first */
    assert_int_equal(found.reported.boot_loader, 0x0a);
    files_done(&f);
}

static void a_crl_must_be_there_genuine_and_current(void **state)
{
    struct tacit_snp_input in;
    struct files f;

    UNUSED(state);
    if (!genoa_open(&f))
        skip();
    in = input_of(&f);
    in.crl_der = (struct bytes){NULL, 0};
    assert_string_equal(refusal(&in, NULL), "snp.crl");
    in.is_crl_required = false;
    assert_null(refusal(&in, NULL));
    in.crl_der = buf_bytes(&f.other_crl);
    assert_string_equal(refusal(&in, NULL), "snp.crl");
    in.crl_der = buf_bytes(&f.crl);
    in.now_unix_s = 1762131601;
    assert_string_equal(refusal(&in, NULL), "snp.crl");
    in.now_unix_s = genoa_time;
    f.crl.ptr[f.crl.len - 1] ^= 1;
    assert_string_equal(refusal(&in, NULL), "snp.crl");
    files_done(&f);
}

static void a_revoked_intermediate_is_refused(void **state)
{
    static const char dir[] = TEST_DATA_DIR "/snp-crl";
    uint8_t report[TACIT_SNP_REPORT_LEN] = {2};
    struct arena arena = arena_make(FILE_MAX);
    struct tacit_snp_input in = {.report = BYTES_ARRAY(report), .now_unix_s = 1800000000};
    struct x509_cert leaf, root;
    struct files f;
    size_t count;

    UNUSED(state);
    report[0x34] = 1;
    assert_true(load(&f.leaf, dir, "leaf.pem") && load(&f.chain, dir, "ask.pem") &&
                load(&f.root, dir, "ark.pem") && load(&f.crl, dir, "revoking_crl.der") &&
                load(&f.other_crl, dir, "empty_crl.der"));
    f.report = (struct buf){0};
    assert_ok(x509_parse_pem(&leaf, 1, &count, buf_bytes(&f.leaf), &arena));
    assert_ok(x509_parse_pem(&root, 1, &count, buf_bytes(&f.root), &arena));
    in.leaf_der = leaf.der;
    in.root_der = root.der;
    in.chain_pem = buf_bytes(&f.chain);
    in.crl_der = buf_bytes(&f.other_crl);
    assert_string_equal(refusal(&in, NULL), "snp.leaf.extensions");
    assert_true(verdict.is_simulated);
    in.crl_der = buf_bytes(&f.crl);
    assert_string_equal(refusal(&in, NULL), "snp.crl");
    assert_int_equal(tacit_verdict_row(&verdict, "snp.crl", NULL)->cause, TACIT_CAUSE_REVOKED);
    in.root_der = (struct bytes){NULL, 0};
    assert_string_equal(refusal(&in, NULL), "snp.root");
    arena_done(&arena);
    files_done(&f);
}

static void pins_and_demands_refuse_by_their_own_rows(void **state)
{
    static const uint8_t other[64] = {1};
    static const struct bytes pin = {other, 48};
    struct tacit_snp_policy policy = {0};
    struct tacit_snp_input in;
    struct files f;

    UNUSED(state);
    if (!genoa_open(&f))
        skip();
    in = input_of(&f);
    in.policy = &policy;
    policy.measurement = (struct tacit_snp_pins){&pin, 1};
    assert_string_equal(refusal(&in, NULL), "snp.policy.measurement");
    policy = (struct tacit_snp_policy){.host_data = {&pin, 1}};
    assert_string_equal(refusal(&in, NULL), "snp.policy.host_data");
    policy = (struct tacit_snp_policy){.min_tcb = {.microcode = 255}};
    assert_string_equal(refusal(&in, NULL), "snp.policy.tcb");
    policy = (struct tacit_snp_policy){.has_vmpl = true, .vmpl = 2};
    assert_string_equal(refusal(&in, NULL), "snp.policy.vmpl");
    in.policy = NULL;
    in.report_data = other;
    assert_string_equal(refusal(&in, NULL), "snp.report_data");
    files_done(&f);
}

static void only_reports_of_the_right_size_and_version_parse(void **state)
{
    uint8_t bytes[TACIT_SNP_REPORT_LEN + 1] = {0};
    struct tacit_snp_report report;

    UNUSED(state);
    for (unsigned version = 0; version < 256; version++) {
        bytes[0] = (uint8_t)version;
        assert_int_equal(tacit_snp_parse(&report, bytes_make(bytes, TACIT_SNP_REPORT_LEN)) ==
                             TACIT_OK,
                         version >= 2 && version <= 5);
    }
    bytes[0] = 3;
    for (size_t len = 0; len <= sizeof(bytes); len++)
        assert_int_equal(tacit_snp_parse(&report, bytes_make(bytes, len)) == TACIT_OK,
                         len == TACIT_SNP_REPORT_LEN);
}

/* The whole signed part, the signature, and the zeros behind it. */
static void no_sampled_flip_of_a_real_report_is_accepted(void **state)
{
    struct tacit_snp_input in;
    struct files f;

    UNUSED(state);
    if (!genoa_open(&f))
        skip();
    in = input_of(&f);
    for (size_t bit = 1; bit < f.report.len * 8; bit += 29) {
        f.report.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_non_null(refusal(&in, NULL));
        f.report.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    files_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_report_with_its_crl_is_genuine),
        cmocka_unit_test(a_crl_must_be_there_genuine_and_current),
        cmocka_unit_test(a_revoked_intermediate_is_refused),
        cmocka_unit_test(pins_and_demands_refuse_by_their_own_rows),
        cmocka_unit_test(only_reports_of_the_right_size_and_version_parse),
        cmocka_unit_test(no_sampled_flip_of_a_real_report_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
