/* What Intel's certification service says about the simulated platform: TCB info and QE identity in
 * Intel's member order, compact, signed as they stand, and the CRLs. Documents are dated to the
 * start of the day, so that one seed and one day give the same bytes. */
#include "codec/jwrite.h"
#include "tee/sim_priv.h"

#include "base/utc.h"

enum { DAY_S = 86400, JSON_LIFE_DAYS = 30, ROOT_CRL_LIFE_DAYS = 365, DOC_MAX = 65536 };
enum { EVALUATION_NUMBER = 19, CRL_NUMBER = 1 };

static const char zeros48[] = "00000000000000000000000000000000000000000000000000000000000000000000"
                              "0000000000000000000000000000";

struct window {
    int64_t from, to;
};

static struct window window_at(int64_t now_unix_s, int64_t life_days)
{
    int64_t from = now_unix_s - now_unix_s % DAY_S;

    return (struct window){from, from + life_days * DAY_S};
}

static void hex_upper(struct jw *w, const char *name, struct bytes octets)
{
    char text[65];

    for (size_t i = 0; i < octets.len && i < 32; i++) {
        text[2 * i] = "0123456789ABCDEF"[octets.ptr[i] >> 4];
        text[2 * i + 1] = "0123456789ABCDEF"[octets.ptr[i] & 15];
        text[2 * i + 2] = 0;
    }
    jw_key_cstr(w, name, text);
}

static void date(struct jw *w, const char *name, int64_t unix_s)
{
    char text[UTC_TEXT_LEN + 1];

    utc_format(text, unix_s);
    jw_key_cstr(w, name, text);
}

/* tcbDate, tcbStatus and, if there are any, advisoryIDs of a level. */
static void level_tail(struct jw *w, const char *tcb_date, const char *status, const char *advisory)
{
    jw_key_cstr(w, "tcbDate", tcb_date);
    jw_key_cstr(w, "tcbStatus", status);
    if (advisory != NULL) {
        jw_key(w, "advisoryIDs");
        jw_array(w);
        jw_cstr(w, advisory);
        jw_end(w);
    }
    jw_end(w);
}

static void isvsvn_level(struct jw *w, unsigned isvsvn, const char *tcb_date, const char *status,
                         const char *advisory)
{
    jw_object(w);
    jw_key(w, "tcb");
    jw_object(w);
    jw_key_u64(w, "isvsvn", isvsvn);
    jw_end(w);
    level_tail(w, tcb_date, status, advisory);
}

static void module(struct jw *w, const char *id)
{
    jw_object(w);
    jw_key_cstr(w, "id", id);
    jw_key_cstr(w, "mrsigner", zeros48);
    jw_key_cstr(w, "attributes", "0000000000000000");
    jw_key_cstr(w, "attributesMask", "FFFFFFFFFFFFFFFF");
    jw_key(w, "tcbLevels");
    jw_array(w);
}

static void modules(struct jw *w)
{
    jw_key(w, "tdxModule");
    jw_object(w);
    jw_key_cstr(w, "mrsigner", zeros48);
    jw_key_cstr(w, "attributes", "0000000000000000");
    jw_key_cstr(w, "attributesMask", "FFFFFFFFFFFFFFFF");
    jw_end(w);
    jw_key(w, "tdxModuleIdentities");
    jw_array(w);
    module(w, "TDX_03");
    isvsvn_level(w, 3, "2025-05-14T00:00:00Z", "UpToDate", NULL);
    jw_end(w);
    jw_end(w);
    module(w, "TDX_01");
    isvsvn_level(w, 6, "2025-05-14T00:00:00Z", "UpToDate", NULL);
    isvsvn_level(w, 4, "2024-03-13T00:00:00Z", "OutOfDate", "INTEL-SA-99001");
    isvsvn_level(w, 2, "2023-08-09T00:00:00Z", "Revoked", "INTEL-SA-99002");
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

static void components(struct jw *w, const char *name, const uint8_t svn[static SIM_SVN_COUNT])
{
    jw_key(w, name);
    jw_array(w);
    for (size_t i = 0; i < SIM_SVN_COUNT; i++) {
        jw_object(w);
        jw_key_u64(w, "svn", svn[i]);
        jw_end(w);
    }
    jw_end(w);
}

struct level {
    uint8_t sgx[SIM_SVN_COUNT];
    uint16_t pcesvn;
    uint8_t tdx[SIM_SVN_COUNT];
    const char *date, *status, *advisory;
};

static const struct level levels[] = {
    {{3, 3, 2, 2, 4, 1, 0, 5}, 13, {5, 0, 3}, "2025-05-14T00:00:00Z", "UpToDate", NULL},
    {{2, 2, 2, 2, 4, 1, 0, 5},
     13,
     {5, 0, 3},
     "2025-05-14T00:00:00Z",
     "SWHardeningNeeded",
     "INTEL-SA-99010"},
    {{2, 2, 2, 2, 3, 1, 0, 5},
     13,
     {5, 0, 3},
     "2025-05-14T00:00:00Z",
     "ConfigurationNeeded",
     "INTEL-SA-99011"},
    {{2, 2, 2, 2, 3, 1, 0, 5},
     11,
     {5, 0, 2},
     "2024-03-13T00:00:00Z",
     "OutOfDate",
     "INTEL-SA-99012"},
    {{1, 1, 1, 1, 1, 1, 0, 1}, 5, {3, 0, 1}, "2018-01-04T00:00:00Z", "Revoked", "INTEL-SA-99013"},
};

static bool is_td(const struct sim *sim)
{
    return sim->plan.shape.body != TACIT_BODY_SGX;
}

static void tcb_levels(const struct sim *sim, struct jw *w)
{
    jw_key(w, "tcbLevels");
    jw_array(w);
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        jw_object(w);
        jw_key(w, "tcb");
        jw_object(w);
        components(w, "sgxtcbcomponents", levels[i].sgx);
        jw_key_u64(w, "pcesvn", levels[i].pcesvn);
        if (is_td(sim))
            components(w, "tdxtcbcomponents", levels[i].tdx);
        jw_end(w);
        level_tail(w, levels[i].date, levels[i].status, levels[i].advisory);
    }
    jw_end(w);
}

static enum tacit_err sign_text(const struct sim_pki *pki, enum sim_key by, struct bytes text,
                                uint8_t sig[static 64])
{
    uint8_t raw[SIGNKEY_RAW_MAX];
    uint8_t digest[SHA256_LEN];
    size_t len;
    enum tacit_err err;

    sha256(digest, text);
    err = signkey_sign_raw(pki->keys[by], raw, &len, BYTES_ARRAY(digest));
    memcpy(sig, raw, 64);
    return err;
}

enum tacit_err sim_tcb_info(struct sim *sim, struct buf *json, uint8_t sig[static 64],
                            int64_t now_unix_s)
{
    struct window time = window_at(now_unix_s, JSON_LIFE_DAYS);
    size_t from = json->len;
    struct jw w = jw_make(json);
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);

    if (err != TACIT_OK)
        return err;
    jw_object(&w);
    jw_key_cstr(&w, "id", is_td(sim) ? "TDX" : "SGX");
    jw_key_u64(&w, "version", 3);
    date(&w, "issueDate", time.from);
    date(&w, "nextUpdate", time.to);
    hex_upper(&w, "fmspc", BYTES_ARRAY(sim_fmspc_octets));
    jw_key_cstr(&w, "pceId", "0000");
    jw_key_u64(&w, "tcbType", 0);
    jw_key_u64(&w, "tcbEvaluationDataNumber", EVALUATION_NUMBER);
    if (is_td(sim))
        modules(&w);
    tcb_levels(sim, &w);
    jw_end(&w);
    if (json->failed)
        return TACIT_NOMEM;
    return sign_text(pki, SIM_KEY_TCB_SIGNING, bytes_make(json->ptr + from, json->len - from), sig);
}

enum tacit_err sim_qe_identity(struct sim *sim, struct buf *json, uint8_t sig[static 64],
                               int64_t now_unix_s)
{
    struct window time = window_at(now_unix_s, JSON_LIFE_DAYS);
    size_t from = json->len;
    struct jw w = jw_make(json);
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);

    if (err != TACIT_OK)
        return err;
    jw_object(&w);
    jw_key_cstr(&w, "id", is_td(sim) ? "TD_QE" : "QE");
    jw_key_u64(&w, "version", 2);
    date(&w, "issueDate", time.from);
    date(&w, "nextUpdate", time.to);
    jw_key_u64(&w, "tcbEvaluationDataNumber", EVALUATION_NUMBER);
    jw_key_cstr(&w, "miscselect", "00000000");
    jw_key_cstr(&w, "miscselectMask", "FFFFFFFF");
    jw_key_cstr(&w, "attributes", "11000000000000000000000000000000");
    jw_key_cstr(&w, "attributesMask", "FBFFFFFFFFFFFFFF0000000000000000");
    hex_upper(&w, "mrsigner", BYTES_ARRAY(sim_qe_mrsigner[is_td(sim)]));
    jw_key_u64(&w, "isvprodid", is_td(sim) ? 2 : 1);
    jw_key(&w, "tcbLevels");
    jw_array(&w);
    isvsvn_level(&w, 4, "2025-05-14T00:00:00Z", "UpToDate", NULL);
    isvsvn_level(&w, 3, "2023-08-09T00:00:00Z", "OutOfDate", "INTEL-SA-99020");
    isvsvn_level(&w, 1, "2022-08-09T00:00:00Z", "Revoked", "INTEL-SA-99021");
    jw_end(&w);
    jw_end(&w);
    if (json->failed)
        return TACIT_NOMEM;
    return sign_text(pki, SIM_KEY_TCB_SIGNING, bytes_make(json->ptr + from, json->len - from), sig);
}

static enum tacit_err crl_of(struct sim *sim, struct buf *der, enum sim_cert issuer,
                             enum sim_key by, struct window time)
{
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);
    struct crl_spec spec;

    if (err != TACIT_OK)
        return err;
    spec = (struct crl_spec){.issuer_name = buf_bytes(&pki->names[issuer]),
                             .this_update_unix_s = time.from,
                             .next_update_unix_s = time.to,
                             .number = CRL_NUMBER,
                             .has_number = true,
                             .key_id = pki->key_ids[issuer]};
    return crl_make(der, &spec, pki->keys[by]);
}

enum tacit_err sim_pck_crl(struct sim *sim, struct buf *der, int64_t now_unix_s)
{
    return crl_of(sim, der, SIM_CERT_CA,
                  sim->plan.shape.is_processor_ca ? SIM_KEY_PROCESSOR_CA : SIM_KEY_PLATFORM_CA,
                  window_at(now_unix_s, JSON_LIFE_DAYS));
}

enum tacit_err sim_root_crl(struct sim *sim, struct buf *der, int64_t now_unix_s)
{
    return crl_of(sim, der, SIM_CERT_ROOT, SIM_KEY_ROOT, window_at(now_unix_s, ROOT_CRL_LIFE_DAYS));
}

/* The parts of the compact collateral, kept while it is written. */
struct parts {
    struct buf crl_chain, signer_chain, pck_crl, root_crl, tcb_info, qe_identity;
    uint8_t tcb_sig[64], qe_sig[64];
};

static enum tacit_err parts_make(struct sim *sim, struct parts *p, int64_t now_unix_s)
{
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);

    if (err != TACIT_OK)
        return err;
    sim_crl_chain(pki, &p->crl_chain);
    sim_signer_chain(pki, &p->signer_chain);
    err = sim_pck_crl(sim, &p->pck_crl, now_unix_s);
    if (err == TACIT_OK)
        err = sim_root_crl(sim, &p->root_crl, now_unix_s);
    if (err == TACIT_OK)
        err = sim_tcb_info(sim, &p->tcb_info, p->tcb_sig, now_unix_s);
    if (err == TACIT_OK)
        err = sim_qe_identity(sim, &p->qe_identity, p->qe_sig, now_unix_s);
    return err;
}

static void parts_write(struct buf *json, const struct parts *p)
{
    struct jw w = jw_make(json);

    jw_object(&w);
    jw_key_str(&w, "pck_crl_issuer_chain", buf_bytes(&p->crl_chain));
    jw_key(&w, "root_ca_crl");
    jw_hex(&w, buf_bytes(&p->root_crl));
    jw_key(&w, "pck_crl");
    jw_hex(&w, buf_bytes(&p->pck_crl));
    jw_key_str(&w, "tcb_info_issuer_chain", buf_bytes(&p->signer_chain));
    jw_key_str(&w, "tcb_info", buf_bytes(&p->tcb_info));
    jw_key(&w, "tcb_info_signature");
    jw_hex(&w, BYTES_ARRAY(p->tcb_sig));
    jw_key_str(&w, "qe_identity_issuer_chain", buf_bytes(&p->signer_chain));
    jw_key_str(&w, "qe_identity", buf_bytes(&p->qe_identity));
    jw_key(&w, "qe_identity_signature");
    jw_hex(&w, BYTES_ARRAY(p->qe_sig));
    jw_end(&w);
}

enum tacit_err sim_collateral(struct sim *sim, struct buf *json, int64_t now_unix_s)
{
    struct parts p = {.crl_chain = buf_make(DOC_MAX),
                      .signer_chain = buf_make(DOC_MAX),
                      .pck_crl = buf_make(DOC_MAX),
                      .root_crl = buf_make(DOC_MAX),
                      .tcb_info = buf_make(DOC_MAX),
                      .qe_identity = buf_make(DOC_MAX)};
    enum tacit_err err = parts_make(sim, &p, now_unix_s);

    if (err == TACIT_OK) {
        parts_write(json, &p);
        err = buf_err(json);
    }
    buf_done(&p.crl_chain);
    buf_done(&p.signer_chain);
    buf_done(&p.pck_crl);
    buf_done(&p.root_crl);
    buf_done(&p.tcb_info);
    buf_done(&p.qe_identity);
    return err;
}

/* {"<name>":<document>,"signature":"<hex>"}, the document byte for byte as signed. */
static enum tacit_err signed_document(struct sim *sim, const char *name, bool is_tcb_info,
                                      struct buf *body, int64_t now_unix_s)
{
    uint8_t sig[64];
    enum tacit_err err;

    buf_putf(body, "{\"%s\":", name);
    err = is_tcb_info ? sim_tcb_info(sim, body, sig, now_unix_s)
                      : sim_qe_identity(sim, body, sig, now_unix_s);
    if (err != TACIT_OK)
        return err;
    buf_puts(body, ",\"signature\":\"");
    buf_hex(body, BYTES_ARRAY(sig));
    buf_puts(body, "\"}");
    return buf_err(body);
}

enum tacit_err sim_document(struct sim *sim, enum sim_document doc, struct buf *body,
                            struct buf *chain_pem, int64_t now_unix_s)
{
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);

    if (err != TACIT_OK)
        return err;
    switch (doc) {
    case SIM_DOC_TCB_INFO:
        sim_signer_chain(pki, chain_pem);
        return signed_document(sim, "tcbInfo", true, body, now_unix_s);
    case SIM_DOC_QE_IDENTITY:
        sim_signer_chain(pki, chain_pem);
        return signed_document(sim, "enclaveIdentity", false, body, now_unix_s);
    case SIM_DOC_PCK_CRL:
        sim_crl_chain(pki, chain_pem);
        return sim_pck_crl(sim, body, now_unix_s);
    case SIM_DOC_ROOT_CRL:
        return sim_root_crl(sim, body, now_unix_s);
    }
    return TACIT_UNSUPPORTED;
}
