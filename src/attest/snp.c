/* Verification of SEV-SNP reports in the order of tdx.md 6.2. Invariant: the anchor is the caller's
 * root or one of AMD's by whole DER; certificates that come along are only links. */
#include "attest/snp.h"

#include "attest/snp_priv.h"
#include "base/limits.h"
#include "crypto/sha2.h"

enum {
    CHAIN_MAX = 2,
    SIG_ALGO_P384 = 1,
    SIG_HALF = 72,
    P384_LEN = 48,
    /* a SubjectPublicKeyInfo with a modulus of 4096 bits has 550 octets */
    RSA4096_SPKI_MIN = 540,
};

/* SHA-256 of the DER of AMD's root keys; the same head VCEK and VLEK chains. */
static const uint8_t amd_roots[][32] = {
    {0x69, 0xd0, 0x63, 0xb4, 0x53, 0x44, 0xd2, 0x6a, 0x2e, 0x94, 0xe1,
     0xf4, 0x21, 0x0d, 0xe4, 0x9e, 0xf5, 0x55, 0x30, 0x82, 0x87, 0xd4,
     0xc1, 0x74, 0x44, 0x5c, 0x95, 0x63, 0x9a, 0x54, 0x0b, 0xcd},
    {0x4c, 0x65, 0x98, 0xd1, 0x9c, 0x18, 0x71, 0x9c, 0x5d, 0xfd, 0x4a,
     0x7d, 0x33, 0x5f, 0x67, 0x4e, 0x5b, 0xfe, 0x1d, 0x8f, 0x80, 0x0c,
     0xea, 0x2c, 0xf2, 0x70, 0xc1, 0x0d, 0x10, 0x3d, 0xb2, 0xf1},
    {0x1f, 0x08, 0x41, 0x61, 0xa4, 0x4b, 0xb6, 0xd9, 0x37, 0x78, 0xa9,
     0x04, 0x87, 0x7d, 0x48, 0x19, 0xca, 0xfa, 0x5d, 0x05, 0xef, 0x41,
     0x93, 0xb2, 0xde, 0xd9, 0xdd, 0x9c, 0x73, 0xdd, 0x3f, 0x6a},
};

struct run {
    const struct tacit_snp_input *in;
    struct row_scope scope;
    struct arena arena;
    struct tacit_snp_result found;
    struct x509_cert chain[CHAIN_MAX]; /* ASK, and maybe ARK */
    size_t chain_count;
    struct x509_cert ark, leaf;
    struct snp_cert_ext ext;
    struct pubkey *ark_key, *ask_key, *leaf_key;
    bool is_out_of_memory;
};

static bool is_amd_root(struct bytes der)
{
    uint8_t digest[32];

    sha256(digest, der);
    for (size_t i = 0; i < ARRAY_LEN(amd_roots); i++)
        if (bytes_eq(BYTES_ARRAY(digest), bytes_make(amd_roots[i], 32)))
            return true;
    return false;
}

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

static bool report_check(struct run *r)
{
    static const char id[] = "snp.report.parse";
    struct tacit_snp_report *q = &r->found.report;
    unsigned key;

    if (tacit_snp_parse(q, r->in->report) != TACIT_OK)
        return fail(r, id, TACIT_CAUSE_UNPARSABLE,
                    "the report has not 1184 octets or no version from 2 to 5");
    if (q->sig_algo != SIG_ALGO_P384)
        return fail(r, id, TACIT_CAUSE_UNPARSABLE,
                    "the signature algorithm is not ECDSA P-384 with SHA-384");
    key = q->key_flags >> 2 & 7;
    if (key != TACIT_SNP_VCEK && key != TACIT_SNP_VLEK)
        return fail(r, id, TACIT_CAUSE_UNPARSABLE, "the report is signed by neither VCEK nor VLEK");
    r->found.key = key == TACIT_SNP_VLEK ? TACIT_SNP_VLEK : TACIT_SNP_VCEK;
    return pass(r, id);
}

static bool certs_read(struct run *r)
{
    static const char id[] = "snp.certificates";
    enum tacit_err err =
        x509_parse_pem(r->chain, CHAIN_MAX, &r->chain_count, r->in->chain_pem, &r->arena);

    r->is_out_of_memory |= err == TACIT_NOMEM;
    if (err != TACIT_OK)
        return fail(r, id, TACIT_CAUSE_UNPARSABLE, "the chain is not ASK and ARK in PEM");
    if (x509_parse(&r->leaf, r->in->leaf_der) != TACIT_OK)
        return fail(r, id, TACIT_CAUSE_UNPARSABLE, "the leaf certificate cannot be read");
    return pass(r, id);
}

static bool root_check(struct run *r)
{
    static const char id[] = "snp.root";
    bool has_ark = r->chain_count == CHAIN_MAX;

    if (r->in->root_der.len != 0) {
        if (has_ark && !bytes_eq(r->chain[1].der, r->in->root_der))
            return fail(r, id, TACIT_CAUSE_UNTRUSTED, "the chain's root is not the trusted one");
    } else {
        if (!has_ark || !is_amd_root(r->chain[1].der))
            return fail(r, id, TACIT_CAUSE_UNTRUSTED, "the chain's root is none of AMD's");
        r->ark = r->chain[1];
    }
    return pass(r, id);
}

/* As RFC 5280 has it, a CA without keyUsage may sign certificates; AMD's own have it. */
static bool may_issue(const struct x509_cert *ca, const struct x509_cert *cert, int32_t below)
{
    return bytes_eq(ca->subject, cert->issuer) && ca->is_ca &&
           (!ca->has_usage || (ca->usage & X509_USE_CERT_SIGN) != 0) &&
           (ca->pathlen == X509_NO_PATHLEN || ca->pathlen >= below) && !ca->has_unknown_critical;
}

static bool link_check(struct run *r, const struct x509_cert *ca, const struct pubkey *key,
                       const struct x509_cert *cert, int32_t below, const char *reason)
{
    enum tacit_err err = TACIT_UNSUPPORTED;

    if (cert->sig_alg == SIG_RSA_PSS_SHA384 && ca->spki.len >= RSA4096_SPKI_MIN &&
        may_issue(ca, cert, below))
        err = x509_verify(cert, key);
    r->is_out_of_memory |= err == TACIT_NOMEM;
    if (err == TACIT_OK && cert->has_unknown_critical)
        err = TACIT_UNSUPPORTED;
    return err == TACIT_OK ||
           fail(r, "snp.chain", err == TACIT_SIGNATURE ? TACIT_CAUSE_FORGED : TACIT_CAUSE_UNTRUSTED,
                reason);
}

static bool keys_open(struct run *r)
{
    return x509_key(&r->ark_key, &r->ark, NULL) == TACIT_OK &&
           x509_key(&r->ask_key, &r->chain[0], NULL) == TACIT_OK &&
           x509_key(&r->leaf_key, &r->leaf, NULL) == TACIT_OK;
}

static bool chain_check(struct run *r)
{
    if (!keys_open(r))
        return fail(r, "snp.chain", TACIT_CAUSE_UNPARSABLE, "a certificate's key cannot be read");
    if (!link_check(r, &r->ark, r->ark_key, &r->chain[0], 1,
                    "the ASK is not issued by the ARK with RSA-PSS SHA-384") ||
        !link_check(r, &r->chain[0], r->ask_key, &r->leaf, 0,
                    "the leaf is not issued by the ASK with RSA-PSS SHA-384"))
        return false;
    return pass(r, "snp.chain");
}

static bool validity_check(struct run *r)
{
    const struct x509_cert *certs[] = {&r->leaf, &r->chain[0], &r->ark};

    r->found.expires_unix_s = INT64_MAX;
    for (size_t i = 0; i < ARRAY_LEN(certs); i++) {
        if (!x509_valid_at(certs[i], r->in->now_unix_s))
            return fail(r, "snp.validity", TACIT_CAUSE_OUT_OF_DATE,
                        certs[i]->not_before_unix_s > r->in->now_unix_s
                            ? "a certificate is not valid yet"
                            : "a certificate has expired");
        if (certs[i]->not_after_unix_s < r->found.expires_unix_s)
            r->found.expires_unix_s = certs[i]->not_after_unix_s;
    }
    return pass(r, "snp.validity");
}

/* AMD's roots lack cRLSign, so names and signature are compared here. */
static bool crl_verify(struct run *r, struct x509_crl *crl)
{
    return x509_crl_parse(crl, r->in->crl_der) == TACIT_OK &&
           bytes_eq(crl->issuer, r->ark.subject) && crl->sig_alg == SIG_RSA_PSS_SHA384 &&
           pubkey_verify(r->ark_key, crl->sig_alg, crl->sig, crl->tbs) == TACIT_OK;
}

static bool crl_check(struct run *r)
{
    static const char id[] = "snp.crl";
    struct x509_crl crl;

    if (r->in->crl_der.len == 0) {
        struct row_scope scope = r->scope;

        scope.is_optional = !r->in->is_crl_required;
        row_not_run(&scope, id, TACIT_CAUSE_UNOBTAINABLE, "no revocation list was given");
        return !r->in->is_crl_required;
    }
    if (!crl_verify(r, &crl))
        return fail(r, id, TACIT_CAUSE_FORGED, "the revocation list is not the ARK's");
    if (!x509_crl_valid_at(&crl, r->in->now_unix_s))
        return fail(r, id, TACIT_CAUSE_OUT_OF_DATE, "the revocation list is not current");
    if (x509_crl_lists(&crl, r->chain[0].serial))
        return fail(r, id, TACIT_CAUSE_REVOKED, "the ASK is revoked");
    if (crl.next_update_unix_s < r->found.expires_unix_s)
        r->found.expires_unix_s = crl.next_update_unix_s;
    return pass(r, id);
}

static bool leaf_check(struct run *r)
{
    bool is_vlek = r->found.key == TACIT_SNP_VLEK;

    if (!bytes_eq_cstr(r->leaf.subject_cn, is_vlek ? "SEV-VLEK" : "SEV-VCEK") ||
        bytes_starts_with(r->chain[0].subject_cn, BYTES_LIT("SEV-VLEK-")) != is_vlek)
        return fail(r, "snp.leaf.kind", TACIT_CAUSE_MISMATCH,
                    "the report names another kind of signing key than the certificate");
    pass(r, "snp.leaf.kind");
    if (pubkey_kind(r->leaf_key) != PUBKEY_P384 ||
        snp_cert_ext_read(&r->ext, &r->leaf, r->found.key) != TACIT_OK)
        return fail(r, "snp.leaf.extensions", TACIT_CAUSE_UNPARSABLE,
                    "the leaf's key is not P-384, or an AMD extension is missing or malformed");
    return pass(r, "snp.leaf.extensions");
}

static bool product_check(struct run *r)
{
    enum tacit_snp_product product = r->ext.product;
    const struct tacit_snp_report *q = &r->found.report;

    if (snp_product_of_name(r->chain[0].subject_cn) != product ||
        snp_product_of_name(r->ark.subject_cn) != product)
        return fail(r, "snp.product", TACIT_CAUSE_MISMATCH,
                    "the certificates are of different products");
    if (q->version >= 3 && snp_product_of_cpuid(q->cpuid_family, q->cpuid_model) != product)
        return fail(r, "snp.product", TACIT_CAUSE_MISMATCH,
                    "the report's processor is not of the certificates' product");
    r->found.product = product;
    return pass(r, "snp.product");
}

static bool tcb_check(struct run *r)
{
    struct tacit_snp_tcb have = tacit_snp_tcb_of(r->found.report.reported_tcb, r->ext.product);
    struct tacit_snp_tcb cert = r->ext.tcb;

    if (r->ext.product != TACIT_SNP_TURIN)
        cert.fmc = 0;
    if (have.fmc != cert.fmc || have.boot_loader != cert.boot_loader || have.tee != cert.tee ||
        have.snp != cert.snp || have.microcode != cert.microcode)
        return fail(r, "snp.tcb", TACIT_CAUSE_MISMATCH,
                    "REPORTED_TCB is not the TCB that the leaf certifies");
    r->found.reported = have;
    return pass(r, "snp.tcb");
}

/* VLEK certificates name no chip; nor does a masked id, which must be allowed. */
static bool chip_check(struct run *r)
{
    struct bytes chip = r->found.report.chip_id;
    size_t len = r->ext.product == TACIT_SNP_TURIN ? 8 : 64;

    if (r->found.key == TACIT_SNP_VLEK)
        return pass(r, "snp.chip_id");
    if (bytes_is_zero(chip) && (r->found.report.key_flags & 2) != 0) {
        r->found.is_chip_id_masked = true;
        if (r->in->policy == NULL || !r->in->policy->allow_masked_chip_id)
            return fail(r, "snp.chip_id", TACIT_CAUSE_POLICY, "the chip's identity is masked");
        return pass(r, "snp.chip_id");
    }
    if (!bytes_eq(r->ext.hwid, bytes_slice(chip, 0, len)) ||
        !bytes_is_zero(bytes_slice(chip, len, SIZE_MAX)))
        return fail(r, "snp.chip_id", TACIT_CAUSE_MISMATCH,
                    "CHIP_ID is not the chip that the leaf certifies");
    return pass(r, "snp.chip_id");
}

/* Little-endian with zeros above the curve's length, to big-endian. */
static bool half_convert(uint8_t out[static P384_LEN], struct bytes half)
{
    for (size_t i = 0; i < P384_LEN; i++)
        out[i] = half.ptr[P384_LEN - 1 - i];
    return bytes_is_zero(bytes_slice(half, P384_LEN, SIG_HALF - P384_LEN));
}

static bool signature_check(struct run *r)
{
    const struct tacit_snp_report *q = &r->found.report;
    uint8_t sig[2 * P384_LEN];
    bool is_r_clean = half_convert(sig, q->sig_r);
    bool is_s_clean = half_convert(sig + P384_LEN, q->sig_s);
    bool is_clean = is_r_clean && is_s_clean;
    enum tacit_err err = TACIT_SIGNATURE;

    if (is_clean && bytes_is_zero(q->sig_rest))
        err = pubkey_verify_raw(r->leaf_key, BYTES_ARRAY(sig), q->signed_part);
    r->is_out_of_memory |= err == TACIT_NOMEM;
    if (err != TACIT_OK)
        return fail(r, "snp.signature", TACIT_CAUSE_FORGED,
                    "the report's signature does not verify");
    return pass(r, "snp.signature");
}

struct step {
    const char *id; /* row for the case that an earlier step failed */
    bool (*check)(struct run *r);
};

static const struct step steps[] = {
    {"snp.report.parse", report_check},
    {"snp.certificates", certs_read},
    {"snp.root", root_check},
    {"snp.chain", chain_check},
    {"snp.validity", validity_check},
    {"snp.crl", crl_check},
    {"snp.leaf.extensions", leaf_check},
    {"snp.product", product_check},
    {"snp.tcb", tcb_check},
    {"snp.chip_id", chip_check},
    {"snp.signature", signature_check},
};

static void steps_run(struct run *r)
{
    bool ok = true;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (ok)
            ok = steps[i].check(r);
        else
            row_not_run(&r->scope, steps[i].id, TACIT_CAUSE_UNOBTAINABLE,
                        "an earlier check failed");
    }
    r->found.is_genuine = ok && !r->is_out_of_memory;
}

static void appraise(struct run *r)
{
    if (!r->found.is_genuine)
        return;
    r->scope.authority = "policy";
    if (r->in->policy != NULL)
        snp_policy_rows(&r->scope, &r->found, r->in->policy);
    r->scope.authority = "caller";
    snp_report_data_row(&r->scope, &r->found.report, r->in->report_data);
}

static bool root_open(struct run *r)
{
    bool is_amd = r->in->root_der.len == 0 || is_amd_root(r->in->root_der);

    r->found.is_simulated = !is_amd;
    r->scope.authority = is_amd ? "AMD root key (ARK)" : "SIMULATED root";
    r->scope.v->is_simulated |= !is_amd;
    return r->in->root_der.len == 0 || x509_parse(&r->ark, r->in->root_der) == TACIT_OK;
}

static enum tacit_err finish(struct run *r, struct tacit_snp_result *out)
{
    if (r->found.is_genuine)
        *out = r->found;
    pubkey_free(r->ark_key);
    pubkey_free(r->ask_key);
    pubkey_free(r->leaf_key);
    arena_done(&r->arena);
    if (!r->is_out_of_memory)
        return TACIT_OK;
    row_not_run(&r->scope, "snp.memory", TACIT_CAUSE_UNOBTAINABLE, "memory ran out");
    return TACIT_NOMEM;
}

enum tacit_err tacit_snp_verify(struct tacit_verdict *v, struct tacit_snp_result *out,
                                const struct tacit_snp_input *in)
{
    struct run r = {.in = in,
                    .scope = {v, in->subject == NULL ? "report" : in->subject, NULL, false},
                    .arena = arena_make(LIMIT_PEM_BYTES)};

    *out = (struct tacit_snp_result){0};
    if (!root_open(&r)) {
        row_not_run(&r.scope, "snp.root", TACIT_CAUSE_UNPARSABLE,
                    "the trusted root is no certificate");
        return TACIT_USAGE;
    }
    steps_run(&r);
    appraise(&r);
    return finish(&r, out);
}
