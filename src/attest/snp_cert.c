/* AMD's certificate extensions and product names. */
#include "attest/snp.h"

/* Content of OID 1.3.6.1.4.1.3704.1; the arcs below it follow, one octet each. */
#define AMD_OID "\x2b\x06\x01\x04\x01\x9c\x78\x01"

static bool ext_find(struct bytes *value, const struct x509_cert *leaf, struct bytes oid)
{
    bool is_critical;

    return x509_ext(leaf, oid, value, &is_critical);
}

static bool svn_read(uint8_t *out, const struct x509_cert *leaf, struct bytes oid)
{
    struct bytes value;
    struct der d;

    *out = 0;
    if (!ext_find(&value, leaf, oid))
        return false;
    d = der_over(value);
    *out = (uint8_t)der_u64(&d, DER_INTEGER, 255);
    return der_finished(&d);
}

static bool product_read(enum tacit_snp_product *out, const struct x509_cert *leaf)
{
    struct bytes value;
    struct der d;

    if (!ext_find(&value, leaf, BYTES_LIT(AMD_OID "\x02")))
        return false;
    d = der_over(value);
    *out = snp_product_of_name(der_read(&d, DER_IA5_STRING));
    return der_finished(&d) && *out != TACIT_SNP_UNKNOWN;
}

static bool version_read(const struct x509_cert *leaf)
{
    uint8_t version;

    return svn_read(&version, leaf, BYTES_LIT(AMD_OID "\x01")) && version <= 1;
}

enum tacit_err snp_cert_ext_read(struct snp_cert_ext *out, const struct x509_cert *leaf,
                                 enum tacit_snp_key kind)
{
    struct snp_cert_ext e = {0};
    struct bytes value;
    bool ok = version_read(leaf) && product_read(&e.product, leaf);

    *out = (struct snp_cert_ext){0};
    ok = ok && svn_read(&e.tcb.boot_loader, leaf, BYTES_LIT(AMD_OID "\x03\x01"));
    ok = ok && svn_read(&e.tcb.tee, leaf, BYTES_LIT(AMD_OID "\x03\x02"));
    ok = ok && svn_read(&e.tcb.snp, leaf, BYTES_LIT(AMD_OID "\x03\x03"));
    ok = ok && svn_read(&e.tcb.microcode, leaf, BYTES_LIT(AMD_OID "\x03\x08"));
    e.has_fmc = ext_find(&value, leaf, BYTES_LIT(AMD_OID "\x03\x09"));
    if (e.has_fmc)
        ok = ok && svn_read(&e.tcb.fmc, leaf, BYTES_LIT(AMD_OID "\x03\x09"));
    if (e.product == TACIT_SNP_TURIN)
        ok = ok && e.has_fmc;
    if (!ext_find(&e.hwid, leaf, BYTES_LIT(AMD_OID "\x04")))
        ok = ok && kind == TACIT_SNP_VLEK;
    e.has_csp_id = ext_find(&value, leaf, BYTES_LIT(AMD_OID "\x05"));
    if (!ok || (kind == TACIT_SNP_VLEK && !e.has_csp_id))
        return TACIT_FORMAT;
    *out = e;
    return TACIT_OK;
}

static bool ends_in_word(struct bytes name, struct bytes word)
{
    size_t at = bytes_find(name, word);
    size_t end = at + word.len;

    if (at == SIZE_MAX)
        return false;
    return (at == 0 || name.ptr[at - 1] == '-') && (end == name.len || name.ptr[end] == '-');
}

enum tacit_snp_product snp_product_of_name(struct bytes name)
{
    if (ends_in_word(name, BYTES_LIT("Milan")))
        return TACIT_SNP_MILAN;
    if (ends_in_word(name, BYTES_LIT("Genoa")))
        return TACIT_SNP_GENOA;
    if (ends_in_word(name, BYTES_LIT("Turin")))
        return TACIT_SNP_TURIN;
    return TACIT_SNP_UNKNOWN;
}

enum tacit_snp_product snp_product_of_cpuid(uint8_t family, uint8_t model)
{
    if (family == 0x1a)
        return TACIT_SNP_TURIN;
    if (family != 0x19)
        return TACIT_SNP_UNKNOWN;
    if (model <= 0x0f)
        return TACIT_SNP_MILAN;
    if ((model >= 0x10 && model <= 0x1f) || (model >= 0xa0 && model <= 0xaf))
        return TACIT_SNP_GENOA;
    return TACIT_SNP_UNKNOWN;
}
