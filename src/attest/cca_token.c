/* The layout of Arm CCA tokens. Parsing verifies nothing, but every claim that verification leans
 * on is there and of its type. */
#include "attest/cca.h"
#include "codec/cbor.h"

enum {
    TAG_COLLECTION = 399,
    TAG_COSE_SIGN1 = 18,
    KEY_PLATFORM = 44234,
    KEY_REALM = 44241,
    CLAIM_CHALLENGE = 10,
    CLAIM_INSTANCE_ID = 256,
    CLAIM_LIFECYCLE = 2395,
    CLAIM_IMPLEMENTATION_ID = 2396,
    CLAIM_SOFTWARE = 2399,
    CLAIM_CONFIGURATION = 2401,
    CLAIM_PLATFORM_HASH = 2402,
    CLAIM_PERSONALISATION = 44235,
    CLAIM_REALM_HASH = 44236,
    CLAIM_REALM_KEY = 44237,
    CLAIM_RIM = 44238,
    CLAIM_REMS = 44239,
    CLAIM_REALM_KEY_HASH = 44240,
    LIFECYCLE_MAX = 0xffff,
};

static bool claim_bytes(struct bytes *out, struct bytes map, int64_t key)
{
    struct bytes item;
    struct cbor c;

    if (!cbor_map_get(&item, map, key))
        return false;
    c = cbor_over(item);
    *out = cbor_bytes(&c);
    return cbor_finished(&c);
}

static bool claim_text(struct bytes *out, struct bytes map, int64_t key)
{
    struct bytes item;
    struct cbor c;

    if (!cbor_map_get(&item, map, key))
        return false;
    c = cbor_over(item);
    *out = cbor_text(&c);
    return cbor_finished(&c);
}

/* COSE_Sign1: tag 18 over [protected, unprotected, payload, signature]. */
static bool sign1_read(struct bytes *protected_header, struct bytes *payload, struct bytes *sig,
                       struct bytes in)
{
    struct cbor c = cbor_over(in);

    if (cbor_head(&c, CBOR_TAG) != TAG_COSE_SIGN1 || cbor_head(&c, CBOR_ARRAY) != 4)
        cbor_fail(&c);
    *protected_header = cbor_bytes(&c);
    if (cbor_peek(&c) != CBOR_MAP)
        cbor_fail(&c);
    cbor_skip(&c);
    *payload = cbor_bytes(&c);
    *sig = cbor_bytes(&c);
    return cbor_finished(&c);
}

static bool platform_read(struct tacit_cca_token *t)
{
    struct bytes map = t->platform_payload;
    struct bytes item;
    struct cbor c;

    if (!claim_bytes(&t->platform_challenge, map, CLAIM_CHALLENGE) ||
        !claim_bytes(&t->instance_id, map, CLAIM_INSTANCE_ID) || t->instance_id.len != 33 ||
        !claim_bytes(&t->implementation_id, map, CLAIM_IMPLEMENTATION_ID) ||
        t->implementation_id.len != 32 ||
        !claim_bytes(&t->configuration, map, CLAIM_CONFIGURATION) ||
        !claim_text(&t->platform_hash_alg, map, CLAIM_PLATFORM_HASH))
        return false;
    if (!cbor_map_get(&item, map, CLAIM_LIFECYCLE))
        return false;
    c = cbor_over(item);
    t->lifecycle = (uint32_t)cbor_head(&c, CBOR_UINT);
    if (!cbor_finished(&c) || t->lifecycle > LIFECYCLE_MAX)
        return false;
    if (!cbor_map_get(&item, map, CLAIM_SOFTWARE))
        return false;
    c = cbor_over(item);
    t->software_components = (size_t)cbor_head(&c, CBOR_ARRAY);
    return cbor_ok(&c);
}

static bool is_measurement(struct bytes m)
{
    return m.len == 32 || m.len == 48 || m.len == 64;
}

static bool rems_read(struct tacit_cca_token *t)
{
    struct bytes item;
    struct cbor c;

    if (!cbor_map_get(&item, t->realm_payload, CLAIM_REMS))
        return false;
    c = cbor_over(item);
    if (cbor_head(&c, CBOR_ARRAY) != TACIT_CCA_REMS)
        cbor_fail(&c);
    for (size_t i = 0; i < TACIT_CCA_REMS; i++) {
        t->rem[i] = cbor_bytes(&c);
        if (!is_measurement(t->rem[i]))
            cbor_fail(&c);
    }
    return cbor_finished(&c);
}

static bool realm_read(struct tacit_cca_token *t)
{
    struct bytes map = t->realm_payload;

    return claim_bytes(&t->realm_challenge, map, CLAIM_CHALLENGE) &&
           t->realm_challenge.len == TACIT_CCA_CHALLENGE_LEN &&
           claim_bytes(&t->personalisation, map, CLAIM_PERSONALISATION) &&
           t->personalisation.len == 64 && claim_text(&t->realm_hash_alg, map, CLAIM_REALM_HASH) &&
           claim_bytes(&t->realm_key, map, CLAIM_REALM_KEY) && t->realm_key.len > 0 &&
           claim_text(&t->realm_key_hash_alg, map, CLAIM_REALM_KEY_HASH) &&
           claim_bytes(&t->rim, map, CLAIM_RIM) && is_measurement(t->rim) && rems_read(t);
}

enum tacit_err tacit_cca_parse(struct tacit_cca_token *out, struct bytes in)
{
    struct cbor c = cbor_over(in);
    struct tacit_cca_token t = {0};
    struct bytes platform, realm, map;

    *out = (struct tacit_cca_token){0};
    if (cbor_head(&c, CBOR_TAG) != TAG_COLLECTION)
        cbor_fail(&c);
    map = cbor_skip(&c);
    if (!cbor_finished(&c) || !claim_bytes(&platform, map, KEY_PLATFORM) ||
        !claim_bytes(&realm, map, KEY_REALM))
        return TACIT_FORMAT;
    if (!sign1_read(&t.platform_protected, &t.platform_payload, &t.platform_signature, platform) ||
        !sign1_read(&t.realm_protected, &t.realm_payload, &t.realm_signature, realm))
        return TACIT_FORMAT;
    if (!platform_read(&t) || !realm_read(&t))
        return TACIT_FORMAT;
    *out = t;
    return TACIT_OK;
}
