/* The collateral of the simulated platform as a whole: in the compact form of tdx.md 3.2, and piece
 * by piece as Intel's certification service gives it. */
#include "codec/jwrite.h"
#include "tee/sim_priv.h"

enum { DOC_MAX = 65536 };

/* The parts of the compact collateral, kept while it is written. */
struct parts {
    struct buf crl_chain, tcb_chain, qe_chain, pck_crl, root_crl, tcb_info, qe_identity;
    uint8_t tcb_sig[64], qe_sig[64];
};

static enum tacit_err parts_make(struct sim *sim, struct parts *p, int64_t now_unix_s)
{
    const struct sim_pki *pki;
    enum tacit_err err = sim_pki_get(sim, &pki);

    if (err != TACIT_OK)
        return err;
    sim_crl_chain(pki, &p->crl_chain);
    sim_signer_chain(pki, &p->tcb_chain, sim_signer_of(sim, true).cert);
    sim_signer_chain(pki, &p->qe_chain, sim_signer_of(sim, false).cert);
    err = sim_pck_crl(sim, &p->pck_crl, now_unix_s);
    if (err == TACIT_OK)
        err = sim_root_crl(sim, &p->root_crl, now_unix_s);
    if (err == TACIT_OK)
        err = sim_tcb_info(sim, &p->tcb_info, p->tcb_sig, now_unix_s);
    if (err == TACIT_OK)
        err = sim_qe_identity(sim, &p->qe_identity, p->qe_sig, now_unix_s);
    return err;
}

static void parts_write(const struct sim *sim, struct buf *json, const struct parts *p)
{
    struct jw w = jw_make(json);

    jw_object(&w);
    jw_key_str(&w, "pck_crl_issuer_chain", buf_bytes(&p->crl_chain));
    jw_key(&w, "root_ca_crl");
    jw_hex(&w, buf_bytes(&p->root_crl));
    jw_key(&w, "pck_crl");
    jw_hex(&w, buf_bytes(&p->pck_crl));
    jw_key_str(&w, "tcb_info_issuer_chain", buf_bytes(&p->tcb_chain));
    jw_key_str(&w, "tcb_info", buf_bytes(&p->tcb_info));
    if (sim_is(sim, SIM_COLLATERAL_DUPLICATE))
        jw_key_str(&w, "tcb_info", buf_bytes(&p->tcb_info));
    jw_key(&w, "tcb_info_signature");
    jw_hex(&w, BYTES_ARRAY(p->tcb_sig));
    jw_key_str(&w, "qe_identity_issuer_chain", buf_bytes(&p->qe_chain));
    if (!sim_is(sim, SIM_COLLATERAL_MEMBER))
        jw_key_str(&w, "qe_identity", buf_bytes(&p->qe_identity));
    jw_key(&w, "qe_identity_signature");
    jw_hex(&w, BYTES_ARRAY(p->qe_sig));
    jw_end(&w);
}

enum tacit_err sim_collateral(struct sim *sim, struct buf *json, int64_t now_unix_s)
{
    struct parts p = {.crl_chain = buf_make(DOC_MAX),
                      .tcb_chain = buf_make(DOC_MAX),
                      .qe_chain = buf_make(DOC_MAX),
                      .pck_crl = buf_make(DOC_MAX),
                      .root_crl = buf_make(DOC_MAX),
                      .tcb_info = buf_make(DOC_MAX),
                      .qe_identity = buf_make(DOC_MAX)};
    enum tacit_err err = parts_make(sim, &p, now_unix_s);

    if (err == TACIT_OK) {
        parts_write(sim, json, &p);
        err = buf_err(json);
    }
    buf_done(&p.crl_chain);
    buf_done(&p.tcb_chain);
    buf_done(&p.qe_chain);
    buf_done(&p.pck_crl);
    buf_done(&p.root_crl);
    buf_done(&p.tcb_info);
    buf_done(&p.qe_identity);
    return err;
}

/* Makes one signed document, appended to `json`. */
typedef enum tacit_err document_fn(struct sim *sim, struct buf *json, uint8_t sig[static 64],
                                   int64_t now_unix_s);

/* {"<name>":<document>,"signature":"<hex>"}, the document byte for byte as signed. */
static enum tacit_err signed_document(struct sim *sim, const char *name, document_fn *make,
                                      struct buf *body, int64_t now_unix_s)
{
    uint8_t sig[64];
    enum tacit_err err;

    buf_putf(body, "{\"%s\":", name);
    err = make(sim, body, sig, now_unix_s);
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
        sim_signer_chain(pki, chain_pem, sim_signer_of(sim, true).cert);
        return signed_document(sim, "tcbInfo", sim_tcb_info, body, now_unix_s);
    case SIM_DOC_QE_IDENTITY:
        sim_signer_chain(pki, chain_pem, sim_signer_of(sim, false).cert);
        return signed_document(sim, "enclaveIdentity", sim_qe_identity, body, now_unix_s);
    case SIM_DOC_EVAL_NUMBERS:
        sim_signer_chain(pki, chain_pem, sim_signer_of(sim, true).cert);
        return signed_document(sim, "tcbEvaluationDataNumbers", sim_eval_numbers, body, now_unix_s);
    case SIM_DOC_PCK_CRL:
        sim_crl_chain(pki, chain_pem);
        return sim_pck_crl(sim, body, now_unix_s);
    case SIM_DOC_ROOT_CRL:
        return sim_root_crl(sim, body, now_unix_s);
    }
    return TACIT_UNSUPPORTED;
}
