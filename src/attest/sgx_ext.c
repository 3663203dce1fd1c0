/* SGX extension parser. Invariant: a member is taken once; `seen` has one bit per suffix. */
#include "attest/sgx_ext.h"

#include "crypto/der.h"

const uint8_t sgx_ext_oid[9] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

enum {
    SUFFIX_PPID = 1,
    SUFFIX_TCB,
    SUFFIX_PCEID,
    SUFFIX_FMSPC,
    SUFFIX_SGX_TYPE,
    SUFFIX_INSTANCE,
    SUFFIX_CONFIG,
};

/* Sets of suffixes. */
enum { MEMBERS_LEAST = 0x1e, MEMBERS_PROCESSOR_CA = 0x3e, MEMBERS_PLATFORM_CA = 0xfe };

enum { TCB_PCESVN = 17, TCB_CPUSVN = 18 };

/* The last arc of an OID that is `base` and one arc more, 0 for any other. Marks it in `seen`; a
 * second occurrence is 0, too. */
static unsigned suffix_take(struct bytes oid, struct bytes base, uint32_t *seen)
{
    unsigned arc;

    if (oid.len != base.len + 1 || !bytes_starts_with(oid, base) || oid.ptr[base.len] >= 32)
        return 0;
    arc = oid.ptr[base.len];
    if (*seen & BIT(arc))
        return 0;
    *seen |= BIT(arc);
    return arc;
}

static void octets_read(struct der *d, uint8_t *out, size_t len)
{
    struct bytes content = der_read(d, DER_OCTET_STRING);

    if (content.len != len)
        der_fail(d);
    else
        memcpy(out, content.ptr, len);
}

static bool tcb_read(struct sgx_ext *e, struct der *d)
{
    static const uint8_t base[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, 0x02};
    struct der seq = der_enter(d, DER_SEQUENCE);
    uint32_t seen = 0;

    while (der_ok(&seq) && seq.rest.len > 0) {
        struct der pair = der_enter(&seq, DER_SEQUENCE);
        unsigned arc = suffix_take(der_oid(&pair), BYTES_ARRAY(base), &seen);

        if (arc >= 1 && arc <= TCB_COMPONENTS)
            e->components[arc - 1] = (uint8_t)der_u64(&pair, DER_INTEGER, 255);
        else if (arc == TCB_PCESVN)
            e->pcesvn = (uint16_t)der_u64(&pair, DER_INTEGER, 65535);
        else if (arc == TCB_CPUSVN)
            octets_read(&pair, e->cpusvn, sizeof(e->cpusvn));
        else
            return false;
        if (!der_finished(&pair))
            return false;
    }
    return der_finished(&seq) && seen == 0x7fffe;
}

static bool config_read(struct sgx_ext *e, struct der *d)
{
    static const uint8_t base[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, 0x07};
    enum tacit_platform_flag *const flags[] = {NULL, &e->dynamic_platform, &e->cached_keys,
                                               &e->smt_enabled};
    struct der seq = der_enter(d, DER_SEQUENCE);
    uint32_t seen = 0;

    while (der_ok(&seq) && seq.rest.len > 0) {
        struct der pair = der_enter(&seq, DER_SEQUENCE);
        unsigned arc = suffix_take(der_oid(&pair), BYTES_ARRAY(base), &seen);

        if (arc < 1 || arc > 3)
            return false;
        *flags[arc] = der_bool(&pair) ? TACIT_FLAG_TRUE : TACIT_FLAG_FALSE;
        if (!der_finished(&pair))
            return false;
    }
    return der_finished(&seq);
}

static bool member_read(struct sgx_ext *e, unsigned suffix, struct der *pair)
{
    switch (suffix) {
    case SUFFIX_PPID:
        octets_read(pair, e->ppid, sizeof(e->ppid));
        break;
    case SUFFIX_TCB:
        if (!tcb_read(e, pair))
            return false;
        break;
    case SUFFIX_PCEID:
        octets_read(pair, e->pceid, sizeof(e->pceid));
        break;
    case SUFFIX_FMSPC:
        octets_read(pair, e->fmspc, sizeof(e->fmspc));
        break;
    case SUFFIX_SGX_TYPE:
        e->sgx_type = (uint8_t)der_u64(pair, DER_ENUMERATED, 2);
        break;
    case SUFFIX_INSTANCE:
        octets_read(pair, e->platform_instance_id, sizeof(e->platform_instance_id));
        e->has_platform_instance_id = true;
        break;
    case SUFFIX_CONFIG:
        if (!config_read(e, pair))
            return false;
        break;
    default:
        return false;
    }
    return der_finished(pair);
}

enum tacit_err sgx_ext_parse(struct sgx_ext *out, struct bytes in)
{
    struct der outer = der_over(in);
    struct der seq = der_enter(&outer, DER_SEQUENCE);
    struct sgx_ext e = {0};
    uint32_t seen = 0;

    *out = e;
    while (der_ok(&seq) && seq.rest.len > 0) {
        struct der pair = der_enter(&seq, DER_SEQUENCE);
        unsigned suffix = suffix_take(der_oid(&pair), BYTES_ARRAY(sgx_ext_oid), &seen);

        if (!member_read(&e, suffix, &pair))
            return TACIT_FORMAT;
    }
    if (!der_finished(&seq) || !der_finished(&outer) || (seen & MEMBERS_LEAST) != MEMBERS_LEAST)
        return TACIT_FORMAT;
    e.is_complete = seen == MEMBERS_PROCESSOR_CA || seen == MEMBERS_PLATFORM_CA;
    *out = e;
    return TACIT_OK;
}
