/* Verification of Arm CCA tokens in the order of tdx.md 6.4. Invariant: the realm's key counts only
 * because the platform token, signed by the endorsed key, names its hash. */
#include "attest/cca.h"

#include "attest/verdict.h"
#include "base/limits.h"
#include "codec/cbor.h"
#include "crypto/ct.h"
#include "crypto/ec.h"
#include "crypto/sha2.h"

enum { ALG_ES384 = -35, COSE_ALG = 1, LIFECYCLE_SECURED = 0x30, P384_COORD = 48 };
enum { COSE_KTY = 1, COSE_CRV = -1, COSE_X = -2, COSE_Y = -3, KTY_EC2 = 2, CRV_P384 = 2 };

struct run {
    const struct tacit_cca_input *in;
    struct row_scope scope;
    struct tacit_cca_token token;
    bool is_out_of_memory;
};

static bool fail(struct run *r, const char *id, enum tacit_row_cause cause, const char *reason)
{
    row_fail(&r->scope, id, cause, "%s", reason);
    return false;
}

static bool pass(struct run *r, const char *id)
{
    row_pass(&r->scope, id);
    return true;
}

static void string_head_put(struct buf *out, size_t len)
{
    if (len < 24) {
        buf_putc(out, (uint8_t)(0x40 | len));
    } else if (len < 256) {
        buf_putc(out, 0x58);
        buf_putc(out, (uint8_t)len);
    } else if (len < 65536) {
        buf_putc(out, 0x59);
        buf_u16be(out, (uint16_t)len);
    } else {
        buf_putc(out, 0x5a);
        buf_u32be(out, (uint32_t)len);
    }
}

void cca_signed_put(struct buf *out, struct bytes protected_header, struct bytes payload)
{
    buf_put(out, BYTES_LIT("\x84\x6aSignature1"));
    string_head_put(out, protected_header.len);
    buf_put(out, protected_header);
    string_head_put(out, 0);
    string_head_put(out, payload.len);
    buf_put(out, payload);
}

static bool int_is(struct bytes map, int64_t key, int64_t wanted)
{
    struct bytes item;
    struct cbor c;

    if (!cbor_map_get(&item, map, key))
        return false;
    c = cbor_over(item);
    return cbor_int(&c) == wanted && cbor_finished(&c);
}

static enum tacit_err sign1_verify(struct run *r, const struct pubkey *key,
                                   struct bytes protected_header, struct bytes payload,
                                   struct bytes sig)
{
    struct buf text = buf_make(LIMIT_CCA_TOKEN_BYTES);
    enum tacit_err err = TACIT_UNSUPPORTED;

    if (int_is(protected_header, COSE_ALG, ALG_ES384) && pubkey_kind(key) == PUBKEY_P384) {
        cca_signed_put(&text, protected_header, payload);
        err = buf_err(&text);
    }
    if (err == TACIT_OK)
        err = pubkey_verify_raw(key, sig, buf_bytes(&text));
    buf_done(&text);
    r->is_out_of_memory |= err == TACIT_NOMEM;
    return err;
}

static bool parse_check(struct run *r)
{
    if (r->in->token.len > LIMIT_CCA_TOKEN_BYTES ||
        tacit_cca_parse(&r->token, r->in->token) != TACIT_OK)
        return fail(r, "cca.token.parse", TACIT_CAUSE_UNPARSABLE,
                    "the token is not a CCA collection, or a claim is missing or malformed");
    return pass(r, "cca.token.parse");
}

static const struct tacit_cca_endorsement *endorsement_find(const struct run *r)
{
    for (size_t i = 0; i < r->in->endorsement_count; i++) {
        const struct tacit_cca_endorsement *e = &r->in->endorsements[i];

        if (bytes_eq(e->implementation_id, r->token.implementation_id) &&
            (e->instance_id.len == 0 || bytes_eq(e->instance_id, r->token.instance_id)))
            return e;
    }
    return NULL;
}

static bool platform_check(struct run *r)
{
    static const char id[] = "cca.platform.signature";
    const struct tacit_cca_endorsement *e = endorsement_find(r);
    struct pubkey *key = NULL;
    enum tacit_err err;

    if (e == NULL)
        return fail(r, id, TACIT_CAUSE_UNOBTAINABLE,
                    "there is no endorsement of this platform's key");
    err = pubkey_from_spki(&key, e->key_spki_der, NULL);
    if (err == TACIT_OK)
        err = sign1_verify(r, key, r->token.platform_protected, r->token.platform_payload,
                           r->token.platform_signature);
    pubkey_free(key);
    if (err != TACIT_OK)
        return fail(r, id, err == TACIT_SIGNATURE ? TACIT_CAUSE_FORGED : TACIT_CAUSE_UNTRUSTED,
                    "the platform token is not signed by the endorsed key with ES384");
    return pass(r, id);
}

static bool coordinate_read(uint8_t out[static P384_COORD], struct bytes map, int64_t key)
{
    struct bytes item;
    struct bytes value;
    struct cbor c;

    if (!cbor_map_get(&item, map, key))
        return false;
    c = cbor_over(item);
    value = cbor_bytes(&c);
    if (!cbor_finished(&c) || value.len != P384_COORD)
        return false;
    memcpy(out, value.ptr, P384_COORD);
    return true;
}

/* COSE_Key of an EC2 key on P-384, or the bare point that earlier firmware gives. */
static bool realm_point(uint8_t xy[static 2 * P384_COORD], struct bytes key)
{
    if (key.len == 1 + 2 * P384_COORD && key.ptr[0] == 0x04) {
        memcpy(xy, key.ptr + 1, 2 * P384_COORD);
        return true;
    }
    return int_is(key, COSE_KTY, KTY_EC2) && int_is(key, COSE_CRV, CRV_P384) &&
           coordinate_read(xy, key, COSE_X) && coordinate_read(xy + P384_COORD, key, COSE_Y);
}

static bool realm_check(struct run *r)
{
    static const char id[] = "cca.realm.signature";
    uint8_t xy[2 * P384_COORD];
    struct pubkey *key = NULL;
    enum tacit_err err = TACIT_FORMAT;

    if (realm_point(xy, r->token.realm_key))
        err = pubkey_from_point(&key, PUBKEY_P384, BYTES_ARRAY(xy), NULL);
    if (err == TACIT_OK)
        err = sign1_verify(r, key, r->token.realm_protected, r->token.realm_payload,
                           r->token.realm_signature);
    pubkey_free(key);
    if (err != TACIT_OK)
        return fail(r, id, err == TACIT_SIGNATURE ? TACIT_CAUSE_FORGED : TACIT_CAUSE_UNPARSABLE,
                    "the realm token is not signed by the key that it names with ES384");
    return pass(r, id);
}

static size_t hash_by_name(uint8_t out[static 64], struct bytes name, struct bytes in)
{
    if (bytes_eq_cstr(name, "sha-256")) {
        sha256(out, in);
        return 32;
    }
    if (bytes_eq_cstr(name, "sha-384")) {
        sha384(out, in);
        return 48;
    }
    if (!bytes_eq_cstr(name, "sha-512"))
        return 0;
    sha512(out, in);
    return 64;
}

static bool binding_check(struct run *r)
{
    uint8_t hash[64];
    size_t len = hash_by_name(hash, r->token.realm_key_hash_alg, r->token.realm_key);

    if (len == 0 || !bytes_eq(bytes_make(hash, len), r->token.platform_challenge))
        return fail(r, "cca.binding", TACIT_CAUSE_MISMATCH,
                    "the platform token does not vouch for this realm's key");
    return pass(r, "cca.binding");
}

static void demand(struct run *r, const char *id, bool holds, enum tacit_row_cause cause,
                   const char *reason)
{
    if (holds)
        pass(r, id);
    else
        fail(r, id, cause, reason);
}

static void appraise(struct run *r)
{
    const struct tacit_cca_input *in = r->in;

    demand(r, "cca.policy.lifecycle",
           in->allow_unsecured || r->token.lifecycle >> 8 == LIFECYCLE_SECURED, TACIT_CAUSE_POLICY,
           "the platform is not in the secured state");
    if (in->rim.len > 0)
        demand(r, "cca.policy.rim", bytes_eq(in->rim, r->token.rim), TACIT_CAUSE_POLICY,
               "the realm's initial measurement is another one");
    if (in->personalisation.len > 0)
        demand(r, "cca.policy.personalisation",
               bytes_eq(in->personalisation, r->token.personalisation), TACIT_CAUSE_POLICY,
               "the realm's personalisation value is another one");
    if (in->challenge != NULL)
        demand(
            r, "cca.challenge",
            ct_equal(bytes_make(in->challenge, TACIT_CCA_CHALLENGE_LEN), r->token.realm_challenge),
            TACIT_CAUSE_MISMATCH, "the token answers another challenge");
}

enum tacit_err tacit_cca_verify(struct tacit_verdict *v, struct tacit_cca_token *out,
                                const struct tacit_cca_input *in)
{
    static const struct {
        const char *id;
        bool (*check)(struct run *r);
    } steps[] = {{"cca.token.parse", parse_check},
                 {"cca.platform.signature", platform_check},
                 {"cca.realm.signature", realm_check},
                 {"cca.binding", binding_check}};
    struct run r = {.in = in,
                    .scope = {v, in->subject == NULL ? "token" : in->subject,
                              "the caller's endorsements", false}};
    bool ok = true;

    *out = (struct tacit_cca_token){0};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (ok)
            ok = steps[i].check(&r);
        else
            row_not_run(&r.scope, steps[i].id, TACIT_CAUSE_UNOBTAINABLE, "an earlier check failed");
    }
    if (ok) {
        appraise(&r);
        *out = r.token;
    }
    return r.is_out_of_memory ? TACIT_NOMEM : TACIT_OK;
}
