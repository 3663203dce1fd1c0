/* The simulated NVIDIA PKI: device authorities, manifest authorities, and per device an identity
 * and an attestation key. Names and forms as gpu.md 2.1 and 3.3, but for "SIMULATED" in every name.
 */
#include "tee/sim_gpu_priv.h"

#include <stdio.h>

#include "crypto/hkdf.h"

enum {
    LEAF_SERIAL_LEN = 20,
    SERIAL_TOP_MASK = 0x3f,
    SERIAL_TOP = 0x40,
    GPU_SERIAL_FIRST = 0x41,
    SWITCH_SERIAL_FIRST = 0x50,
    LABEL_MAX = 96,
};

static const int64_t not_before = 1609459200;  /* 2021-01-01 */
static const int64_t not_after = 253402300799; /* 9999-12-31T23:59:59Z */
static const int64_t day = 24 * 60 * 60;

static const struct ca_info {
    const char *cn;
    enum sim_gpu_ca issuer;
} cas[SIM_CA_COUNT] = {
    [SIM_CA_ROOT] = {"SIMULATED Device Identity CA", SIM_CA_ROOT},
    [SIM_CA_ID_GH] = {"SIMULATED GH100 Identity", SIM_CA_ROOT},
    [SIM_CA_ID_GB] = {"SIMULATED GB100 Identity", SIM_CA_ROOT},
    [SIM_CA_ICA_GH] = {"SIMULATED GH100 Provisioner ICA 1", SIM_CA_ID_GH},
    [SIM_CA_ICA_GB] = {"SIMULATED GB100 Provisioner ICA 00000", SIM_CA_ID_GB},
    [SIM_CA_ICA_LS] = {"SIMULATED LS_10 Provisioner ICA 1", SIM_CA_ID_GH},
    [SIM_CA_RIM_ROOT] = {"SIMULATED CoRIM signing Root CA", SIM_CA_RIM_ROOT},
    [SIM_CA_RIM_GH] = {"SIMULATED Reference Value GH100 CA", SIM_CA_RIM_ROOT},
    [SIM_CA_RIM_L3_GH] = {"SIMULATED Reference Value L3 GH100 001", SIM_CA_RIM_GH},
    [SIM_CA_RIM_L4_GH] = {"SIMULATED HCC RIM L4 Signer", SIM_CA_RIM_L3_GH},
    [SIM_CA_RIM_GB] = {"SIMULATED Reference Value GB1XX CA 001", SIM_CA_RIM_ROOT},
    [SIM_CA_RIM_L3_GB] = {"SIMULATED Reference Value L3 GB100-CC 001", SIM_CA_RIM_GB},
    [SIM_CA_RIM_L4_GB] = {"SIMULATED RIM L4 Signer", SIM_CA_RIM_L3_GB},
    [SIM_CA_RIM_LS] = {"SIMULATED Reference Value LS10 CA", SIM_CA_RIM_ROOT},
    [SIM_CA_RIM_L3_LS] = {"SIMULATED Reference Value L3 LS10 001", SIM_CA_RIM_LS},
    [SIM_CA_RIM_L4_LS] = {"SIMULATED Reference Value L4 LS10", SIM_CA_RIM_L3_LS},
};

enum sim_gpu_ca sim_gpu_ca_issuer(enum sim_gpu_ca which)
{
    return cas[which].issuer;
}

enum sim_gpu_ca sim_gpu_device_ca(enum tacit_gpu_arch arch)
{
    return arch == TACIT_GPU_BLACKWELL ? SIM_CA_ICA_GB
           : arch == TACIT_GPU_LS10    ? SIM_CA_ICA_LS
                                       : SIM_CA_ICA_GH;
}

enum sim_gpu_ca sim_gpu_rim_signer(enum tacit_gpu_arch arch)
{
    return arch == TACIT_GPU_BLACKWELL ? SIM_CA_RIM_L4_GB
           : arch == TACIT_GPU_LS10    ? SIM_CA_RIM_L4_LS
                                       : SIM_CA_RIM_L4_GH;
}

static bool is_rim_signer(enum sim_gpu_ca which)
{
    return which == SIM_CA_RIM_L4_GH || which == SIM_CA_RIM_L4_GB || which == SIM_CA_RIM_L4_LS;
}

void sim_gpu_derive(const struct sim_gpu *g, uint8_t *out, size_t len, const char *label)
{
    if (hkdf_sha256(out, len, BYTES_ARRAY(g->seed), BYTES_LIT("tacit GPU simulator"),
                    bytes_of(label)) != TACIT_OK)
        memset(out, 0, len);
}

void sim_gpu_entity_done(struct sim_gpu_entity *e)
{
    signkey_free(e->key);
    buf_done(&e->spki);
    buf_done(&e->name);
    buf_done(&e->cert);
    *e = (struct sim_gpu_entity){0};
}

void sim_gpu_name(struct buf *der, const char *cn, const char *serial)
{
    struct cert_rdn rdns[] = {
        {"2.5.4.5", DER_PRINTABLE_STRING, serial},
        {"2.5.4.6", DER_PRINTABLE_STRING, "US"},
        {"2.5.4.10", DER_UTF8_STRING, "SIMULATED GPU PKI"},
        {"2.5.4.3", DER_UTF8_STRING, cn},
    };
    size_t skip = serial == NULL ? 1 : 0;

    cert_name(der, rdns + skip, ARRAY_LEN(rdns) - skip);
}

/* Key, name and key identifier of an entity to come. */
static enum tacit_err entity_begin(struct sim_gpu_entity *e, const struct sim_gpu *g,
                                   enum signkey_kind kind, const char *label)
{
    enum tacit_err err = signkey_from_seed(&e->key, kind, g->seed, label);

    e->spki = buf_make(SIM_GPU_CERT_MAX);
    e->name = buf_make(SIM_GPU_CERT_MAX);
    e->cert = buf_make(SIM_GPU_CERT_MAX);
    if (err == TACIT_OK)
        err = signkey_spki(e->key, &e->spki);
    if (err == TACIT_OK)
        cert_key_id(e->key_id, buf_bytes(&e->spki));
    return err;
}

/* What differs between certificates. */
struct cert_plan {
    const struct sim_gpu_entity *issuer; /* whose name stands there */
    const struct signkey *signer;        /* whose key signs: the issuer's, unless faulty */
    bool is_ca;
    bool has_constraints;
    uint32_t usage;
    int64_t not_before_unix_s, not_after_unix_s;
    const struct buf *more; /* further extensions */
};

static enum tacit_err entity_certify(struct sim_gpu_entity *e, const struct cert_plan *plan)
{
    struct buf exts = buf_make(SIM_GPU_CERT_MAX);
    struct cert_spec spec = {
        .serial = bytes_make(e->serial, e->serial_len),
        .issuer_name = buf_bytes(&plan->issuer->name),
        .subject_name = buf_bytes(&e->name),
        .not_before_unix_s = plan->not_before_unix_s,
        .not_after_unix_s = plan->not_after_unix_s,
        .spki = buf_bytes(&e->spki),
    };
    enum tacit_err err;

    if (plan->has_constraints)
        ext_put_constraints(&exts, plan->is_ca, X509_NO_PATHLEN);
    ext_put_usage(&exts, plan->usage);
    ext_put_ski(&exts, e->key_id);
    ext_put_aki(&exts, plan->issuer->key_id);
    if (plan->more != NULL)
        buf_put(&exts, buf_bytes(plan->more));
    spec.extensions = buf_bytes(&exts);
    err = buf_err(&exts);
    if (err == TACIT_OK)
        err = cert_make(&e->cert, &spec, plan->signer);
    e->is_made = err == TACIT_OK;
    buf_done(&exts);
    return err;
}

/* The root that everything hangs on: its own, or one that only looks like it. */
static bool is_rogue(const struct sim_gpu *g, enum sim_gpu_ca which)
{
    bool is_rim = which >= SIM_CA_RIM_ROOT;

    return (g->fault == SIM_GPU_ROOT_OTHER && !is_rim) ||
           (g->fault == SIM_GPU_RIM_ROOT_OTHER && is_rim);
}

static void ca_plan(struct cert_plan *plan, const struct sim_gpu *g, enum sim_gpu_ca which)
{
    *plan = (struct cert_plan){.is_ca = true,
                               .has_constraints = true,
                               .usage = X509_USE_CERT_SIGN | X509_USE_CRL_SIGN,
                               .not_before_unix_s = not_before,
                               .not_after_unix_s = not_after};
    if (!is_rim_signer(which))
        return;
    plan->is_ca = g->fault == SIM_GPU_RIM_SIGNER_CA;
    plan->usage = X509_USE_SIGNATURE | (plan->is_ca ? X509_USE_CERT_SIGN : 0);
    plan->not_before_unix_s = g->now_unix_s - 365 * day;
    plan->not_after_unix_s = g->now_unix_s + (g->fault == SIM_GPU_RIM_EXPIRED ? -day : 365 * day);
}

static enum tacit_err ca_make(struct sim_gpu *g, enum sim_gpu_ca which)
{
    struct sim_gpu_entity *e = &g->cas[which];
    const struct sim_gpu_entity *issuer = e;
    struct cert_plan plan;
    char label[LABEL_MAX];
    enum tacit_err err = TACIT_OK;

    if (cas[which].issuer != which)
        err = sim_gpu_ca_get(g, &issuer, cas[which].issuer);
    snprintf(label, sizeof(label), "%sca %u", is_rogue(g, which) ? SIM_GPU_ROGUE : "",
             (unsigned)which);
    if (err == TACIT_OK)
        err = entity_begin(e, g, SIGNKEY_P384, label);
    if (err != TACIT_OK)
        return err;
    sim_gpu_name(&e->name, cas[which].cn, NULL);
    e->serial_len = 16;
    sim_gpu_derive(g, e->serial, e->serial_len, label);
    e->serial[0] = (uint8_t)((e->serial[0] & SERIAL_TOP_MASK) | SERIAL_TOP);
    ca_plan(&plan, g, which);
    plan.issuer = issuer;
    plan.signer = issuer->key;
    return entity_certify(e, &plan);
}

enum tacit_err sim_gpu_ca_get(struct sim_gpu *g, const struct sim_gpu_entity **out,
                              enum sim_gpu_ca which)
{
    enum tacit_err err = TACIT_OK;

    if (!g->cas[which].is_made) {
        sim_gpu_entity_done(&g->cas[which]);
        err = ca_make(g, which);
    }
    *out = &g->cas[which];
    return err;
}

void sim_gpu_fwid(const struct sim_gpu *g, uint8_t out[static SIM_GPU_DIGEST])
{
    sim_gpu_derive(g, out, SIM_GPU_DIGEST, "firmware id");
}

static void fwid_put(struct buf *der, const struct sim_gpu *g)
{
    uint8_t fwid[SIM_GPU_DIGEST];
    size_t seq = der_open(der, DER_SEQUENCE);

    sim_gpu_fwid(g, fwid);
    der_put_oid(der, "2.16.840.1.101.3.4.2.2");
    der_put(der, DER_OCTET_STRING, BYTES_ARRAY(fwid));
    der_close(der, seq);
}

/* Hopper and LS10: SEQUENCE {1, key of the identity, FWID}. */
static void device_id_put(struct buf *exts, const struct sim_gpu *g, const struct sim_gpu_device *d)
{
    struct buf der = buf_make(SIM_GPU_CERT_MAX);
    size_t seq = der_open(&der, DER_SEQUENCE);

    der_put_u64(&der, DER_INTEGER, 1);
    buf_put(&der, buf_bytes(&d->identity.spki));
    fwid_put(&der, g);
    der_close(&der, seq);
    ext_put(exts, "2.23.133.5.4.1", false, buf_bytes(&der));
    buf_done(&der);
}

/* Blackwell: DICE TcbInfo with implicit tags, of which [6] lists the FWID. */
static void tcb_info_put(struct buf *exts, const struct sim_gpu *g)
{
    struct buf der = buf_make(SIM_GPU_CERT_MAX);
    size_t seq = der_open(&der, DER_SEQUENCE);
    size_t list;

    der_put(&der, DER_CONTEXT | 0, BYTES_LIT("SIMULATED"));
    der_put(&der, DER_CONTEXT | 1, BYTES_LIT("GB100 A01 GSP"));
    der_put(&der, DER_CONTEXT | 3, BYTES_LIT("\x01"));
    list = der_open(&der, DER_CONTEXT_CONSTRUCTED | 6);
    fwid_put(&der, g);
    der_close(&der, list);
    der_close(&der, seq);
    ext_put(exts, "2.23.133.5.4.1.1", false, buf_bytes(&der));
    buf_done(&der);
}

/* subjectAltName: otherName of the DMTF device information. */
static void device_info_put(struct buf *exts, const struct sim_gpu_device *d)
{
    struct buf der = buf_make(SIM_GPU_CERT_MAX);
    size_t seq = der_open(&der, DER_SEQUENCE);
    size_t other = der_open(&der, DER_CONTEXT_CONSTRUCTED | 0);
    size_t value;
    char text[64];

    snprintf(text, sizeof(text), "SIMULATED:%s:%02X%02X%02X%02X", sim_gpu_chip(d->arch), d->pdi[4],
             d->pdi[5], d->pdi[6], d->pdi[7]);
    der_put_oid(&der, "1.3.6.1.4.1.412.274.1");
    value = der_open(&der, DER_CONTEXT_CONSTRUCTED | 0);
    der_put(&der, DER_UTF8_STRING, bytes_of(text));
    der_close(&der, value);
    der_close(&der, other);
    der_close(&der, seq);
    ext_put(exts, "2.5.29.17", false, buf_bytes(&der));
    buf_done(&der);
}

static void hex_upper(char *out, struct bytes in)
{
    for (size_t i = 0; i < in.len; i++)
        snprintf(out + 2 * i, 3, "%02X", in.ptr[i]);
}

static const char *cn_prefix(enum tacit_gpu_arch arch)
{
    return arch == TACIT_GPU_BLACKWELL ? "GB100 A01 GSP"
           : arch == TACIT_GPU_LS10    ? "LS_10 A01 FSP"
                                       : "GH100 A01 GSP";
}

static void entity_name(struct sim_gpu_entity *e, enum tacit_gpu_arch arch, const char *suffix)
{
    char serial[2 * SIM_GPU_SERIAL_MAX + 1], cn[64];

    hex_upper(serial, bytes_make(e->serial, e->serial_len));
    snprintf(cn, sizeof(cn), "%s %s", cn_prefix(arch), suffix);
    sim_gpu_name(&e->name, cn, serial);
}

static enum tacit_err identity_make(struct sim_gpu *g, struct sim_gpu_device *d, const char *label)
{
    struct sim_gpu_entity *e = &d->identity;
    struct cert_plan plan = {
        .is_ca = g->fault != SIM_GPU_BROM_NOT_CA,
        .has_constraints = true,
        .usage = g->fault == SIM_GPU_BROM_USAGE ? X509_USE_SIGNATURE : X509_USE_CERT_SIGN,
        .not_before_unix_s = not_before,
        .not_after_unix_s = g->fault == SIM_GPU_BROM_EXPIRED ? g->now_unix_s - day : not_after};
    enum tacit_err err = sim_gpu_ca_get(g, &plan.issuer, sim_gpu_device_ca(d->arch));

    if (err == TACIT_OK)
        err = entity_begin(e, g, SIGNKEY_P384, label);
    if (err != TACIT_OK)
        return err;
    e->serial[0] = d->arch == TACIT_GPU_LS10 ? SWITCH_SERIAL_FIRST : GPU_SERIAL_FIRST;
    memcpy(e->serial + 1, d->pdi, sizeof(d->pdi));
    e->serial_len = 1 + sizeof(d->pdi);
    entity_name(e, d->arch, d->arch == TACIT_GPU_LS10 ? "BROM" : "BROM");
    plan.signer = plan.issuer->key;
    return entity_certify(e, &plan);
}

static void leaf_plan(struct cert_plan *plan, struct buf *more, const struct sim_gpu *g,
                      const struct sim_gpu_device *d)
{
    *plan = (struct cert_plan){.issuer = &d->identity,
                               .signer = d->identity.key,
                               .usage = g->fault == SIM_GPU_LEAF_CERT_SIGN ? X509_USE_CERT_SIGN
                                                                           : X509_USE_SIGNATURE,
                               .not_before_unix_s = not_before,
                               .not_after_unix_s = not_after,
                               .more = more};
    if (g->fault == SIM_GPU_LEAF_EXPIRED)
        plan->not_after_unix_s = g->now_unix_s - day;
    if (g->fault == SIM_GPU_LEAF_FUTURE)
        plan->not_before_unix_s = g->now_unix_s + day;
    device_info_put(more, d);
    if (g->fault == SIM_GPU_LEAF_CRITICAL)
        ext_put(more, "1.3.6.1.4.1.55555.1", true, BYTES_LIT("\x05\x00"));
    if (g->fault == SIM_GPU_LEAF_NO_FWID)
        return;
    if (d->arch == TACIT_GPU_BLACKWELL)
        tcb_info_put(more, g);
    else
        device_id_put(more, g, d);
}

static enum tacit_err leaf_make(struct sim_gpu *g, struct sim_gpu_device *d, const char *label)
{
    struct sim_gpu_entity *e = &d->leaf;
    struct buf more = buf_make(SIM_GPU_CERT_MAX);
    struct signkey *rogue = NULL;
    struct cert_plan plan;
    enum tacit_err err =
        entity_begin(e, g, g->fault == SIM_GPU_LEAF_P256 ? SIGNKEY_P256 : SIGNKEY_P384, label);

    if (err == TACIT_OK)
        err = signkey_from_seed(&rogue, SIGNKEY_P384, g->seed, SIM_GPU_ROGUE "identity");
    if (err == TACIT_OK) {
        e->serial_len = LEAF_SERIAL_LEN;
        sim_gpu_derive(g, e->serial, e->serial_len, label);
        e->serial[0] = (uint8_t)((e->serial[0] & SERIAL_TOP_MASK) | SERIAL_TOP);
        entity_name(e,
                    g->fault == SIM_GPU_CHIP_MIXED && d->arch == TACIT_GPU_HOPPER
                        ? TACIT_GPU_BLACKWELL
                        : d->arch,
                    "FMC LF");
        leaf_plan(&plan, &more, g, d);
        if (g->fault == SIM_GPU_LEAF_FOREIGN)
            plan.signer = rogue;
        err = entity_certify(e, &plan);
    }
    signkey_free(rogue);
    buf_done(&more);
    return err;
}

enum tacit_err sim_gpu_device_make(struct sim_gpu *g, struct sim_gpu_device *d)
{
    const char *kind = d->arch == TACIT_GPU_LS10 ? "switch" : "gpu";
    char label[LABEL_MAX];
    enum tacit_err err;

    if (d->leaf.is_made)
        return TACIT_OK;
    sim_gpu_entity_done(&d->identity);
    sim_gpu_entity_done(&d->leaf);
    snprintf(label, sizeof(label), "%s %u identity", kind, d->index);
    err = identity_make(g, d, label);
    snprintf(label, sizeof(label), "%s %u leaf", kind, d->index);
    if (err == TACIT_OK)
        err = leaf_make(g, d, label);
    return err;
}

void sim_gpu_pem(struct buf *pem, const struct sim_gpu_entity *e)
{
    pem_put(pem, "CERTIFICATE", buf_bytes(&e->cert));
}
