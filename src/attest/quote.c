/* The quote parser: versions 3, 4 and 5, every length consumed exactly. Invariant: every view of a
 * parsed quote lies inside the bytes given; what stands behind the authentication data is kept
 * apart and used by nobody. */
#include "attest/quote.h"

#include "base/reader.h"

const uint8_t quote_vendor_intel[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                        0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

uint64_t quote_u64(struct bytes field)
{
    struct reader r = reader_over(field);
    uint64_t value = read_u64le(&r);

    return reader_finished(&r) ? value : 0;
}

static void sgx_report_read(struct tacit_sgx_report *out, struct reader *outer)
{
    struct reader r;

    out->whole = read_bytes(outer, SGX_REPORT_LEN);
    r = reader_over(out->whole);
    out->cpusvn = read_bytes(&r, 16);
    out->miscselect = read_bytes(&r, 4);
    read_bytes(&r, 28);
    out->attributes = read_bytes(&r, 16);
    out->mrenclave = read_bytes(&r, 32);
    read_bytes(&r, 32);
    out->mrsigner = read_bytes(&r, 32);
    read_bytes(&r, 96);
    out->isvprodid = read_u16le(&r);
    out->isvsvn = read_u16le(&r);
    read_bytes(&r, 60);
    out->report_data = read_bytes(&r, 64);
}

static void td_report_read(struct tacit_td_report *out, struct reader *r,
                           enum tacit_quote_body body)
{
    out->tee_tcb_svn = read_bytes(r, 16);
    out->mrseam = read_bytes(r, 48);
    out->mrsignerseam = read_bytes(r, 48);
    out->seam_attributes = read_bytes(r, 8);
    out->td_attributes = read_bytes(r, 8);
    out->xfam = read_bytes(r, 8);
    out->mrtd = read_bytes(r, 48);
    out->mrconfigid = read_bytes(r, 48);
    out->mrowner = read_bytes(r, 48);
    out->mrownerconfig = read_bytes(r, 48);
    for (size_t i = 0; i < 4; i++)
        out->rtmr[i] = read_bytes(r, 48);
    out->report_data = read_bytes(r, 64);
    if (body == TACIT_BODY_TD10)
        return;
    out->tee_tcb_svn2 = read_bytes(r, 16);
    out->mrservicetd = read_bytes(r, 48);
    if (body == TACIT_BODY_TD15_EX)
        out->extended = read_bytes(r, TD_REPORT_15_EX_LEN - TD_REPORT_15_LEN);
}

static const char *header_read(struct tacit_quote *q, struct reader *r)
{
    q->version = read_u16le(r);
    q->att_key_type = read_u16le(r);
    q->tee_type = read_u32le(r);
    q->header_svn1 = read_u16le(r);
    q->header_svn2 = read_u16le(r);
    q->vendor_id = read_bytes(r, 16);
    q->user_data = read_bytes(r, 20);
    if (!reader_ok(r))
        return NULL;
    if (q->version < 3 || q->version > 5)
        return "the quote's version is not 3, 4 or 5";
    if (q->att_key_type != QUOTE_KEY_P256)
        return "the attestation key is not ECDSA on P-256";
    if (q->tee_type != QUOTE_TEE_SGX && (q->version == 3 || q->tee_type != QUOTE_TEE_TDX))
        return "the TEE type is neither SGX nor TDX";
    if (!bytes_eq(q->vendor_id, BYTES_ARRAY(quote_vendor_intel)))
        return "the quoting enclave is not Intel's (vendor id)";
    return NULL;
}

/* The descriptor of version 5: its type must fit the TEE, its size the type. */
static const char *descriptor_read(struct tacit_quote *q, struct reader *r)
{
    static const uint32_t sizes[] = {0, SGX_REPORT_LEN, TD_REPORT_10_LEN, TD_REPORT_15_LEN,
                                     TD_REPORT_15_EX_LEN};
    uint16_t type = read_u16le(r);
    uint32_t size = read_u32le(r);

    if (!reader_ok(r))
        return NULL;
    if (type < TACIT_BODY_SGX || type > TACIT_BODY_TD15_EX)
        return "the body type is unknown";
    if ((type == TACIT_BODY_SGX) != (q->tee_type == QUOTE_TEE_SGX))
        return "the body type does not belong to the TEE type";
    q->body = (enum tacit_quote_body)type;
    if (size != sizes[type])
        reader_fail(r);
    return NULL;
}

static const char *body_read(struct tacit_quote *q, struct reader *r)
{
    const char *why = NULL;

    q->body = q->tee_type == QUOTE_TEE_SGX ? TACIT_BODY_SGX : TACIT_BODY_TD10;
    if (q->version == 5)
        why = descriptor_read(q, r);
    if (why != NULL)
        return why;
    if (q->body == TACIT_BODY_SGX)
        sgx_report_read(&q->sgx, r);
    else
        td_report_read(&q->td, r, q->body);
    return NULL;
}

static void qe_read(struct tacit_quote *q, struct reader *r)
{
    sgx_report_read(&q->qe, r);
    q->qe_signature = read_bytes(r, 64);
    q->qe_auth_data = read_bytes(r, read_u16le(r));
    q->cert_type = read_u16le(r);
    q->cert_data = read_bytes(r, read_u32le(r));
}

/* Version 3 is flat; 4 and 5 wrap what the quoting enclave says into certification data type 6. */
static const char *auth_read(struct tacit_quote *q, struct reader *r)
{
    struct reader inner;
    uint16_t type;

    q->signature = read_bytes(r, 64);
    q->att_key = read_bytes(r, 64);
    if (q->version == 3) {
        qe_read(q, r);
        return NULL;
    }
    type = read_u16le(r);
    if (reader_ok(r) && type != CERT_TYPE_QE_REPORT)
        return "the certification data of the quote is not of type 6";
    inner = reader_over(read_bytes(r, read_u32le(r)));
    qe_read(q, &inner);
    if (!reader_finished(&inner))
        reader_fail(r);
    return NULL;
}

static enum tacit_err refuse(const char **why, const char *reason, enum tacit_err err)
{
    if (why != NULL)
        *why = reason;
    return err;
}

enum tacit_err tacit_quote_parse(struct tacit_quote *out, struct bytes quote, const char **why)
{
    static const char lengths[] = "the quote is truncated or its lengths contradict each other";
    struct reader r = reader_over(quote);
    struct tacit_quote q = {0};
    const char *reason;
    struct reader auth;

    *out = q;
    if (why != NULL)
        *why = NULL;
    reason = header_read(&q, &r);
    if (reason == NULL)
        reason = body_read(&q, &r);
    if (reason != NULL)
        return refuse(why, reason, TACIT_UNSUPPORTED);
    if (!reader_ok(&r))
        return refuse(why, lengths, TACIT_FORMAT);
    q.signed_part = bytes_slice(quote, 0, quote.len - reader_left(&r));
    q.auth = read_bytes(&r, read_u32le(&r));
    auth = reader_over(q.auth);
    reason = auth_read(&q, &auth);
    if (reason != NULL)
        return refuse(why, reason, TACIT_UNSUPPORTED);
    if (!reader_ok(&r) || !reader_finished(&auth))
        return refuse(why, lengths, TACIT_FORMAT);
    if (q.cert_type < 1 || q.cert_type > 7)
        return refuse(why, "the certification data type is unknown", TACIT_UNSUPPORTED);
    q.trailing = r.rest;
    *out = q;
    return TACIT_OK;
}
