/* The simulator's PKI: names, order of attributes, extensions and lifetimes as Intel's; its own
 * keys. Serials begin with "SIM", which is all that tells the certificates apart by eye; the key
 * tells them apart for a verifier. */
#include "tee/sim_priv.h"

enum {
    DER_MAX = 8192,
    NOT_BEFORE_CA = 1526899810, /* 2018-05-21T10:50:10Z, as Intel's */
    SHORT_LIFE_S = 100 * 86400,
};

static const int64_t root_not_after = 2524607999;  /* 2049-12-31T23:59:59Z */
static const int64_t ca_not_after = 2000285410;    /* 2033-05-21T10:50:10Z */
static const int64_t leaf_not_before = 1704067200; /* 2024-01-01 */
static const int64_t leaf_not_after = 2524607999;

static const char root_crl_url[] =
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
static const char platform_crl_url[] =
    "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
static const char processor_crl_url[] =
    "https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=processor&encoding=der";

/* What is to be certified, and by whom. */
struct request {
    enum sim_cert which;
    const char *common_name;
    enum sim_key key;
    enum sim_cert issuer;
    enum sim_key issuer_key;
    const char *crl_url;
    uint32_t usage;
    bool is_ca;
    int32_t pathlen;
    int64_t not_before, not_after;
};

void sim_pki_done(struct sim_pki *pki)
{
    for (size_t i = 0; i < SIM_KEY_COUNT; i++)
        signkey_free(pki->keys[i]);
    for (size_t i = 0; i < SIM_CERT_COUNT; i++) {
        buf_done(&pki->certs[i]);
        buf_done(&pki->names[i]);
    }
    buf_done(&pki->trust);
    *pki = (struct sim_pki){0};
}

static enum tacit_err keys_make(const struct sim *sim, struct sim_pki *pki)
{
    static const char *const labels[SIM_KEY_COUNT] = {
        [SIM_KEY_ROOT] = "key/root",
        [SIM_KEY_PLATFORM_CA] = "key/platform-ca",
        [SIM_KEY_PROCESSOR_CA] = "key/processor-ca",
        [SIM_KEY_PCK] = "key/pck",
        [SIM_KEY_TCB_SIGNING] = "key/tcb-signing",
        [SIM_KEY_KMS] = "key/kms",
        [SIM_KEY_ROGUE] = "key/rogue",
    };
    enum tacit_err err = TACIT_OK;

    for (size_t i = 0; i < SIM_KEY_COUNT && err == TACIT_OK; i++)
        err = signkey_from_seed(&pki->keys[i], SIGNKEY_P256, sim->seed, labels[i]);
    return err;
}

static void name_put(struct buf *der, const char *common_name)
{
    const struct cert_rdn rdns[] = {
        {"2.5.4.3", DER_UTF8_STRING, common_name},
        {"2.5.4.10", DER_UTF8_STRING, "Intel Corporation"},
        {"2.5.4.7", DER_UTF8_STRING, "Santa Clara"},
        {"2.5.4.8", DER_UTF8_STRING, "CA"},
        {"2.5.4.6", DER_PRINTABLE_STRING, "US"},
    };

    cert_name(der, rdns, ARRAY_LEN(rdns));
}

const struct signkey *sim_key_of(const struct sim *sim, const struct sim_pki *pki,
                                 enum sim_key which)
{
    bool is_other = which == SIM_KEY_ROOT && sim_is(sim, SIM_ROOT_OTHER);

    return pki->keys[is_other ? SIM_KEY_ROGUE : which];
}

/* The six extensions of a leaf, five of a CA, in Intel's order. */
static void extensions_of(const struct sim *sim, const struct sim_pki *pki, const struct request *q,
                          struct buf *exts)
{
    ext_put_aki(exts, pki->key_ids[q->issuer]);
    ext_put_crl_url(exts, q->crl_url);
    ext_put_ski(exts, pki->key_ids[q->which]);
    ext_put_usage(exts, q->usage);
    ext_put_constraints(exts, q->is_ca, q->pathlen);
    if (q->which == SIM_CERT_PCK && !sim_is(sim, SIM_SGX_EXTENSION_ABSENT)) {
        uint8_t mem[1024];
        struct buf value = buf_over(mem, sizeof(mem));

        sim_sgx_extension(sim, &value);
        ext_put(exts, "1.2.840.113741.1.13.1", false, buf_bytes(&value));
        exts->failed = exts->failed || value.failed;
    }
}

static void serial_make(const struct sim *sim, uint8_t out[static SIM_SERIAL_LEN],
                        const char *common_name)
{
    sim_derive(sim, out, SIM_SERIAL_LEN, common_name);
    memcpy(out, "SIM", 3);
}

static enum tacit_err certify(const struct sim *sim, struct sim_pki *pki, const struct request *q)
{
    struct buf spki = buf_make(256);
    struct buf exts = buf_make(2048);
    struct cert_spec spec;
    enum tacit_err err = signkey_spki(sim_key_of(sim, pki, q->key), &spki);

    buf_done(&pki->certs[q->which]);
    buf_done(&pki->names[q->which]);
    pki->certs[q->which] = buf_make(DER_MAX);
    pki->names[q->which] = buf_make(DER_MAX);
    name_put(&pki->names[q->which], q->common_name);
    cert_key_id(pki->key_ids[q->which], buf_bytes(&spki));
    serial_make(sim, pki->serials[q->which], q->common_name);
    extensions_of(sim, pki, q, &exts);
    spec = (struct cert_spec){.serial = BYTES_ARRAY(pki->serials[q->which]),
                              .issuer_name = buf_bytes(&pki->names[q->issuer]),
                              .subject_name = buf_bytes(&pki->names[q->which]),
                              .not_before_unix_s = q->not_before,
                              .not_after_unix_s = q->not_after,
                              .spki = buf_bytes(&spki),
                              .extensions = buf_bytes(&exts)};
    if (err == TACIT_OK && exts.failed)
        err = TACIT_NOMEM;
    if (err == TACIT_OK)
        err = cert_make(&pki->certs[q->which], &spec, sim_key_of(sim, pki, q->issuer_key));
    buf_done(&spki);
    buf_done(&exts);
    return err;
}

/* What the plan says is wrong with a certificate. */
static void request_spoil(enum sim_fault fault, struct request *q)
{
    static const struct {
        enum sim_fault fault;
        enum sim_cert which;
    } forged[] = {{SIM_CA_SIGNATURE, SIM_CERT_CA},
                  {SIM_PCK_SIGNATURE, SIM_CERT_PCK},
                  {SIM_TCB_SIGNER_ROGUE, SIM_CERT_TCB_SIGNING}};
    static const struct {
        enum sim_fault fault;
        enum sim_cert which;
        const char *name;
    } named[] = {{SIM_CA_NAME, SIM_CERT_CA, "Intel SGX PCK Machine CA"},
                 {SIM_PCK_NAME, SIM_CERT_PCK, "Intel SGX TCB Signing"}};
    static const struct {
        enum sim_fault fault;
        enum sim_cert which;
    } expired[] = {{SIM_CA_EXPIRED, SIM_CERT_CA},
                   {SIM_PCK_EXPIRED, SIM_CERT_PCK},
                   {SIM_TCB_SIGNER_EXPIRED, SIM_CERT_TCB_SIGNING}};

    for (size_t i = 0; i < ARRAY_LEN(forged); i++)
        if (fault == forged[i].fault && q->which == forged[i].which)
            q->issuer_key = SIM_KEY_ROGUE;
    for (size_t i = 0; i < ARRAY_LEN(named); i++)
        if (fault == named[i].fault && q->which == named[i].which)
            q->common_name = named[i].name;
    for (size_t i = 0; i < ARRAY_LEN(expired); i++)
        if (fault == expired[i].fault && q->which == expired[i].which)
            q->not_after = q->not_before + SHORT_LIFE_S;
    if (fault == SIM_PCK_FUTURE && q->which == SIM_CERT_PCK)
        q->not_before = leaf_not_after - SHORT_LIFE_S;
    if (fault == SIM_CA_USAGE && q->which == SIM_CERT_CA)
        q->usage = X509_USE_CRL_SIGN;
    if (fault == SIM_CA_NOT_CA && q->which == SIM_CERT_CA) {
        q->is_ca = false;
        q->pathlen = X509_NO_PATHLEN;
    }
}

static const struct request root_request = {SIM_CERT_ROOT,
                                            "Intel SGX Root CA",
                                            SIM_KEY_ROOT,
                                            SIM_CERT_ROOT,
                                            SIM_KEY_ROOT,
                                            root_crl_url,
                                            X509_USE_CERT_SIGN | X509_USE_CRL_SIGN,
                                            true,
                                            1,
                                            NOT_BEFORE_CA,
                                            root_not_after};

/* The root to be trusted is always the honest one, also when everything hangs on another. */
static enum tacit_err roots_make(const struct sim *sim, struct sim_pki *pki)
{
    struct sim_plan honest = {.fault = SIM_HONEST, .shape = sim->plan.shape};
    struct sim as_honest = *sim;
    enum tacit_err err;

    as_honest.plan = honest;
    err = certify(&as_honest, pki, &root_request);
    explicit_bzero(&as_honest, sizeof(as_honest));
    if (err != TACIT_OK)
        return err;
    pki->trust = buf_make(DER_MAX);
    buf_put(&pki->trust, buf_bytes(&pki->certs[SIM_CERT_ROOT]));
    return pki->trust.failed ? TACIT_NOMEM : certify(sim, pki, &root_request);
}

static enum tacit_err certs_make(const struct sim *sim, struct sim_pki *pki)
{
    bool is_processor = sim->plan.shape.is_processor_ca;
    enum sim_key ca_key = is_processor ? SIM_KEY_PROCESSOR_CA : SIM_KEY_PLATFORM_CA;
    struct request requests[] = {
        {SIM_CERT_CA, is_processor ? "Intel SGX PCK Processor CA" : "Intel SGX PCK Platform CA",
         ca_key, SIM_CERT_ROOT, SIM_KEY_ROOT, root_crl_url, X509_USE_CERT_SIGN | X509_USE_CRL_SIGN,
         true, 0, NOT_BEFORE_CA, ca_not_after},
        {SIM_CERT_PCK, "Intel SGX PCK Certificate", SIM_KEY_PCK, SIM_CERT_CA, ca_key,
         is_processor ? processor_crl_url : platform_crl_url,
         X509_USE_SIGNATURE | X509_USE_NON_REPUDIATION, false, X509_NO_PATHLEN, leaf_not_before,
         leaf_not_after},
        {SIM_CERT_TCB_SIGNING, "Intel SGX TCB Signing", SIM_KEY_TCB_SIGNING, SIM_CERT_ROOT,
         SIM_KEY_ROOT, root_crl_url, X509_USE_SIGNATURE | X509_USE_NON_REPUDIATION, false,
         X509_NO_PATHLEN, NOT_BEFORE_CA, ca_not_after},
        {SIM_CERT_ODD_SIGNER, "Intel SGX Other Signing", SIM_KEY_TCB_SIGNING, SIM_CERT_ROOT,
         SIM_KEY_ROOT, root_crl_url, X509_USE_SIGNATURE | X509_USE_NON_REPUDIATION, false,
         X509_NO_PATHLEN, NOT_BEFORE_CA, ca_not_after},
    };
    enum tacit_err err = roots_make(sim, pki);

    for (size_t i = 0; i < ARRAY_LEN(requests) && err == TACIT_OK; i++) {
        request_spoil(sim->plan.fault, &requests[i]);
        err = certify(sim, pki, &requests[i]);
    }
    return err;
}

enum tacit_err sim_pki_get(struct sim *sim, const struct sim_pki **out)
{
    enum tacit_err err = TACIT_OK;

    *out = NULL;
    if (!sim->has_pki) {
        err = keys_make(sim, &sim->pki);
        if (err == TACIT_OK)
            err = certs_make(sim, &sim->pki);
        if (err != TACIT_OK) {
            sim_pki_done(&sim->pki);
            return err;
        }
        sim->has_pki = true;
    }
    *out = &sim->pki;
    return TACIT_OK;
}

static void pem_of(const struct sim_pki *pki, struct buf *pem, enum sim_cert which)
{
    pem_put(pem, "CERTIFICATE", buf_bytes(&pki->certs[which]));
}

void sim_pck_chain(const struct sim *sim, const struct sim_pki *pki, struct buf *pem)
{
    pem_of(pki, pem, SIM_CERT_PCK);
    if (sim_is(sim, SIM_CHAIN_NO_CA))
        return;
    if (sim_is(sim, SIM_CHAIN_TEXT))
        buf_puts(pem, "trust me\n");
    sim_crl_chain(pki, pem);
}

void sim_crl_chain(const struct sim_pki *pki, struct buf *pem)
{
    pem_of(pki, pem, SIM_CERT_CA);
    pem_of(pki, pem, SIM_CERT_ROOT);
}

void sim_signer_chain(const struct sim_pki *pki, struct buf *pem, enum sim_cert signer)
{
    pem_of(pki, pem, signer);
    pem_of(pki, pem, SIM_CERT_ROOT);
}

enum tacit_err sim_root_der(struct sim *sim, struct bytes *der)
{
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);

    *der = err == TACIT_OK ? buf_bytes(&pki->trust) : (struct bytes){NULL, 0};
    return err;
}

enum tacit_err sim_root_pem(struct sim *sim, struct buf *pem)
{
    struct bytes der;
    enum tacit_err err = sim_root_der(sim, &der);

    if (err != TACIT_OK)
        return err;
    pem_put(pem, "CERTIFICATE", der);
    return buf_err(pem);
}
