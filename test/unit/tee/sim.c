/* Claims about the honest simulator: its log replays to the registers that it quotes, its documents
 * agree with each other, and one seed always gives the same bytes. */
#include "cmocka_all.h"

#include <sys/stat.h>
#include <unistd.h>

#include "attest/event_log.h"
#include "base/file.h"
#include "base/reader.h"
#include "codec/json.h"
#include "crypto/sha2.h"
#include "crypto/x509.h"
#include "tee/sim.h"
#include "tee/tee.h"

enum { BODY_AT = 48, MRTD_AT = BODY_AT + 136, MRCONFIGID_AT = BODY_AT + 184 };
enum { RTMR_AT = BODY_AT + 328, REPORT_DATA_AT = BODY_AT + 520, QUOTE_MAX = 65536 };

static const uint8_t seed[SIM_SEED_LEN] = {7, 7, 7};
static const uint8_t report_data[64] = {1, 2, 3, 4};
static const int64_t now = 1790000000;

static struct sim *fixed_sim(void)
{
    struct sim *sim;

    assert_ok(sim_open_seed(&sim, seed));
    return sim;
}

static void a_quote_has_the_default_layout(void **state)
{
    struct buf quote = buf_make(QUOTE_MAX);
    struct sim *sim = fixed_sim();
    struct sim_td *td;
    struct reader r;
    uint32_t auth_len;

    UNUSED(state);
    assert_ok(sim_td_new(&td, sim, "node"));
    assert_ok(sim_td_quote(td, &quote, report_data));
    r = reader_over(buf_bytes(&quote));
    assert_int_equal(read_u16le(&r), 4);
    assert_int_equal(read_u16le(&r), 2);
    assert_int_equal(read_u32le(&r), 0x81);
    read_bytes(&r, 40 + 584);
    auth_len = read_u32le(&r);
    assert_int_equal(auth_len, reader_left(&r));
    assert_memory_equal(quote.ptr + REPORT_DATA_AT, report_data, 64);
    assert_true(bytes_ends_with(buf_bytes(&quote), BYTES_LIT("-----END CERTIFICATE-----\n\0")));
    sim_td_free(td);
    sim_free(sim);
    buf_done(&quote);
}

static void the_log_replays_to_the_quoted_registers(void **state)
{
    struct buf quote = buf_make(QUOTE_MAX);
    struct buf json = buf_make(QUOTE_MAX);
    struct arena arena = arena_make(1 << 20);
    struct event_log log;
    struct sim *sim = fixed_sim();
    struct sim_td *td;
    struct bytes rtmr[4];
    const struct event_log_event *e;

    UNUSED(state);
    assert_ok(sim_td_new(&td, sim, "node"));
    assert_ok(sim_td_event(td, "config-digest", BYTES_LIT("0123")));
    assert_err(sim_td_event(td, "with:colon", BYTES_LIT("")), TACIT_USAGE);
    assert_err(sim_td_event(td, "", BYTES_LIT("")), TACIT_USAGE);
    assert_ok(sim_td_event_log(td, &json));
    assert_ok(sim_td_quote(td, &quote, report_data));
    assert_ok(event_log_read(&log, buf_bytes(&json), &arena));
    for (size_t i = 0; i < 4; i++)
        rtmr[i] = bytes_make(quote.ptr + RTMR_AT + 48 * i, 48);
    assert_true(event_log_prove(&log, rtmr));
    e = event_log_system(&log, "compose-hash");
    assert_non_null(e);
    assert_int_equal(quote.ptr[MRCONFIGID_AT], 1);
    assert_memory_equal(e->payload.ptr, quote.ptr + MRCONFIGID_AT + 1, 32);
    e = event_log_app(&log, "config-digest", 0);
    assert_non_null(e);
    assert_true(bytes_eq_cstr(e->payload, "0123"));
    sim_td_free(td);
    sim_free(sim);
    arena_done(&arena);
    buf_done(&json);
    buf_done(&quote);
}

static struct bytes text_of(const struct json *object, const char *name)
{
    struct bytes text;

    assert_true(json_str(&text, json_get(object, name)));
    return text;
}

static void info_agrees_with_the_quote(void **state)
{
    struct buf quote = buf_make(QUOTE_MAX);
    struct buf info = buf_make(QUOTE_MAX);
    struct buf hex = buf_make(QUOTE_MAX);
    struct sim *sim = fixed_sim();
    const struct json *tcb;
    struct json *j;
    struct sim_td *td;
    uint8_t digest[32];

    UNUSED(state);
    assert_ok(sim_td_new(&td, sim, "gateway"));
    assert_ok(sim_td_event(td, "late", BYTES_LIT("x")));
    assert_ok(sim_td_info(td, &info));
    assert_ok(sim_td_quote(td, &quote, report_data));
    assert_ok(json_parse(&j, buf_bytes(&info)));
    tcb = json_get(j, "tcb_info");
    sha256(digest, text_of(tcb, "app_compose"));
    buf_hex(&hex, BYTES_ARRAY(digest));
    assert_true(bytes_eq(text_of(j, "compose_hash"), buf_bytes(&hex)));
    assert_true(bytes_eq(text_of(tcb, "compose_hash"), buf_bytes(&hex)));
    assert_true(bytes_starts_with(buf_bytes(&hex), text_of(j, "app_id")));
    buf_reset(&hex);
    buf_hex(&hex, bytes_make(quote.ptr + RTMR_AT + 144, 48));
    assert_true(bytes_eq(text_of(tcb, "rtmr3"), buf_bytes(&hex)));
    buf_reset(&hex);
    buf_hex(&hex, bytes_make(quote.ptr + MRTD_AT, 48));
    assert_true(bytes_eq(text_of(tcb, "mrtd"), buf_bytes(&hex)));
    assert_true(json_len(json_get(tcb, "event_log")) > 20);
    json_free(j);
    sim_td_free(td);
    sim_free(sim);
    buf_done(&hex);
    buf_done(&info);
    buf_done(&quote);
}

static void one_seed_gives_the_same_bytes(void **state)
{
    struct buf first = buf_make(1 << 20);
    struct buf second = buf_make(1 << 20);

    UNUSED(state);
    for (int i = 0; i < 2; i++) {
        struct buf *out = i == 0 ? &first : &second;
        struct sim *sim = fixed_sim();
        struct sim_td *td;

        assert_ok(sim_td_new(&td, sim, "node"));
        assert_ok(sim_td_quote(td, out, report_data));
        assert_ok(sim_collateral(sim, out, now));
        assert_ok(sim_td_info(td, out));
        sim_td_free(td);
        sim_free(sim);
    }
    assert_true(first.len > 20000);
    assert_true(bytes_eq(buf_bytes(&first), buf_bytes(&second)));
    buf_done(&first);
    buf_done(&second);
}

static void keys_belong_to_the_application_and_the_path(void **state)
{
    struct sim *sim = fixed_sim();
    struct sim_td *a, *b, *other;
    uint8_t key_a[32], key_b[32];

    UNUSED(state);
    assert_ok(sim_td_new(&a, sim, "node"));
    assert_ok(sim_td_new(&b, sim, "node"));
    assert_ok(sim_td_new(&other, sim, "gateway"));
    assert_ok(sim_td_key(a, key_a, "m/ecdsa-signing-key", "signing"));
    assert_ok(sim_td_key(b, key_b, "m/ecdsa-signing-key", "signing"));
    assert_memory_equal(key_a, key_b, 32);
    assert_ok(sim_td_key(b, key_b, "m/ed25519-signing-key", "signing"));
    assert_memory_not_equal(key_a, key_b, 32);
    assert_ok(sim_td_key(b, key_b, "m/ecdsa-signing-keys", "igning"));
    assert_memory_not_equal(key_a, key_b, 32);
    assert_ok(sim_td_key(other, key_b, "m/ecdsa-signing-key", "signing"));
    assert_memory_not_equal(key_a, key_b, 32);
    sim_td_free(a);
    sim_td_free(b);
    sim_td_free(other);
    sim_free(sim);
}

static void every_shape_has_its_length(void **state)
{
    static const struct {
        struct sim_shape shape;
        size_t signed_len;
    } cases[] = {
        {{3, TACIT_BODY_SGX, false}, 48 + 384},     {{4, TACIT_BODY_SGX, true}, 48 + 384},
        {{4, TACIT_BODY_TD10, true}, 48 + 584},     {{5, TACIT_BODY_SGX, false}, 54 + 384},
        {{5, TACIT_BODY_TD10, false}, 54 + 584},    {{5, TACIT_BODY_TD15, false}, 54 + 648},
        {{5, TACIT_BODY_TD15_EX, false}, 54 + 885},
    };
    struct sim *sim = fixed_sim();
    struct sim_td *td;

    UNUSED(state);
    assert_ok(sim_td_new(&td, sim, "node"));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf quote = buf_make(QUOTE_MAX);
        struct reader r;
        uint32_t auth_len;

        assert_ok(sim_set_shape(sim, cases[i].shape));
        assert_ok(sim_td_quote(td, &quote, report_data));
        r = reader_over(buf_bytes(&quote));
        read_bytes(&r, cases[i].signed_len);
        auth_len = read_u32le(&r);
        assert_int_equal(auth_len, reader_left(&r));
        buf_done(&quote);
    }
    assert_err(sim_set_shape(sim, (struct sim_shape){4, TACIT_BODY_TD15, false}),
               TACIT_UNSUPPORTED);
    assert_err(sim_set_shape(sim, (struct sim_shape){3, TACIT_BODY_TD10, false}),
               TACIT_UNSUPPORTED);
    sim_td_free(td);
    sim_free(sim);
}

static void the_folder_keeps_the_platform(void **state)
{
    char dir[] = "/tmp/tacit-sim-XXXXXX";
    struct tee_opts opts = {.kind = TEE_SIMULATOR, .path = dir, .workload = "node"};
    char seed_path[64], root_path[64];
    struct buf root[2] = {buf_make(8192), buf_make(8192)};
    char why[256];
    struct stat st;

    UNUSED(state);
    assert_non_null(mkdtemp(dir));
    snprintf(seed_path, sizeof(seed_path), "%s/seed", dir);
    snprintf(root_path, sizeof(root_path), "%s/root.pem", dir);
    for (int i = 0; i < 2; i++) {
        struct buf quote = buf_make(QUOTE_MAX);
        struct tee *tee;
        uint8_t key[32];

        assert_ok(tee_open(&tee, &opts, why));
        assert_true(tee_is_simulated(tee));
        assert_string_equal(tee_name(tee), "SIMULATED");
        assert_ok(tee_event(tee, "model", BYTES_LIT("digest")));
        assert_err(tee_event(tee, "a:b", BYTES_LIT("")), TACIT_USAGE);
        assert_ok(tee_quote(tee, &quote, report_data));
        assert_ok(tee_key(tee, key, "p", "signing"));
        assert_ok(file_read(&root[i], root_path));
        tee_close(tee);
        buf_done(&quote);
    }
    assert_true(bytes_eq(buf_bytes(&root[0]), buf_bytes(&root[1])));
    assert_int_equal(stat(seed_path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_err(sim_init(dir, NULL, why), TACIT_EXISTS);
    assert_true(strlen(why) > 0);
    opts.workload = "no/slash";
    {
        struct tee *tee;

        assert_err(tee_open(&tee, &opts, why), TACIT_USAGE);
        assert_null(tee);
    }
    assert_ok(file_write(seed_path, BYTES_LIT("tacit simulator 1 fixed 00"), 0600));
    {
        struct sim *sim;

        assert_err(sim_open(&sim, dir, why), TACIT_FORMAT);
        assert_null(sim);
    }
    unlink(seed_path);
    unlink(root_path);
    snprintf(root_path, sizeof(root_path), "%s/collateral.json", dir);
    unlink(root_path);
    rmdir(dir);
    buf_done(&root[0]);
    buf_done(&root[1]);
}

/* What `tacit sim fault` leaves in a folder holds for everybody who opens it. */
static void a_kept_fault_holds_for_the_folder(void **state)
{
    char dir[] = "/tmp/tacit-sim-XXXXXX";
    char path[64];
    char why[SIM_WHY_LEN];
    struct sim *sim;

    UNUSED(state);
    assert_non_null(mkdtemp(dir));
    assert_err(sim_keep_fault(dir, "td-debug", why), TACIT_NOT_FOUND);
    assert_true(strlen(why) > 0);
    assert_ok(sim_init(dir, seed, why));
    assert_err(sim_keep_fault(dir, "no-such-fault", why), TACIT_NOT_FOUND);
    assert_ok(sim_keep_fault(dir, "td-debug", why));
    for (int i = 0; i < 2; i++) {
        struct buf quote = buf_make(QUOTE_MAX);
        struct sim_td *td;

        assert_ok(sim_open(&sim, dir, why));
        assert_ok(sim_td_new(&td, sim, "node"));
        assert_ok(sim_td_quote(td, &quote, report_data));
        assert_int_equal(quote.ptr[BODY_AT + 120], i == 0 ? 1 : 0);
        sim_td_free(td);
        sim_free(sim);
        buf_done(&quote);
        assert_ok(sim_keep_fault(dir, NULL, why));
    }
    snprintf(path, sizeof(path), "%s/fault", dir);
    assert_ok(file_write(path, BYTES_LIT("nonsense"), 0600));
    assert_err(sim_open(&sim, dir, why), TACIT_FORMAT);
    unlink(path);
    snprintf(path, sizeof(path), "%s/seed", dir);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quote_has_the_default_layout),
        cmocka_unit_test(the_log_replays_to_the_quoted_registers),
        cmocka_unit_test(info_agrees_with_the_quote),
        cmocka_unit_test(one_seed_gives_the_same_bytes),
        cmocka_unit_test(keys_belong_to_the_application_and_the_path),
        cmocka_unit_test(every_shape_has_its_length),
        cmocka_unit_test(the_folder_keeps_the_platform),
        cmocka_unit_test(a_kept_fault_holds_for_the_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
