/* The simulator's PKI: names, order of attributes, extensions and lifetimes as Intel's; its own
 * keys. Serials begin with "SIM", which is all that tells the certificates apart by eye; the key
 * tells them apart for a verifier. */
#include "tee/sim_priv.h"

enum { DER_MAX = 8192, NOT_BEFORE_CA = 1526899810 /* 2018-05-21T10:50:10Z, as Intel's */ };

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

/* The six extensions of a leaf, five of a CA, in Intel's order. */
static void extensions_of(const struct sim *sim, const struct sim_pki *pki, const struct request *q,
                          struct buf *exts)
{
    ext_put_aki(exts, pki->key_ids[q->issuer]);
    ext_put_crl_url(exts, q->crl_url);
    ext_put_ski(exts, pki->key_ids[q->which]);
    ext_put_usage(exts, q->usage);
    ext_put_constraints(exts, q->is_ca, q->pathlen);
    if (q->which == SIM_CERT_PCK) {
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
    enum tacit_err err = signkey_spki(pki->keys[q->key], &spki);

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
        err = cert_make(&pki->certs[q->which], &spec, pki->keys[q->issuer_key]);
    buf_done(&spki);
    buf_done(&exts);
    return err;
}

static enum tacit_err certs_make(const struct sim *sim, struct sim_pki *pki)
{
    bool is_processor = sim->plan.shape.is_processor_ca;
    enum sim_key ca_key = is_processor ? SIM_KEY_PROCESSOR_CA : SIM_KEY_PLATFORM_CA;
    struct request requests[] = {
        {SIM_CERT_ROOT, "Intel SGX Root CA", SIM_KEY_ROOT, SIM_CERT_ROOT, SIM_KEY_ROOT,
         root_crl_url, X509_USE_CERT_SIGN | X509_USE_CRL_SIGN, true, 1, NOT_BEFORE_CA,
         root_not_after},
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
    };
    enum tacit_err err = TACIT_OK;

    for (size_t i = 0; i < ARRAY_LEN(requests) && err == TACIT_OK; i++)
        err = certify(sim, pki, &requests[i]);
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

void sim_pck_chain(const struct sim_pki *pki, struct buf *pem)
{
    pem_of(pki, pem, SIM_CERT_PCK);
    sim_crl_chain(pki, pem);
}

void sim_crl_chain(const struct sim_pki *pki, struct buf *pem)
{
    pem_of(pki, pem, SIM_CERT_CA);
    pem_of(pki, pem, SIM_CERT_ROOT);
}

void sim_signer_chain(const struct sim_pki *pki, struct buf *pem)
{
    pem_of(pki, pem, SIM_CERT_TCB_SIGNING);
    pem_of(pki, pem, SIM_CERT_ROOT);
}

enum tacit_err sim_root_der(struct sim *sim, struct bytes *der)
{
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);

    *der = err == TACIT_OK ? buf_bytes(&pki->certs[SIM_CERT_ROOT]) : (struct bytes){NULL, 0};
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
