/* The layout of SEV-SNP reports. Parsing verifies nothing. */
#include "attest/snp.h"
#include "base/reader.h"

enum { SIGNED_LEN = 0x2a0, SIG_HALF_LEN = 72, SIG_REST_LEN = 368 };

static void head_read(struct tacit_snp_report *q, struct reader *r)
{
    q->version = read_u32le(r);
    q->guest_svn = read_u32le(r);
    q->policy = read_u64le(r);
    q->family_id = read_bytes(r, 16);
    q->image_id = read_bytes(r, 16);
    q->vmpl = read_u32le(r);
    q->sig_algo = read_u32le(r);
    q->current_tcb = read_bytes(r, 8);
    q->platform_info = read_u64le(r);
    q->key_flags = read_u32le(r);
    read_u32le(r);
    q->report_data = read_bytes(r, 64);
    q->measurement = read_bytes(r, 48);
    q->host_data = read_bytes(r, 32);
    q->id_key_digest = read_bytes(r, 48);
    q->author_key_digest = read_bytes(r, 48);
    q->report_id = read_bytes(r, 32);
    q->report_id_ma = read_bytes(r, 32);
    q->reported_tcb = read_bytes(r, 8);
}

static void platform_read(struct tacit_snp_report *q, struct reader *r)
{
    q->cpuid_family = read_u8(r);
    q->cpuid_model = read_u8(r);
    q->cpuid_stepping = read_u8(r);
    read_bytes(r, 21);
    q->chip_id = read_bytes(r, 64);
    q->committed_tcb = read_bytes(r, 8);
    q->current_build = read_u8(r);
    q->current_minor = read_u8(r);
    q->current_major = read_u8(r);
    read_u8(r);
    q->committed_build = read_u8(r);
    q->committed_minor = read_u8(r);
    q->committed_major = read_u8(r);
    read_u8(r);
    q->launch_tcb = read_bytes(r, 8);
    q->launch_mitigations = read_u64le(r);
    q->current_mitigations = read_u64le(r);
    read_bytes(r, SIGNED_LEN - 0x208);
}

/* Fields that older versions do not have are reserved there and mean nothing. */
static void versions_settle(struct tacit_snp_report *q)
{
    if (q->version < 3)
        q->cpuid_family = q->cpuid_model = q->cpuid_stepping = 0;
    if (q->version < 5)
        q->launch_mitigations = q->current_mitigations = 0;
}

enum tacit_err tacit_snp_parse(struct tacit_snp_report *out, struct bytes in)
{
    struct reader r = reader_over(in);
    struct tacit_snp_report q = {0};

    head_read(&q, &r);
    platform_read(&q, &r);
    q.signed_part = bytes_slice(in, 0, SIGNED_LEN);
    q.sig_r = read_bytes(&r, SIG_HALF_LEN);
    q.sig_s = read_bytes(&r, SIG_HALF_LEN);
    q.sig_rest = read_bytes(&r, SIG_REST_LEN);
    *out = (struct tacit_snp_report){0};
    if (!reader_finished(&r) || q.version < 2 || q.version > 5)
        return TACIT_FORMAT;
    versions_settle(&q);
    *out = q;
    return TACIT_OK;
}

struct tacit_snp_tcb tacit_snp_tcb_of(struct bytes tcb8, enum tacit_snp_product product)
{
    struct tacit_snp_tcb out = {0};

    if (tcb8.len != 8)
        return out;
    if (product == TACIT_SNP_TURIN)
        return (struct tacit_snp_tcb){.fmc = tcb8.ptr[0],
                                      .boot_loader = tcb8.ptr[1],
                                      .tee = tcb8.ptr[2],
                                      .snp = tcb8.ptr[3],
                                      .microcode = tcb8.ptr[7]};
    return (struct tacit_snp_tcb){.boot_loader = tcb8.ptr[0],
                                  .tee = tcb8.ptr[1],
                                  .snp = tcb8.ptr[6],
                                  .microcode = tcb8.ptr[7]};
}

const char *tacit_snp_product_name(enum tacit_snp_product product)
{
    switch (product) {
    case TACIT_SNP_MILAN:
        return "Milan";
    case TACIT_SNP_GENOA:
        return "Genoa";
    case TACIT_SNP_TURIN:
        return "Turin";
    case TACIT_SNP_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}
