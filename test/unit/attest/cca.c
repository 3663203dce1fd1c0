/* Claims about Arm CCA tokens, over tokens minted here with fresh keys: what is accepted, and the
 * row that refuses each lie. */
#include "cmocka_all.h"

#include "attest/cca.h"
#include "attest/verdict.h"
#include "crypto/sha2.h"
#include "crypto/signkey.h"

static const uint8_t seed[SIGNKEY_SEED_LEN] = {1, 2, 3};
static const uint8_t challenge[64] = {9, 9, 9};

struct mint {
    struct signkey *platform, *realm;
    struct buf token, spki;
    bool is_bare_point;  /* realm key as 04 || x || y instead of COSE_Key */
    bool is_other_realm; /* the platform vouches for another key */
    bool is_unsecured;
    int64_t alg;
};

static void head_put(struct buf *b, uint8_t type, uint64_t value)
{
    type = (uint8_t)(type << 5);
    if (value < 24) {
        buf_putc(b, (uint8_t)(type | value));
    } else if (value < 256) {
        buf_putc(b, type | 24);
        buf_putc(b, (uint8_t)value);
    } else {
        buf_putc(b, type | 25);
        buf_u16be(b, (uint16_t)value);
    }
}

static void int_put(struct buf *b, int64_t value)
{
    if (value < 0)
        head_put(b, 1, (uint64_t)(-1 - value));
    else
        head_put(b, 0, (uint64_t)value);
}

static void bytes_put(struct buf *b, struct bytes value)
{
    head_put(b, 2, value.len);
    buf_put(b, value);
}

static void text_put(struct buf *b, const char *text)
{
    head_put(b, 3, strlen(text));
    buf_puts(b, text);
}

static void claim_put(struct buf *b, int64_t key, uint8_t fill, size_t len)
{
    uint8_t value[64];

    memset(value, fill, sizeof(value));
    int_put(b, key);
    bytes_put(b, bytes_make(value, len));
}

static void realm_key_put(struct buf *b, const struct mint *m)
{
    uint8_t xy[SIGNKEY_POINT_MAX];

    assert_int_equal(signkey_point(m->realm, xy), 96);
    if (m->is_bare_point) {
        buf_putc(b, 0x04);
        buf_put(b, bytes_make(xy, 96));
        return;
    }
    head_put(b, 5, 4);
    int_put(b, 1);
    int_put(b, 2);
    int_put(b, -1);
    int_put(b, 2);
    int_put(b, -2);
    bytes_put(b, bytes_make(xy, 48));
    int_put(b, -3);
    bytes_put(b, bytes_make(xy + 48, 48));
}

static void sign1_put(struct buf *out, const struct mint *m, const struct signkey *key,
                      struct bytes payload)
{
    struct buf header = buf_make(64), text = buf_make(8192), sign1 = buf_make(8192);
    uint8_t digest[48], sig[SIGNKEY_RAW_MAX];
    size_t sig_len;

    head_put(&header, 5, 1);
    int_put(&header, 1);
    int_put(&header, m->alg);
    cca_signed_put(&text, buf_bytes(&header), payload);
    sha384(digest, buf_bytes(&text));
    assert_ok(signkey_sign_raw(key, sig, &sig_len, BYTES_ARRAY(digest)));
    head_put(&sign1, 6, 18);
    head_put(&sign1, 4, 4);
    bytes_put(&sign1, buf_bytes(&header));
    head_put(&sign1, 5, 0);
    bytes_put(&sign1, payload);
    bytes_put(&sign1, bytes_make(sig, sig_len));
    bytes_put(out, buf_bytes(&sign1));
    buf_done(&header);
    buf_done(&text);
    buf_done(&sign1);
}

static void platform_put(struct buf *out, const struct mint *m)
{
    struct buf key = buf_make(256), payload = buf_make(4096);
    uint8_t hash[32];

    realm_key_put(&key, m);
    sha256(hash, buf_bytes(&key));
    hash[0] ^= m->is_other_realm;
    head_put(&payload, 5, 7);
    int_put(&payload, 10);
    bytes_put(&payload, BYTES_ARRAY(hash));
    claim_put(&payload, 256, 0x11, 33);
    claim_put(&payload, 2396, 0x22, 32);
    int_put(&payload, 2395);
    int_put(&payload, m->is_unsecured ? 0x4000 : 0x3003);
    int_put(&payload, 2399);
    head_put(&payload, 4, 1);
    head_put(&payload, 5, 0);
    claim_put(&payload, 2401, 0x33, 20);
    int_put(&payload, 2402);
    text_put(&payload, "sha-256");
    sign1_put(out, m, m->platform, buf_bytes(&payload));
    buf_done(&key);
    buf_done(&payload);
}

static void realm_put(struct buf *out, const struct mint *m)
{
    struct buf key = buf_make(256), payload = buf_make(4096);

    realm_key_put(&key, m);
    head_put(&payload, 5, 7);
    int_put(&payload, 10);
    bytes_put(&payload, BYTES_ARRAY(challenge));
    claim_put(&payload, 44235, 0x44, 64);
    int_put(&payload, 44236);
    text_put(&payload, "sha-256");
    int_put(&payload, 44237);
    bytes_put(&payload, buf_bytes(&key));
    claim_put(&payload, 44238, 0x55, 32);
    int_put(&payload, 44239);
    head_put(&payload, 4, 4);
    for (int i = 0; i < 4; i++)
        bytes_put(&payload, BYTES_LIT("0123456789abcdef0123456789abcdef"));
    int_put(&payload, 44240);
    text_put(&payload, "sha-256");
    sign1_put(out, m, m->realm, buf_bytes(&payload));
    buf_done(&key);
    buf_done(&payload);
}

static struct mint mint_make(void)
{
    struct mint m = {.token = buf_make(1 << 16), .spki = buf_make(512), .alg = -35};

    assert_ok(signkey_from_seed(&m.platform, SIGNKEY_P384, seed, "platform"));
    assert_ok(signkey_from_seed(&m.realm, SIGNKEY_P384, seed, "realm"));
    assert_ok(signkey_spki(m.platform, &m.spki));
    return m;
}

static void mint_token(struct mint *m)
{
    buf_reset(&m->token);
    head_put(&m->token, 6, 399);
    head_put(&m->token, 5, 2);
    head_put(&m->token, 0, 44234);
    platform_put(&m->token, m);
    head_put(&m->token, 0, 44241);
    realm_put(&m->token, m);
    assert_ok(buf_err(&m->token));
}

static void mint_done(struct mint *m)
{
    signkey_free(m->platform);
    signkey_free(m->realm);
    buf_done(&m->token);
    buf_done(&m->spki);
}

static struct tacit_verdict verdict;
static uint8_t implementation_id[32];

static bool verify_bytes(struct mint *m, struct bytes token, struct tacit_cca_input *in)
{
    struct tacit_cca_endorsement e = {.key_spki_der = buf_bytes(&m->spki)};
    struct tacit_cca_token claims;

    memset(implementation_id, 0x22, sizeof(implementation_id));
    e.implementation_id = BYTES_ARRAY(implementation_id);
    in->token = token;
    in->endorsements = &e;
    in->endorsement_count = 1;
    verdict = (struct tacit_verdict){0};
    assert_ok(tacit_cca_verify(&verdict, &claims, in));
    return tacit_verdict_is_trusted(&verdict);
}

static bool verify(struct mint *m)
{
    struct tacit_cca_input in = {.challenge = challenge};

    mint_token(m);
    return verify_bytes(m, buf_bytes(&m->token), &in);
}

static void refused_by(struct mint *m, const char *id)
{
    const struct tacit_row *row;

    assert_false(verify(m));
    row = tacit_verdict_first_refusal(&verdict);
    assert_string_equal(row->id, id);
}

static void both_forms_of_a_good_token_are_accepted(void **state)
{
    struct mint m = mint_make();

    UNUSED(state);
    assert_true(verify(&m));
    m.is_bare_point = true;
    assert_true(verify(&m));
    mint_done(&m);
}

static void each_lie_is_refused_by_its_row(void **state)
{
    struct mint m = mint_make();
    struct signkey *other;

    UNUSED(state);
    assert_ok(signkey_from_seed(&other, SIGNKEY_P384, seed, "other"));
    m.is_other_realm = true;
    refused_by(&m, "cca.binding");
    m.is_other_realm = false;
    m.is_unsecured = true;
    refused_by(&m, "cca.policy.lifecycle");
    m.is_unsecured = false;
    m.alg = -7;
    refused_by(&m, "cca.platform.signature");
    m.alg = -35;
    buf_reset(&m.spki);
    assert_ok(signkey_spki(other, &m.spki));
    refused_by(&m, "cca.platform.signature");
    signkey_free(other);
    mint_done(&m);
}

static void what_the_caller_demands_must_hold(void **state)
{
    static const uint8_t other[64] = {1};
    struct mint m = mint_make();
    struct tacit_cca_input in = {.challenge = other};

    UNUSED(state);
    mint_token(&m);
    assert_false(verify_bytes(&m, buf_bytes(&m.token), &in));
    assert_string_equal(tacit_verdict_first_refusal(&verdict)->id, "cca.challenge");
    in = (struct tacit_cca_input){.rim = BYTES_LIT("other")};
    assert_false(verify_bytes(&m, buf_bytes(&m.token), &in));
    assert_string_equal(tacit_verdict_first_refusal(&verdict)->id, "cca.policy.rim");
    in = (struct tacit_cca_input){.personalisation = BYTES_LIT("other")};
    assert_false(verify_bytes(&m, buf_bytes(&m.token), &in));
    assert_string_equal(tacit_verdict_first_refusal(&verdict)->id, "cca.policy.personalisation");
    mint_done(&m);
}

static void without_an_endorsement_nothing_is_trusted(void **state)
{
    struct mint m = mint_make();
    struct tacit_cca_input in = {.challenge = challenge};
    struct tacit_cca_token claims;

    UNUSED(state);
    mint_token(&m);
    in.token = buf_bytes(&m.token);
    verdict = (struct tacit_verdict){0};
    assert_ok(tacit_cca_verify(&verdict, &claims, &in));
    assert_false(tacit_verdict_is_trusted(&verdict));
    assert_int_equal(tacit_verdict_first_refusal(&verdict)->cause, TACIT_CAUSE_UNOBTAINABLE);
    assert_null(claims.rim.ptr);
    mint_done(&m);
}

static void every_prefix_is_refused(void **state)
{
    struct mint m = mint_make();
    struct tacit_cca_token claims;

    UNUSED(state);
    mint_token(&m);
    for (size_t len = 0; len < m.token.len; len++)
        assert_err(tacit_cca_parse(&claims, bytes_make(m.token.ptr, len)), TACIT_FORMAT);
    buf_putc(&m.token, 0);
    assert_err(tacit_cca_parse(&claims, buf_bytes(&m.token)), TACIT_FORMAT);
    mint_done(&m);
}

/* Every octet counts but those of the unprotected header, which is empty here. */
static void no_sampled_flip_is_accepted(void **state)
{
    struct mint m = mint_make();
    struct tacit_cca_input in = {.challenge = challenge};

    UNUSED(state);
    mint_token(&m);
    for (size_t bit = 0; bit < m.token.len * 8; bit += 3) {
        m.token.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(verify_bytes(&m, buf_bytes(&m.token), &in));
        m.token.ptr[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    mint_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_of_a_good_token_are_accepted),
        cmocka_unit_test(each_lie_is_refused_by_its_row),
        cmocka_unit_test(what_the_caller_demands_must_hold),
        cmocka_unit_test(without_an_endorsement_nothing_is_trusted),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(no_sampled_flip_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
