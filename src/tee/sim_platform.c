/* The simulated platform: what its PCK certificate and its quotes say about it. The FMSPC begins
 * with F0, which no processor of Intel's uses, and spells "SIM". */
#include "tee/sim_priv.h"

const uint8_t sim_fmspc_octets[6] = {0xf0, 'S', 'I', 'M', 0, 0};

const uint8_t sim_qe_mrsigner[2][32] = {
    {0x8c, 0x4f, 0x57, 0x75, 0xd7, 0x96, 0x50, 0x3e, 0x96, 0x13, 0x7f,
     0x77, 0xc6, 0x8a, 0x82, 0x9a, 0x00, 0x56, 0xac, 0x8d, 0xed, 0x70,
     0x14, 0x0b, 0x08, 0x1b, 0x09, 0x44, 0x90, 0xc5, 0x7b, 0xff},
    {0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34,
     0xa7, 0xfc, 0x43, 0xed, 0x03, 0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba,
     0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5},
};

enum { OID_MAX = 48, PCE_ID_LEN = 2, PPID_LEN = 16, INSTANCE_LEN = 16, TYPE_SCALABLE = 1 };

void sim_fmspc(uint8_t out[static 6])
{
    memcpy(out, sim_fmspc_octets, sizeof(sim_fmspc_octets));
}

/* Levels of the TCB info (sim_documents.c) that a fault puts the platform on. */
static void platform_spoil(enum sim_fault fault, struct sim_platform *p)
{
    static const struct {
        enum sim_fault fault;
        uint8_t sgx_svn[SIM_SVN_COUNT];
        uint16_t pcesvn;
    } aged[] = {
        {SIM_PLATFORM_HARDENING, {2, 2, 2, 2, 4, 1, 0, 5}, 13},
        {SIM_PLATFORM_CONFIGURATION, {2, 2, 2, 2, 3, 1, 0, 5}, 13},
        {SIM_PLATFORM_OUT_OF_DATE, {2, 2, 2, 2, 3, 1, 0, 5}, 11},
        {SIM_PLATFORM_REVOKED, {1, 1, 1, 1, 1, 1, 0, 1}, 5},
        {SIM_PLATFORM_UNSUPPORTED, {0}, 5},
    };
    static const struct {
        enum sim_fault fault;
        uint8_t minor, major;
    } modules[] = {
        {SIM_MODULE_UNKNOWN, 6, 9},
        {SIM_MODULE_REVOKED, 2, 1},
        {SIM_MODULE_OUT_OF_DATE, 4, 1},
        {SIM_RELAUNCH, 4, 1},
    };
    static const struct {
        enum sim_fault fault;
        uint16_t isvsvn;
    } enclaves[] = {{SIM_QE_OUT_OF_DATE, 3}, {SIM_QE_REVOKED, 2}, {SIM_QE_UNSUPPORTED, 0}};

    for (size_t i = 0; i < ARRAY_LEN(aged); i++)
        if (fault == aged[i].fault) {
            memcpy(p->sgx_svn, aged[i].sgx_svn, sizeof(p->sgx_svn));
            p->pcesvn = aged[i].pcesvn;
        }
    for (size_t i = 0; i < ARRAY_LEN(modules); i++)
        if (fault == modules[i].fault) {
            p->tdx_svn[0] = modules[i].minor;
            p->tdx_svn[1] = modules[i].major;
        }
    for (size_t i = 0; i < ARRAY_LEN(enclaves); i++)
        if (fault == enclaves[i].fault)
            p->qe_isvsvn = enclaves[i].isvsvn;
}

void sim_platform(const struct sim *sim, struct sim_platform *out)
{
    *out = (struct sim_platform){
        .sgx_svn = {3, 3, 2, 2, 4, 1, 0, 5},
        .pcesvn = 13,
        .tdx_svn = {6, 1, 3},
        .tdx_svn2 = {6, 1, 3},
        .qe_isvsvn = 4,
    };
    platform_spoil(sim->plan.fault, out);
}

/* One member: SEQUENCE { OID 1.2.840.113741.1.13.1.<suffix>, value }, up to the value. */
static size_t member_open(struct buf *der, const char *suffix)
{
    char oid[OID_MAX];
    struct buf text = buf_over((uint8_t *)oid, sizeof(oid));
    size_t mark = der_open(der, DER_SEQUENCE);

    buf_putf(&text, "1.2.840.113741.1.13.1.%s", suffix);
    buf_putc(&text, 0);
    der_put_oid(der, text.failed ? "0.0" : oid);
    return mark;
}

static void octets_member(struct buf *der, const char *suffix, struct bytes value)
{
    size_t mark = member_open(der, suffix);

    der_put(der, DER_OCTET_STRING, value);
    der_close(der, mark);
}

static void integer_member(struct buf *der, const char *suffix, uint8_t tag, uint64_t value)
{
    size_t mark = member_open(der, suffix);

    der_put_u64(der, tag, value);
    der_close(der, mark);
}

static void bool_member(struct buf *der, const char *suffix, bool value)
{
    size_t mark = member_open(der, suffix);

    der_put_bool(der, value);
    der_close(der, mark);
}

static void tcb_member(struct buf *der, const struct sim_platform *p, bool is_overflowing)
{
    size_t mark = member_open(der, "2");
    size_t list = der_open(der, DER_SEQUENCE);
    static const char *const suffixes[SIM_SVN_COUNT] = {
        "2.1", "2.2",  "2.3",  "2.4",  "2.5",  "2.6",  "2.7",  "2.8",
        "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16"};

    for (size_t i = 0; i < SIM_SVN_COUNT; i++)
        integer_member(der, suffixes[i], DER_INTEGER,
                       is_overflowing && i == SIM_SVN_COUNT - 1 ? 256 : p->sgx_svn[i]);
    integer_member(der, "2.17", DER_INTEGER, p->pcesvn);
    octets_member(der, "2.18", BYTES_ARRAY(p->sgx_svn));
    der_close(der, list);
    der_close(der, mark);
}

static void configuration_member(struct buf *der)
{
    size_t mark = member_open(der, "7");
    size_t list = der_open(der, DER_SEQUENCE);

    bool_member(der, "7.1", true);
    bool_member(der, "7.2", true);
    bool_member(der, "7.3", false);
    der_close(der, list);
    der_close(der, mark);
}

void sim_sgx_extension(const struct sim *sim, struct buf *der)
{
    static const uint8_t pce_id[PCE_ID_LEN] = {0, 0};
    uint8_t ppid[PPID_LEN];
    uint8_t instance[INSTANCE_LEN];
    struct sim_platform platform;
    size_t all = der_open(der, DER_SEQUENCE);

    sim_platform(sim, &platform);
    sim_derive(sim, ppid, sizeof(ppid), "platform/ppid");
    sim_derive(sim, instance, sizeof(instance), "platform/instance");
    octets_member(der, "1", BYTES_ARRAY(ppid));
    if (!sim_is(sim, SIM_SGX_EXTENSION_MEMBER))
        tcb_member(der, &platform, sim_is(sim, SIM_SGX_EXTENSION_SVN));
    octets_member(der, "3", BYTES_ARRAY(pce_id));
    octets_member(der, "4", BYTES_ARRAY(sim_fmspc_octets));
    integer_member(der, "5", DER_ENUMERATED, TYPE_SCALABLE);
    if (!sim->plan.shape.is_processor_ca) {
        octets_member(der, "6", BYTES_ARRAY(instance));
        configuration_member(der);
    }
    der_close(der, all);
    if (sim_is(sim, SIM_SGX_EXTENSION_STRAY))
        der_put_null(der);
}
