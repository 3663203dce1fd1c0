/* TCB evaluation as tables: convergence, relaunch, Intel's documents. */
#include "cmocka_all.h"

#include "attest/tcb_eval.h"
#include "base/buf.h"
#include "base/file.h"

#define CORPUS TEST_DATA_DIR "/../../fuzz/corpus/"

enum {
    UP = TACIT_TCB_UP_TO_DATE,
    SWH = TACIT_TCB_SW_HARDENING_NEEDED,
    CONF = TACIT_TCB_CONFIGURATION_NEEDED,
    CSWH = TACIT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    OOD = TACIT_TCB_OUT_OF_DATE,
    OODC = TACIT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    REV = TACIT_TCB_REVOKED,
    RA = TACIT_TCB_TD_RELAUNCH_ADVISED,
    RAC = TACIT_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
};

/* spec: tdx.md 2.8, the table of convergence */
static void converges_as_the_table_says(void **state)
{
    static const int table[][4] = {{UP, UP, OOD, REV},      {SWH, SWH, OOD, REV},
                                   {CONF, CONF, OODC, REV}, {CSWH, CSWH, OODC, REV},
                                   {OOD, OOD, OOD, REV},    {OODC, OODC, OODC, REV},
                                   {REV, REV, REV, REV}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        enum tacit_tcb_status p = (enum tacit_tcb_status)table[i][0];

        assert_int_equal(tcb_converge(p, TACIT_TCB_UP_TO_DATE), table[i][1]);
        assert_int_equal(tcb_converge(p, TACIT_TCB_OUT_OF_DATE), table[i][2]);
        assert_int_equal(tcb_converge(p, TACIT_TCB_REVOKED), table[i][3]);
    }
}

static void advises_a_relaunch_only_when_it_helps(void **state)
{
    static const int table[][3] = {{OOD, UP, RA},     {OOD, SWH, RA},   {OOD, CONF, RAC},
                                   {OOD, CSWH, RAC},  {OODC, UP, RAC},  {OOD, OOD, OOD},
                                   {OODC, OOD, OODC}, {UP, OOD, UP},    {UP, REV, UP},
                                   {OOD, REV, OOD},   {CONF, UP, CONF}, {OOD, OODC, OOD}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        assert_int_equal(
            tcb_relaunch((enum tacit_tcb_status)table[i][0], (enum tacit_tcb_status)table[i][1]),
            table[i][2]);
}

static void document(struct buf *text, const char *path)
{
    *text = buf_make(1 << 16);
    assert_ok(file_read(text, path));
}

static void reads_all_three_forms_of_tcb_info(void **state)
{
    struct arena arena = arena_make(1 << 20);
    struct tcb_info info;
    struct buf text;

    (void)state;
    document(&text, CORPUS "tcb_info/tdx.json");
    assert_ok(tcb_info_parse(&info, buf_bytes(&text), &arena));
    assert_true(info.is_tdx);
    assert_int_equal(info.level_count, 2);
    assert_int_equal(info.levels[0].tdx[3], 5);
    assert_int_equal(info.module_count, 1);
    assert_int_equal(info.modules[0].version, 1);
    buf_done(&text);
    document(&text, CORPUS "tcb_info/sgx.json");
    assert_ok(tcb_info_parse(&info, buf_bytes(&text), &arena));
    assert_false(info.is_tdx);
    buf_done(&text);
    document(&text, CORPUS "tcb_info/sgx2.json");
    assert_ok(tcb_info_parse(&info, buf_bytes(&text), &arena));
    assert_int_equal(info.version, 2);
    assert_int_equal(info.levels[0].pcesvn, 7);
    buf_done(&text);
    arena_done(&arena);
}

static void refuses_every_prefix_of_tcb_info_and_qe_identity(void **state)
{
    struct qe_identity id;
    struct tcb_info info;
    struct buf text;

    (void)state;
    document(&text, CORPUS "tcb_info/tdx.json");
    for (size_t i = 0; i < text.len; i += 3) {
        struct arena arena = arena_make(1 << 20);

        assert_err(tcb_info_parse(&info, bytes_slice(buf_bytes(&text), 0, i), &arena),
                   TACIT_FORMAT);
        arena_done(&arena);
    }
    buf_done(&text);
    document(&text, CORPUS "qe_identity/td_qe.json");
    for (size_t i = 0; i < text.len; i++) {
        struct arena arena = arena_make(1 << 20);

        assert_err(qe_identity_parse(&id, bytes_slice(buf_bytes(&text), 0, i), &arena),
                   TACIT_FORMAT);
        arena_done(&arena);
    }
    buf_done(&text);
}

/* A module of version 1 skips TDX components 0 and 1; one of version 0 does not. */
static void applies_the_tdx_15_rule(void **state)
{
    struct arena arena = arena_make(1 << 20);
    uint8_t svn[16], zero[48] = {0};
    struct tacit_td_report td = {.mrsignerseam = BYTES_ARRAY(zero), .seam_attributes = {zero, 8}};
    struct sgx_ext pck = {.pcesvn = 13};
    struct tcb_outcome o;
    struct tcb_info info;
    struct buf text;

    (void)state;
    document(&text, CORPUS "tcb_info/tdx.json");
    assert_ok(tcb_info_parse(&info, buf_bytes(&text), &arena));
    memset(pck.components, 9, sizeof(pck.components));
    memset(svn, 5, sizeof(svn));
    svn[0] = 4;
    svn[1] = 1;
    o = tcb_evaluate(&info, &pck, &td, BYTES_ARRAY(svn), TACIT_TCB_UP_TO_DATE);
    assert_int_equal(o.fault, TCB_FINE);
    assert_int_equal(o.status, TACIT_TCB_UP_TO_DATE);
    svn[0] = 3;
    o = tcb_evaluate(&info, &pck, &td, BYTES_ARRAY(svn), TACIT_TCB_UP_TO_DATE);
    assert_int_equal(o.fault, TCB_NO_LEVEL);
    svn[0] = 5;
    svn[1] = 0;
    o = tcb_evaluate(&info, &pck, &td, BYTES_ARRAY(svn), TACIT_TCB_UP_TO_DATE);
    assert_int_equal(o.fault, TCB_NO_LEVEL);
    svn[1] = 2;
    o = tcb_evaluate(&info, &pck, &td, BYTES_ARRAY(svn), TACIT_TCB_UP_TO_DATE);
    assert_int_equal(o.fault, TCB_MODULE_DIFFERS);
    svn[1] = 1;
    svn[2] = 4;
    o = tcb_evaluate(&info, &pck, &td, BYTES_ARRAY(svn), TACIT_TCB_UP_TO_DATE);
    assert_int_equal(o.status, TACIT_TCB_OUT_OF_DATE);
    pck.pcesvn = 2;
    o = tcb_evaluate(&info, &pck, &td, BYTES_ARRAY(svn), TACIT_TCB_UP_TO_DATE);
    assert_int_equal(o.fault, TCB_NO_LEVEL);
    buf_done(&text);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converges_as_the_table_says),
        cmocka_unit_test(advises_a_relaunch_only_when_it_helps),
        cmocka_unit_test(reads_all_three_forms_of_tcb_info),
        cmocka_unit_test(refuses_every_prefix_of_tcb_info_and_qe_identity),
        cmocka_unit_test(applies_the_tdx_15_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
