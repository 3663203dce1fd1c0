/* Device chains. Invariant: nothing of a chain is believed before gpu_path_verify held for it, and
 * only the very root that was pinned ends a path, whatever certificates call themselves. */
#include "attest/gpu_chain.h"

#include <stdio.h>

#include "crypto/sha2.h"

/* NVIDIA Device Identity CA and NVIDIA CoRIM signing Root CA (spec: gpu.md 2.1, 3.3). */
static const uint8_t device_root_sha256[32] = {
    0x10, 0x2b, 0xf6, 0x59, 0xd5, 0x41, 0x96, 0x14, 0xc9, 0xd8, 0xe6, 0xae, 0xce, 0xbc, 0x80, 0x45,
    0x4e, 0xb2, 0x6b, 0x1d, 0xf6, 0xa7, 0x69, 0xac, 0x72, 0x0b, 0x9a, 0x69, 0x0b, 0x16, 0x7b, 0x48,
};
static const uint8_t rim_root_sha256[32] = {
    0x12, 0x97, 0x7b, 0x51, 0x15, 0xac, 0xb0, 0x38, 0x11, 0x79, 0x27, 0x9f, 0xff, 0xeb, 0x5a, 0x8c,
    0x4d, 0x26, 0x49, 0x71, 0xeb, 0xb3, 0x22, 0x98, 0x02, 0x3a, 0x46, 0x5f, 0xa4, 0x1d, 0xf5, 0xd1,
};

/* 2.23.133.5.4.1 (composite device id of Hopper and LS10), 2.23.133.5.4.1.1 (DICE TcbInfo) and
 * 2.16.840.1.101.3.4.2.2 (SHA-384), as DER content. */
static const uint8_t oid_device_id[] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x01};
static const uint8_t oid_tcb_info[] = {0x67, 0x81, 0x05, 0x05, 0x04, 0x01, 0x01};
static const uint8_t oid_sha384[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};

enum { TCB_INFO_FWIDS = DER_CONTEXT_CONSTRUCTED | 6 };

static enum tacit_err root_der(struct bytes *der, struct bytes given, struct arena *arena)
{
    struct x509_cert cert;
    size_t count;

    if (given.len > 0 && given.ptr[0] == DER_SEQUENCE) {
        *der = given;
        return x509_parse(&cert, given);
    }
    if (x509_parse_pem(&cert, 1, &count, given, arena) != TACIT_OK || count != 1)
        return TACIT_USAGE;
    *der = cert.der;
    return TACIT_OK;
}

enum tacit_err gpu_root_set(struct gpu_root *out, struct bytes given, bool is_rim)
{
    const uint8_t *pin = is_rim ? rim_root_sha256 : device_root_sha256;
    struct arena arena = arena_make(LIMIT_RIM_BYTES);
    enum tacit_err err = TACIT_OK;
    struct bytes der;

    *out = (struct gpu_root){.authority = is_rim ? "NVIDIA CoRIM signing Root CA"
                                                 : "NVIDIA Device Identity CA"};
    memcpy(out->sha256, pin, sizeof(out->sha256));
    if (given.len > 0) {
        err = root_der(&der, given, &arena) == TACIT_OK ? TACIT_OK : TACIT_USAGE;
        if (err == TACIT_OK)
            sha256(out->sha256, der);
        out->is_simulated = memcmp(out->sha256, pin, sizeof(out->sha256)) != 0;
        if (out->is_simulated)
            out->authority = "SIMULATED root named by the caller";
    }
    arena_done(&arena);
    return err;
}

static enum tacit_gpu_arch chip_arch(struct bytes cn)
{
    if (bytes_starts_with(cn, BYTES_LIT("GH100 ")))
        return TACIT_GPU_HOPPER;
    if (bytes_starts_with(cn, BYTES_LIT("GB100 ")))
        return TACIT_GPU_BLACKWELL;
    if (bytes_starts_with(cn, BYTES_LIT("LS_10 ")))
        return TACIT_GPU_LS10;
    return TACIT_GPU_ARCH_UNKNOWN;
}

/* SEQUENCE { OID sha384, OCTET STRING(48) } */
static bool fwid_read(struct bytes *out, struct der *d)
{
    struct der fwid = der_enter(d, DER_SEQUENCE);
    struct bytes oid = der_oid(&fwid);

    *out = der_read(&fwid, DER_OCTET_STRING);
    return der_finished(&fwid) && bytes_eq(oid, BYTES_ARRAY(oid_sha384)) &&
           out->len == GPU_DIGEST_LEN;
}

/* SEQUENCE { INTEGER 1, key of the identity certificate, FWID } */
static bool device_id_read(struct bytes *out, struct bytes ext, struct bytes identity_spki)
{
    struct der d = der_over(ext);
    struct der seq = der_enter(&d, DER_SEQUENCE);
    uint64_t version = der_u64(&seq, DER_INTEGER, 1);
    struct bytes spki = der_whole(&seq, DER_SEQUENCE);

    return fwid_read(out, &seq) && der_finished(&seq) && der_finished(&d) && version == 1 &&
           bytes_eq(spki, identity_spki);
}

/* SEQUENCE { [0]…[9] implicit }, of which [6] lists FWIDs; the first counts. */
static bool tcb_info_read(struct bytes *out, struct bytes ext)
{
    struct der d = der_over(ext);
    struct der seq = der_enter(&d, DER_SEQUENCE);
    bool is_found = false;

    while (der_ok(&seq) && seq.rest.len > 0) {
        uint8_t tag;
        struct bytes content = der_any(&seq, &tag, NULL);
        struct der list = der_over(content);

        if (tag != TCB_INFO_FWIDS)
            continue;
        if (is_found || !fwid_read(out, &list))
            return false;
        is_found = true;
    }
    return is_found && der_finished(&seq) && der_finished(&d);
}

static const char *fwid_find(struct gpu_chain *c)
{
    struct bytes id, tcb;
    bool critical;
    bool has_id = x509_ext(&c->certs[0], BYTES_ARRAY(oid_device_id), &id, &critical);
    bool has_tcb = x509_ext(&c->certs[0], BYTES_ARRAY(oid_tcb_info), &tcb, &critical);

    if (has_id && has_tcb)
        return "the attestation key's certificate states its firmware id in two forms";
    if (has_id && !device_id_read(&c->fwid, id, c->certs[1].spki))
        return "the device id extension is malformed or names another identity key";
    if (has_tcb && !tcb_info_read(&c->fwid, tcb))
        return "the TcbInfo extension is malformed";
    return NULL;
}

static void chain_describe(struct gpu_chain *c)
{
    struct bytes serial = c->certs[1].serial;

    c->has_pdi = serial.len >= GPU_PDI_LEN;
    if (c->has_pdi)
        memcpy(c->pdi, serial.ptr + serial.len - GPU_PDI_LEN, GPU_PDI_LEN);
    c->arch = chip_arch(c->certs[0].subject_cn);
    if (c->arch != chip_arch(c->certs[1].subject_cn))
        c->arch = TACIT_GPU_ARCH_UNKNOWN;
    c->expires_unix_s = c->certs[0].not_after_unix_s;
    for (size_t i = 1; i < GPU_CHAIN_LEN; i++)
        if (c->certs[i].not_after_unix_s < c->expires_unix_s)
            c->expires_unix_s = c->certs[i].not_after_unix_s;
}

enum tacit_err gpu_chain_parse(struct gpu_chain *out, const char **why, struct bytes pem,
                               struct arena *arena)
{
    size_t count;
    enum tacit_err err;

    *out = (struct gpu_chain){0};
    err = x509_parse_pem(out->certs, GPU_CHAIN_LEN, &count, pem, arena);
    *why = NULL;
    if (err != TACIT_OK)
        *why = err == TACIT_LIMIT ? "there are more than five certificates"
                                  : "it is no PEM text of certificates";
    else if (count != GPU_CHAIN_LEN)
        *why = "there are fewer than five certificates";
    if (*why != NULL) {
        *out = (struct gpu_chain){0};
        return err != TACIT_OK ? err : TACIT_FORMAT;
    }
    out->fwid_fault = fwid_find(out);
    if (out->fwid_fault != NULL)
        out->fwid = (struct bytes){NULL, 0}; /* what was read before the fault is no firmware id */
    chain_describe(out);
    return TACIT_OK;
}

void gpu_links_done(struct gpu_links *links)
{
    pubkey_free(links->like);
    *links = (struct gpu_links){0};
}

enum tacit_err gpu_key_get(struct pubkey **out, const struct x509_cert *cert,
                           struct gpu_links *links)
{
    enum tacit_err err = x509_key(out, cert, links->like);

    if (err == TACIT_OK && pubkey_kind(*out) != PUBKEY_P384) {
        pubkey_free(*out);
        *out = NULL;
        err = TACIT_UNSUPPORTED;
    }
    if (err == TACIT_OK && links->like == NULL)
        links->like = pubkey_ref(*out);
    return err;
}

static bool link_known(const struct gpu_links *links, uint8_t pair[2][32])
{
    for (size_t i = 0; i < links->count; i++)
        if (memcmp(links->pair[i], pair, sizeof(links->pair[i])) == 0)
            return true;
    return false;
}

static enum tacit_err link_verify(const struct x509_cert *cert, const struct x509_cert *issuer,
                                  unsigned below, struct gpu_links *links)
{
    uint8_t pair[2][32];
    struct pubkey *key = NULL;
    enum tacit_err err = x509_may_issue(issuer, cert, below);

    if (err != TACIT_OK)
        return err;
    sha256(pair[0], cert->der);
    sha256(pair[1], issuer->der);
    if (link_known(links, pair))
        return TACIT_OK;
    err = gpu_key_get(&key, issuer, links);
    if (err == TACIT_OK)
        err = x509_verify(cert, key);
    if (err == TACIT_OK && links->count < GPU_LINKS_MAX)
        memcpy(links->pair[links->count++], pair, sizeof(pair));
    pubkey_free(key);
    return err;
}

static const char *link_fault(enum tacit_row_cause *cause, enum tacit_err err)
{
    *cause = TACIT_CAUSE_UNTRUSTED;
    switch (err) {
    case TACIT_MISMATCH:
        return "a certificate does not name the next one as its issuer";
    case TACIT_UNTRUSTED:
        return "an issuing certificate has no right to issue";
    case TACIT_NOMEM:
        *cause = TACIT_CAUSE_UNOBTAINABLE;
        return "out of memory";
    default:
        *cause = TACIT_CAUSE_FORGED;
        return "a certificate's signature does not verify with the next one's P-384 key";
    }
}

const char *gpu_path_verify(enum tacit_row_cause *cause, const struct x509_cert *certs,
                            size_t count, const struct gpu_root *root, struct gpu_links *links)
{
    uint8_t digest[32];

    *cause = TACIT_CAUSE_UNTRUSTED;
    for (size_t i = 0; i < count; i++)
        if (certs[i].sig_alg != SIG_ECDSA_SHA384)
            return "a certificate is signed by another algorithm than ECDSA with SHA-384";
    sha256(digest, certs[count - 1].der);
    if (memcmp(digest, root->sha256, sizeof(digest)) != 0)
        return "the chain does not end in the trusted root";
    for (size_t i = 0; i + 1 < count; i++) {
        enum tacit_err err = link_verify(&certs[i], &certs[i + 1], (unsigned)i, links);

        if (err != TACIT_OK)
            return link_fault(cause, err);
    }
    *cause = TACIT_CAUSE_NONE;
    return NULL;
}

/* SubjectPublicKeyInfo of an uncompressed point on P-384, up to the point. Whether it lies on the
 * curve shows when the key is used. */
static bool spki_is_p384(struct bytes spki)
{
    static const uint8_t head[] = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
                                   0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
                                   0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04};

    return spki.len == sizeof(head) + P384_POINT_LEN && bytes_starts_with(spki, BYTES_ARRAY(head));
}

const char *gpu_signer_check(const struct x509_cert *leaf)
{
    if (!spki_is_p384(leaf->spki))
        return "the signing key is not on P-384";
    if (leaf->has_unknown_critical)
        return "the signing certificate has a critical extension that we do not know";
    if (!leaf->has_usage || (leaf->usage & X509_USE_SIGNATURE) == 0)
        return "the signing certificate is not meant for signing data";
    if (leaf->is_ca || (leaf->usage & X509_USE_CERT_SIGN) != 0)
        return "the signing certificate is that of an authority";
    return NULL;
}

static bool validity_row(const struct row_scope *s, const struct gpu_chain *c, int64_t now)
{
    for (size_t i = 0; i < GPU_CHAIN_LEN; i++) {
        if (x509_valid_at(&c->certs[i], now))
            continue;
        row_fail(s, "gpu.chain.validity", TACIT_CAUSE_OUT_OF_DATE,
                 "certificate %zu is %s at the time of judgement", i,
                 now < c->certs[i].not_before_unix_s ? "not yet valid" : "expired");
        return false;
    }
    row_pass(s, "gpu.chain.validity");
    return true;
}

static bool sentence_row(const struct row_scope *s, const char *id, enum tacit_row_cause cause,
                         const char *why)
{
    if (why == NULL)
        row_pass(s, id);
    else
        row_fail(s, id, cause, "%s", why);
    return why == NULL;
}

bool gpu_chain_rows(const struct row_scope *s, const struct gpu_chain *chain,
                    const struct gpu_root *root, int64_t now_unix_s, struct gpu_links *links)
{
    enum tacit_row_cause cause;
    const char *why = gpu_path_verify(&cause, chain->certs, GPU_CHAIN_LEN, root, links);
    bool ok = sentence_row(s, "gpu.chain.trust", cause, why);

    ok &= validity_row(s, chain, now_unix_s);
    ok &= sentence_row(s, "gpu.chain.usage", TACIT_CAUSE_UNTRUSTED,
                       gpu_signer_check(&chain->certs[0]));
    ok &= sentence_row(s, "gpu.chain.chip", TACIT_CAUSE_MISMATCH,
                       chain->arch != TACIT_GPU_ARCH_UNKNOWN
                           ? NULL
                           : "attestation key and identity do not name one chip that we know");
    if (chain->fwid_fault != NULL)
        ok = sentence_row(s, "gpu.chain.fwid", TACIT_CAUSE_MISMATCH, chain->fwid_fault);
    return ok;
}

bool gpu_fwid_row(const struct row_scope *s, const struct gpu_chain *chain,
                  const struct gpu_report *report, bool is_required)
{
    static const char id[] = "gpu.chain.fwid";
    struct bytes tlv = gpu_report_tlv(report, GPU_TLV_FWID);
    struct row_scope optional = *s;

    if (tlv.ptr == NULL && is_required && report->arch != TACIT_GPU_LS10) {
        row_fail(s, id, TACIT_CAUSE_POLICY, "the report carries no firmware id, policy wants one");
        return false;
    }
    if (tlv.ptr == NULL) {
        optional.is_optional = true;
        row_not_run(&optional, id, TACIT_CAUSE_UNOBTAINABLE,
                    "reports of this driver or device carry no firmware id");
        return true;
    }
    if (chain->fwid.len == 0) {
        row_fail(s, id, TACIT_CAUSE_MISMATCH,
                 "the attestation key's certificate has no firmware id");
        return false;
    }
    if (!bytes_eq(tlv, chain->fwid)) {
        row_fail(s, id, TACIT_CAUSE_MISMATCH,
                 "the firmware id in the report is not the one that the key was issued for");
        return false;
    }
    row_pass(s, id);
    return true;
}

void gpu_serial_decimal(char out[static TACIT_GPU_TEXT_MAX], struct bytes serial)
{
    uint8_t rest[24];
    char digits[TACIT_GPU_TEXT_MAX];
    size_t count = 0;

    out[0] = 0;
    if (serial.len == 0 || serial.len > sizeof(rest))
        return;
    memcpy(rest, serial.ptr, serial.len);
    while (!bytes_is_zero(bytes_make(rest, serial.len))) {
        unsigned carry = 0;

        for (size_t i = 0; i < serial.len; i++) {
            carry = carry * 256 + rest[i];
            rest[i] = (uint8_t)(carry / 10);
            carry %= 10;
        }
        digits[count++] = (char)('0' + carry); /* 24 octets have at most 58 digits */
    }
    for (size_t i = 0; i < count; i++)
        out[i] = digits[count - 1 - i];
    out[count] = 0;
}
