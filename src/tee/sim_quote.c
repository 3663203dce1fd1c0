/* Quotes of the simulated platform, laid out as tdx.md 1.1-1.3 says: header, body, attestation
 * signature, quoting enclave report, PCK chain. */
#include "crypto/sha2.h"
#include "tee/sim_priv.h"

enum {
    TEE_TDX = 0x81,
    ATT_KEY_P256 = 2,
    QE_AUTH_LEN = 32,
    SGX_BODY_LEN = 384,
    CERT_PCK_CHAIN = 5,
    CERT_QE_REPORT = 6,
    QUOTE_PART_MAX = 32768,
    SGX_FLAGS_QE = 0x15, /* INIT, MODE64BIT, PROVISION_KEY */
    SGX_FLAGS_ENCLAVE = 0x05,
};

static const uint8_t intel_vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                         0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
static const uint8_t td_attributes[8] = {0, 0, 0, 0x10, 0, 0, 0, 0}; /* SEPT_VE_DISABLE */
static const uint8_t td_xfam[8] = {0xe7, 0x02, 0x06, 0, 0, 0, 0, 0};

static const uint16_t body_len[] = {[TACIT_BODY_SGX] = 384,
                                    [TACIT_BODY_TD10] = 584,
                                    [TACIT_BODY_TD15] = 648,
                                    [TACIT_BODY_TD15_EX] = 885};

static void header_put(const struct sim *sim, struct buf *q)
{
    const struct sim_shape *shape = &sim->plan.shape;
    uint8_t qe_id[16];

    sim_derive(sim, qe_id, sizeof(qe_id), "platform/qe-id");
    buf_u16le(q, shape->version);
    buf_u16le(q, ATT_KEY_P256);
    buf_u32le(q, shape->body == TACIT_BODY_SGX ? 0 : TEE_TDX);
    buf_u32le(q, 0);
    buf_put(q, BYTES_ARRAY(intel_vendor));
    buf_put(q, BYTES_ARRAY(qe_id));
    buf_fill(q, 0, 4);
    if (shape->version == 5) {
        buf_u16le(q, (uint16_t)shape->body);
        buf_u32le(q, body_len[shape->body]);
    }
}

/* What an SGX report of the simulated platform says. */
struct enclave {
    uint8_t cpusvn[16];
    uint8_t flags;
    uint8_t mrenclave[32], mrsigner[32];
    uint16_t isvprodid, isvsvn;
    uint8_t report_data[64];
};

static void enclave_put(struct buf *b, const struct enclave *e)
{
    static const uint8_t xfrm = 0xe7;

    buf_put(b, BYTES_ARRAY(e->cpusvn));
    buf_fill(b, 0, 4 + 28); /* MISCSELECT, reserved */
    buf_putc(b, e->flags);
    buf_fill(b, 0, 7);
    buf_putc(b, xfrm);
    buf_fill(b, 0, 7);
    buf_put(b, BYTES_ARRAY(e->mrenclave));
    buf_fill(b, 0, 32);
    buf_put(b, BYTES_ARRAY(e->mrsigner));
    buf_fill(b, 0, 96);
    buf_u16le(b, e->isvprodid);
    buf_u16le(b, e->isvsvn);
    buf_fill(b, 0, 60);
    buf_put(b, BYTES_ARRAY(e->report_data));
}

static void sgx_body_put(struct buf *q, const struct sim_platform *p,
                         const uint8_t report_data[static 64])
{
    struct enclave e = {.flags = SGX_FLAGS_ENCLAVE, .isvprodid = 1, .isvsvn = 1};

    memcpy(e.cpusvn, p->sgx_svn, sizeof(e.cpusvn));
    sha256(e.mrenclave, BYTES_LIT("tacit simulated enclave"));
    sha256(e.mrsigner, BYTES_LIT("tacit simulated enclave signer"));
    memcpy(e.report_data, report_data, sizeof(e.report_data));
    enclave_put(q, &e);
}

static void td_body_put(const struct sim *sim, struct buf *q, const struct sim_platform *p,
                        const struct sim_registers *regs, const uint8_t report_data[static 64])
{
    enum tacit_quote_body body = sim->plan.shape.body;
    uint8_t mrseam[48];

    sha384(mrseam, BYTES_LIT("tacit simulated TDX module"));
    buf_put(q, BYTES_ARRAY(p->tdx_svn));
    buf_put(q, BYTES_ARRAY(mrseam));
    buf_fill(q, 0, 48); /* MRSIGNERSEAM: Intel's */
    buf_fill(q, 0, 8);  /* SEAMATTRIBUTES */
    buf_put(q, BYTES_ARRAY(td_attributes));
    buf_put(q, BYTES_ARRAY(td_xfam));
    buf_put(q, BYTES_ARRAY(regs->mrtd));
    buf_put(q, BYTES_ARRAY(regs->mrconfigid));
    buf_fill(q, 0, 2 * 48); /* MROWNER, MROWNERCONFIG */
    for (size_t i = 0; i < ARRAY_LEN(regs->rtmr); i++)
        buf_put(q, BYTES_ARRAY(regs->rtmr[i]));
    buf_put(q, bytes_make(report_data, 64));
    if (body == TACIT_BODY_TD10)
        return;
    buf_put(q, BYTES_ARRAY(p->tdx_svn2));
    buf_fill(q, 0, 48); /* MRSERVICETD */
    if (body == TACIT_BODY_TD15_EX)
        buf_fill(q, 0, (size_t)(body_len[TACIT_BODY_TD15_EX] - body_len[TACIT_BODY_TD15]));
}

static enum tacit_err sign_part(const struct signkey *key, struct buf *out, struct bytes part)
{
    uint8_t digest[SHA256_LEN];
    uint8_t sig[SIGNKEY_RAW_MAX];
    size_t len;
    enum tacit_err err;

    sha256(digest, part);
    err = signkey_sign_raw(key, sig, &len, BYTES_ARRAY(digest));
    if (err != TACIT_OK)
        return err;
    buf_put(out, bytes_make(sig, len));
    return buf_err(out);
}

/* The QE's report, whose report data binds the attestation key, its signature, and the auth data.
 */
static enum tacit_err qe_put(const struct sim *sim, const struct sim_pki *pki, struct buf *out,
                             const struct sim_platform *p, struct bytes att_key)
{
    struct enclave qe = {.flags = SGX_FLAGS_QE, .isvsvn = p->qe_isvsvn};
    bool is_td = sim_is_td(sim);
    uint8_t auth[QE_AUTH_LEN];
    struct sha256 binding;
    size_t from = out->len;
    enum tacit_err err;

    for (size_t i = 0; i < sizeof(auth); i++)
        auth[i] = (uint8_t)i;
    memcpy(qe.cpusvn, p->sgx_svn, sizeof(qe.cpusvn));
    sha256(qe.mrenclave, BYTES_LIT("tacit simulated quoting enclave"));
    memcpy(qe.mrsigner, sim_qe_mrsigner[is_td], sizeof(qe.mrsigner));
    qe.isvprodid = is_td ? 2 : 1;
    sha256_init(&binding);
    sha256_add(&binding, att_key);
    sha256_add(&binding, BYTES_ARRAY(auth));
    sha256_final(&binding, qe.report_data);
    enclave_put(out, &qe);
    if (out->failed)
        return TACIT_NOMEM;
    sim_spoil(sim, SIM_PART_QE, out->ptr + from, SGX_BODY_LEN);
    err = sign_part(pki->keys[sim_is(sim, SIM_QE_SIGNATURE) ? SIM_KEY_ROGUE : SIM_KEY_PCK], out,
                    bytes_make(out->ptr + from, SGX_BODY_LEN));
    if (err != TACIT_OK)
        return err;
    sim_spoil(sim, SIM_PART_QE_SIGNED, out->ptr + from, SGX_BODY_LEN);
    if (sim_is(sim, SIM_QE_AUTH_DATA))
        auth[0] ^= 1;
    buf_u16le(out, sizeof(auth));
    buf_put(out, BYTES_ARRAY(auth));
    return buf_err(out);
}

/* Type 5: the PCK chain, which ends in a NUL as in real quotes. */
static void chain_put(const struct sim *sim, const struct sim_pki *pki, struct buf *out)
{
    struct buf pem = buf_make(QUOTE_PART_MAX);

    sim_pck_chain(sim, pki, &pem);
    buf_putc(&pem, 0);
    buf_u16le(out, CERT_PCK_CHAIN);
    buf_u32le(out, (uint32_t)pem.len);
    buf_put(out, buf_bytes(&pem));
    out->failed = out->failed || pem.failed;
    buf_done(&pem);
}

/* What follows signature and attestation key: nested in type 6, flat in version 3. */
static void certification_put(const struct sim *sim, struct buf *auth, struct bytes nested)
{
    if (sim->plan.shape.version != 3) {
        buf_u16le(auth, sim_is(sim, SIM_QUOTE_OUTER_TYPE) ? CERT_PCK_CHAIN : CERT_QE_REPORT);
        buf_u32le(auth, (uint32_t)nested.len);
    }
    buf_put(auth, nested);
}

/* Whose key signs the quote, whose is shown, and whose the quoting enclave vouches for: one and the
 * same, unless the plan says otherwise. */
struct attestation {
    const struct signkey *signs, *shown, *vouched;
};

static struct attestation attestation_of(const struct sim *sim, const struct sim_pki *pki,
                                         const struct signkey *ak)
{
    const struct signkey *rogue = pki->keys[SIM_KEY_ROGUE];

    if (sim_is(sim, SIM_QUOTE_SIGNER))
        return (struct attestation){rogue, ak, ak};
    if (sim_is(sim, SIM_KEY_SWAPPED))
        return (struct attestation){rogue, rogue, ak};
    return (struct attestation){ak, ak, ak};
}

static enum tacit_err auth_put(const struct sim *sim, const struct sim_pki *pki, struct buf *quote,
                               const struct sim_platform *p, const struct attestation *by)
{
    struct buf auth = buf_make(QUOTE_PART_MAX);
    struct buf nested = buf_make(QUOTE_PART_MAX);
    uint8_t shown[SIGNKEY_POINT_MAX];
    uint8_t vouched[SIGNKEY_POINT_MAX];
    size_t shown_len = signkey_point(by->shown, shown);
    size_t vouched_len = signkey_point(by->vouched, vouched);
    enum tacit_err err = sign_part(by->signs, &auth, buf_bytes(quote));

    if (sim_is(sim, SIM_KEY_OFF_CURVE)) {
        shown[shown_len - 1] ^= 1;
        vouched[vouched_len - 1] ^= 1;
    }
    buf_put(&auth, bytes_make(shown, shown_len));
    if (err == TACIT_OK)
        err = qe_put(sim, pki, &nested, p, bytes_make(vouched, vouched_len));
    chain_put(sim, pki, &nested);
    certification_put(sim, &auth, buf_bytes(&nested));
    if (sim_is(sim, SIM_QUOTE_STRAY_OCTET))
        buf_putc(&auth, 0);
    if (err == TACIT_OK && (auth.failed || nested.failed))
        err = TACIT_NOMEM;
    buf_u32le(quote, (uint32_t)auth.len);
    buf_put(quote, buf_bytes(&auth));
    buf_done(&auth);
    buf_done(&nested);
    return err == TACIT_OK ? buf_err(quote) : err;
}

/* Header and body, as they will be signed. */
static enum tacit_err signed_part(const struct sim *sim, struct buf *made,
                                  const struct sim_platform *platform,
                                  const struct sim_registers *regs,
                                  const uint8_t report_data[static 64])
{
    uint8_t shown[64];

    memcpy(shown, report_data, sizeof(shown));
    if (sim_is(sim, SIM_REPORT_DATA))
        shown[sizeof(shown) - 1] ^= 1;
    header_put(sim, made);
    if (sim_is_td(sim))
        td_body_put(sim, made, platform, regs, shown);
    else
        sgx_body_put(made, platform, shown);
    if (made->failed)
        return TACIT_NOMEM;
    sim_spoil(sim, SIM_PART_QUOTE, made->ptr, made->len);
    return TACIT_OK;
}

enum tacit_err sim_quote(struct sim *sim, struct buf *quote, const struct sim_registers *regs,
                         const struct signkey *ak, const uint8_t report_data[static 64])
{
    struct buf made = buf_make(QUOTE_PART_MAX);
    struct sim_platform platform;
    const struct sim_pki *pki;
    struct attestation by;
    enum tacit_err err = sim_pki_get(sim, &pki);

    if (err != TACIT_OK)
        return err;
    by = attestation_of(sim, pki, ak);
    sim_platform(sim, &platform);
    err = signed_part(sim, &made, &platform, regs, report_data);
    if (err == TACIT_OK)
        err = auth_put(sim, pki, &made, &platform, &by);
    if (err == TACIT_OK) {
        sim_spoil(sim, SIM_PART_DONE, made.ptr, made.len);
        buf_put(quote, bytes_slice(buf_bytes(&made), 0,
                                   made.len - (sim_is(sim, SIM_QUOTE_TRUNCATED) ? 1 : 0)));
        err = buf_err(quote);
    }
    buf_done(&made);
    return err;
}
