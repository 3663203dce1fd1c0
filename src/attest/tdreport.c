/* TDREPORT, the local report from which quotes are made (tdx.md 1.4). */
#include "attest/quote.h"
#include "base/reader.h"
#include "crypto/sha2.h"

enum { TCB_INFO_AT = 256, TCB_INFO_LEN = 239, TD_INFO_AT = 512, TD_INFO_LEN = 512 };

static void mac_struct_read(struct tdreport *t, struct bytes in)
{
    struct reader r = reader_over(bytes_slice(in, 0, TCB_INFO_AT));

    t->type = read_u8(&r);
    t->subtype = read_u8(&r);
    t->version = read_u8(&r);
    read_bytes(&r, 13);
    t->cpusvn = read_bytes(&r, 16);
    t->tee_tcb_info_hash = read_bytes(&r, 48);
    t->tee_info_hash = read_bytes(&r, 48);
    t->report_data = read_bytes(&r, 64);
    read_bytes(&r, 32);
    t->mac = read_bytes(&r, 32);
    t->td.report_data = t->report_data;
}

static void tcb_info_read(struct tdreport *t, struct bytes in)
{
    struct reader r = reader_over(bytes_slice(in, TCB_INFO_AT, TCB_INFO_LEN));

    t->tcb_valid_mask = read_u64le(&r);
    t->td.tee_tcb_svn = read_bytes(&r, 16);
    t->td.mrseam = read_bytes(&r, 48);
    t->td.mrsignerseam = read_bytes(&r, 48);
    t->td.seam_attributes = read_bytes(&r, 8);
    t->td.tee_tcb_svn2 = read_bytes(&r, 16);
}

static void td_info_read(struct tdreport *t, struct bytes in)
{
    struct reader r = reader_over(bytes_slice(in, TD_INFO_AT, TD_INFO_LEN));

    t->td.td_attributes = read_bytes(&r, 8);
    t->td.xfam = read_bytes(&r, 8);
    t->td.mrtd = read_bytes(&r, 48);
    t->td.mrconfigid = read_bytes(&r, 48);
    t->td.mrowner = read_bytes(&r, 48);
    t->td.mrownerconfig = read_bytes(&r, 48);
    for (size_t i = 0; i < 4; i++)
        t->td.rtmr[i] = read_bytes(&r, 48);
    t->td.mrservicetd = read_bytes(&r, 48);
}

static bool digest_fits(struct bytes digest, struct bytes part)
{
    uint8_t computed[SHA384_LEN];

    sha384(computed, part);
    return bytes_eq(digest, BYTES_ARRAY(computed));
}

enum tacit_err tdreport_parse(struct tdreport *out, struct bytes in)
{
    struct tdreport t = {0};

    *out = t;
    if (in.len != TDREPORT_LEN)
        return TACIT_FORMAT;
    mac_struct_read(&t, in);
    if (t.type != QUOTE_TEE_TDX || t.subtype != 0 || t.version > 1)
        return TACIT_FORMAT;
    tcb_info_read(&t, in);
    td_info_read(&t, in);
    if (!digest_fits(t.tee_tcb_info_hash, bytes_slice(in, TCB_INFO_AT, TCB_INFO_LEN)) ||
        !digest_fits(t.tee_info_hash, bytes_slice(in, TD_INFO_AT, TD_INFO_LEN)))
        return TACIT_MISMATCH;
    *out = t;
    return TACIT_OK;
}
