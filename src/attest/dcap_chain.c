/* The platform's certificate chain and both CRLs (tdx.md 2.3, 2.4). Invariant: no key signs
 * anything here unless its certificate leads to the pinned root by signature, name and right. */
#include "attest/dcap_priv.h"

#include "base/utc.h"

enum { CHAIN_LEAF = 0, CHAIN_CA = 1, CHAIN_ROOT = 2 };

struct bytes run_chain_pem(const struct dcap_run *run)
{
    struct bytes own = run->base->col.pck_certificate_chain;

    return own.len > 0 ? own : run->quote.cert_data;
}

struct bytes run_auth_tail(const struct dcap_run *run)
{
    return bytes_slice(run->quote.auth, P256_SIG_LEN, run->quote.auth.len);
}

static bool cn_is(const struct x509_cert *c, const char *cn)
{
    return bytes_eq_cstr(c->subject_cn, cn);
}

/* A leaf may sign, is no CA, and has no extension that we would have to know. */
static bool is_end_entity(const struct x509_cert *c)
{
    return c->has_constraints && !c->is_ca && c->has_usage && (c->usage & X509_USE_SIGNATURE) &&
           !c->has_unknown_critical && c->sig_alg == SIG_ECDSA_SHA256;
}

/* Names, rights and algorithms, without signatures. NULL, or what is wrong. */
static const char *chain_shape(struct dcap_run *run)
{
    struct dcap_platform *p = run->platform;
    const struct x509_cert *leaf = &p->chain[CHAIN_LEAF];
    const struct x509_cert *ca = &p->chain[CHAIN_CA];

    if (!cn_is(leaf, "Intel SGX PCK Certificate"))
        return "the first certificate is not an Intel SGX PCK Certificate";
    if (!is_end_entity(leaf))
        return "the PCK certificate is not an end entity's";
    if (!cn_is(ca, "Intel SGX PCK Platform CA") && !cn_is(ca, "Intel SGX PCK Processor CA"))
        return "the second certificate is neither the Platform CA nor the Processor CA";
    if (ca->sig_alg != SIG_ECDSA_SHA256)
        return "the PCK CA certificate is not signed with ECDSA and SHA-256";
    if (x509_may_issue(ca, leaf, 0) != TACIT_OK)
        return "the second certificate may not have issued the first";
    return NULL;
}

static bool chain_read(struct dcap_run *run)
{
    struct dcap_platform *p = run->platform;
    bool is_own = run->base->col.pck_certificate_chain.len > 0;
    enum tacit_err err;

    if (run->quote.cert_type != CERT_TYPE_PCK_CHAIN && (!is_own || run->quote.cert_type > 3))
        return run_fail(run, CHECK_PCK_PARSE, TACIT_CAUSE_UNOBTAINABLE,
                        "certification data of type %u holds no PCK chain, and the collateral "
                        "brings none",
                        run->quote.cert_type);
    p->chain_pem = arena_dup(&p->arena, run_chain_pem(run));
    p->auth_tail = arena_dup(&p->arena, run_auth_tail(run));
    if (p->chain_pem.ptr == NULL || p->auth_tail.ptr == NULL)
        return run_nomem(run, CHECK_PCK_PARSE);
    err = x509_parse_pem(p->chain, ARRAY_LEN(p->chain), &p->chain_len, p->chain_pem, &p->arena);
    if (err == TACIT_NOMEM)
        return run_nomem(run, CHECK_PCK_PARSE);
    if (err != TACIT_OK)
        return run_fail(run, CHECK_PCK_PARSE, TACIT_CAUSE_UNPARSABLE,
                        "the PCK chain is not a PEM text of certificates");
    /* The root may be left out: it is ours in any case. */
    if (p->chain_len != 2 && p->chain_len != 3)
        return run_fail(run, CHECK_PCK_PARSE, TACIT_CAUSE_UNTRUSTED,
                        "the PCK chain does not have three certificates");
    p->leaf = p->chain[CHAIN_LEAF];
    return run_pass(run, CHECK_PCK_PARSE);
}

/* The chain's root must be the trusted one, octet by octet; one that is left out is ours. The
 * trusted certificate is the anchor in any case. */
static bool root_is_trusted(struct dcap_run *run)
{
    const struct dcap_platform *p = run->platform;
    const struct x509_cert *root = &run->base->root;

    if (p->chain_len == 3)
        return bytes_eq(p->chain[CHAIN_ROOT].der, root->der);
    return bytes_eq(p->chain[CHAIN_CA].issuer, root->subject);
}

/* The CA under the root: verified once per base. */
static enum tacit_err ca_take(struct dcap_run *run)
{
    struct dcap_base *b = run->base;
    const struct x509_cert *ca = &run->platform->chain[CHAIN_CA];
    struct bytes der;
    enum tacit_err err;

    if (b->ca_key != NULL)
        return bytes_eq(b->ca.der, ca->der) ? TACIT_OK : TACIT_MISMATCH;
    err = x509_issues(&b->root, b->root_key, ca, 1);
    if (err != TACIT_OK)
        return err;
    der = arena_dup(&b->arena, ca->der);
    if (der.ptr == NULL)
        return TACIT_NOMEM;
    err = x509_parse(&b->ca, der);
    if (err == TACIT_OK)
        err = x509_key(&b->ca_key, &b->ca, b->root_key);
    if (err == TACIT_OK && pubkey_kind(b->ca_key) != PUBKEY_P256)
        err = TACIT_UNSUPPORTED;
    b->is_platform_ca = cn_is(&b->ca, "Intel SGX PCK Platform CA");
    return err;
}

static enum tacit_err leaf_take(struct dcap_run *run)
{
    struct dcap_platform *p = run->platform;
    enum tacit_err err = x509_verify(&p->leaf, run->base->ca_key);

    if (err == TACIT_OK)
        err = x509_key(&p->leaf_key, &p->leaf, run->base->root_key);
    if (err == TACIT_OK && pubkey_kind(p->leaf_key) != PUBKEY_P256)
        err = TACIT_UNSUPPORTED;
    return err;
}

static bool signature_row(struct dcap_run *run, enum tacit_err err, const char *what)
{
    if (err == TACIT_OK)
        return true;
    if (err == TACIT_NOMEM)
        return run_nomem(run, CHECK_PCK_CHAIN);
    if (err == TACIT_SIGNATURE)
        return run_fail(run, CHECK_PCK_CHAIN, TACIT_CAUSE_FORGED,
                        "the signature of the %s does not verify", what);
    return run_fail(run, CHECK_PCK_CHAIN, TACIT_CAUSE_UNTRUSTED,
                    "the %s is not what its issuer may certify: %s", what, tacit_err_text(err));
}

static bool validity_check(struct dcap_run *run)
{
    const struct dcap_base *b = run->base;
    const struct {
        const struct x509_cert *cert;
        const char *name;
    } certs[] = {{&b->root, "root"}, {&b->ca, "PCK CA"}, {&run->platform->leaf, "PCK"}};
    char when[UTC_TEXT_LEN + 1];

    for (size_t i = 0; i < ARRAY_LEN(certs); i++) {
        if (x509_valid_at(certs[i].cert, run->in->now_unix_s))
            continue;
        if (run->in->now_unix_s < certs[i].cert->not_before_unix_s) {
            utc_format(when, certs[i].cert->not_before_unix_s);
            return run_fail(run, CHECK_PCK_VALIDITY, TACIT_CAUSE_OUT_OF_DATE,
                            "the %s certificate is not yet valid: it begins %s", certs[i].name,
                            when);
        }
        utc_format(when, certs[i].cert->not_after_unix_s);
        return run_fail(run, CHECK_PCK_VALIDITY, TACIT_CAUSE_OUT_OF_DATE,
                        "the %s certificate has expired: it ended %s", certs[i].name, when);
    }
    return run_pass(run, CHECK_PCK_VALIDITY);
}

static bool extension_check(struct dcap_run *run)
{
    struct dcap_platform *p = run->platform;
    struct bytes value;
    bool is_critical;

    if (!x509_ext(&p->leaf, BYTES_ARRAY(sgx_ext_oid), &value, &is_critical) ||
        sgx_ext_parse(&p->ext, value) != TACIT_OK || !p->ext.is_complete)
        return run_fail(run, CHECK_PCK_EXTENSION, TACIT_CAUSE_UNPARSABLE,
                        "the PCK certificate has no well-formed SGX extension");
    return run_pass(run, CHECK_PCK_EXTENSION);
}

bool stage_chain(struct dcap_run *run)
{
    struct dcap_platform *p = run->platform;
    struct dcap_base *b = run->base;
    const char *why;

    if (!chain_read(run))
        return false;
    if (!root_is_trusted(run))
        return run_fail(run, CHECK_PCK_ROOT, TACIT_CAUSE_UNTRUSTED,
                        "the PCK chain does not end in the trusted root (%s)", run->rows.authority);
    run_pass(run, CHECK_PCK_ROOT);
    why = chain_shape(run);
    if (why != NULL)
        return run_fail(run, CHECK_PCK_CHAIN, TACIT_CAUSE_UNTRUSTED, "%s", why);
    if (!signature_row(run, ca_take(run), "PCK CA certificate") ||
        !signature_row(run, leaf_take(run), "PCK certificate"))
        return false;
    run_pass(run, CHECK_PCK_CHAIN);
    window_cut(&b->window, b->root.not_before_unix_s, b->root.not_after_unix_s);
    window_cut(&b->window, b->ca.not_before_unix_s, b->ca.not_after_unix_s);
    window_cut(&p->window, p->leaf.not_before_unix_s, p->leaf.not_after_unix_s);
    return validity_check(run) && extension_check(run);
}

static bool crl_row(struct dcap_run *run, enum dcap_check check, struct x509_crl *crl,
                    struct bytes der, const struct x509_cert *ca, const struct pubkey *ca_key)
{
    enum tacit_err err = x509_crl_parse(crl, der);

    if (der.len == 0)
        return run_fail(run, check, TACIT_CAUSE_UNOBTAINABLE, "the CRL is missing or not in hex");
    if (err != TACIT_OK)
        return run_fail(run, check, TACIT_CAUSE_UNPARSABLE, "the CRL is not well-formed");
    if (!crl->has_number || crl->aki.len == 0)
        return run_fail(run, check, TACIT_CAUSE_UNPARSABLE,
                        "the CRL lacks its number or its issuer's key identifier");
    if (crl->sig_alg != SIG_ECDSA_SHA256)
        return run_fail(run, check, TACIT_CAUSE_UNPARSABLE,
                        "the CRL is not signed with ECDSA and SHA-256");
    err = x509_crl_issued_by(crl, ca, ca_key);
    if (err == TACIT_NOMEM)
        return run_nomem(run, check);
    if (err == TACIT_SIGNATURE)
        return run_fail(run, check, TACIT_CAUSE_FORGED, "the CRL's signature does not verify");
    if (err != TACIT_OK)
        return run_fail(run, check, TACIT_CAUSE_MISMATCH,
                        "the CRL is not one of the CA that it is needed for");
    if (!x509_crl_valid_at(crl, run->in->now_unix_s))
        return run_fail(run, check, TACIT_CAUSE_OUT_OF_DATE,
                        run->in->now_unix_s < crl->this_update_unix_s ? "the CRL is not yet valid"
                                                                      : "the CRL has expired");
    window_cut(&run->base->window, crl->this_update_unix_s, crl->next_update_unix_s);
    return run_pass(run, check);
}

bool stage_revocation(struct dcap_run *run)
{
    const struct dcap_base *b = run->base;

    if (x509_revoked_has(&b->revoked, run->platform->leaf.serial))
        return run_fail(run, CHECK_PCK_REVOCATION, TACIT_CAUSE_REVOKED,
                        "the platform's PCK certificate is revoked");
    if (x509_crl_lists(&b->root_crl, b->ca.serial))
        return run_fail(run, CHECK_PCK_REVOCATION, TACIT_CAUSE_REVOKED,
                        "the PCK CA certificate is revoked");
    return run_pass(run, CHECK_PCK_REVOCATION);
}

bool stage_crls(struct dcap_run *run)
{
    struct dcap_base *b = run->base;

    if (!crl_row(run, CHECK_CRL_ROOT, &b->root_crl, b->col.root_ca_crl, &b->root, b->root_key) ||
        !crl_row(run, CHECK_CRL_PCK, &b->pck_crl, b->col.pck_crl, &b->ca, b->ca_key))
        return false;
    if (x509_revoked_make(&b->revoked, &b->pck_crl, &b->arena) != TACIT_OK)
        return run_nomem(run, CHECK_PCK_REVOCATION);
    return stage_revocation(run);
}
