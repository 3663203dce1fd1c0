/* Certificates. Invariant: every view of a parsed certificate lies inside its DER. */
#include "crypto/x509_priv.h"

static const uint8_t oid_ski[] = {0x55, 0x1d, 0x0e};
static const uint8_t oid_usage[] = {0x55, 0x1d, 0x0f};
static const uint8_t oid_constraints[] = {0x55, 0x1d, 0x13};
static const uint8_t oid_aki[] = {0x55, 0x1d, 0x23};

static bool constraints_read(struct x509_cert *c, struct bytes value)
{
    struct der outer = der_over(value);
    struct der seq = der_enter(&outer, DER_SEQUENCE);

    c->has_constraints = true;
    c->pathlen = X509_NO_PATHLEN;
    if (der_peek(&seq) == DER_BOOLEAN) {
        c->is_ca = der_bool(&seq);
        if (!c->is_ca)
            return false;
    }
    if (der_peek(&seq) == DER_INTEGER) {
        if (!c->is_ca)
            return false;
        c->pathlen = (int32_t)der_u64(&seq, DER_INTEGER, 255);
    }
    return der_finished(&seq) && der_finished(&outer);
}

/* keyUsage counts bits from the top of the first octet. Bit 8 (decipherOnly) is read, not kept. */
static bool usage_read(struct x509_cert *c, struct bytes value)
{
    struct der outer = der_over(value);
    struct bytes bits = der_read(&outer, DER_BIT_STRING);

    if (!der_finished(&outer) || bits.len < 2 || bits.len > 3 || bits.ptr[0] > 7)
        return false;
    c->has_usage = true;
    for (unsigned i = 0; i < 8; i++)
        if (bits.ptr[1] & (0x80U >> i))
            c->usage |= 1U << i;
    return true;
}

static bool extension_take(struct x509_cert *c, const struct x509_extension *e)
{
    struct der value = der_over(e->value);

    if (bytes_eq(e->oid, BYTES_ARRAY(oid_constraints)))
        return constraints_read(c, e->value);
    if (bytes_eq(e->oid, BYTES_ARRAY(oid_usage)))
        return usage_read(c, e->value);
    if (e->is_critical)
        c->has_unknown_critical = true;
    if (bytes_eq(e->oid, BYTES_ARRAY(oid_ski))) {
        c->ski = der_read(&value, DER_OCTET_STRING);
        return der_finished(&value);
    }
    if (bytes_eq(e->oid, BYTES_ARRAY(oid_aki)))
        return x509_aki_read(&c->aki, e->value);
    return true;
}

static bool extensions_read(struct x509_cert *c, struct der *tbs)
{
    struct der outer = der_enter(tbs, DER_CONTEXT_CONSTRUCTED | 3);
    struct bytes seen[X509_EXTENSIONS_MAX];
    size_t count = 0;
    struct der seq;

    c->extensions = der_read(&outer, DER_SEQUENCE);
    if (!der_finished(&outer))
        return false;
    seq = der_over(c->extensions);
    while (der_ok(&seq) && seq.rest.len > 0) {
        struct x509_extension e = x509_extension_read(&seq);

        if (!der_ok(&seq) || count == X509_EXTENSIONS_MAX)
            return false;
        for (size_t i = 0; i < count; i++)
            if (bytes_eq(seen[i], e.oid))
                return false;
        seen[count++] = e.oid;
        if (!extension_take(c, &e))
            return false;
    }
    return der_ok(&seq);
}

static bool names_read(struct x509_cert *c, struct der *tbs)
{
    struct der validity;

    c->issuer = der_whole(tbs, DER_SEQUENCE);
    validity = der_enter(tbs, DER_SEQUENCE);
    c->not_before_unix_s = der_time(&validity);
    c->not_after_unix_s = der_time(&validity);
    if (!der_finished(&validity))
        der_fail(tbs);
    c->subject = der_whole(tbs, DER_SEQUENCE);
    c->issuer_cn = x509_name_cn(tbs, c->issuer);
    c->subject_cn = x509_name_cn(tbs, c->subject);
    return der_ok(tbs);
}

static bool tbs_read(struct x509_cert *c, struct bytes content, struct bytes *alg)
{
    struct der tbs = der_over(content);
    struct der version = der_enter(&tbs, DER_CONTEXT_CONSTRUCTED | 0);

    if (der_u64(&version, DER_INTEGER, 2) != 2 || !der_finished(&version))
        return false;
    c->serial = der_unsigned(&tbs);
    *alg = der_whole(&tbs, DER_SEQUENCE);
    if (!names_read(c, &tbs) || c->serial.len > 20)
        return false;
    c->spki = der_whole(&tbs, DER_SEQUENCE);
    c->pathlen = X509_NO_PATHLEN;
    if (tbs.rest.len > 0 && !extensions_read(c, &tbs))
        return false;
    return der_finished(&tbs);
}

enum tacit_err x509_parse(struct x509_cert *out, struct bytes in)
{
    struct der outer = der_over(in);
    struct der seq = der_enter(&outer, DER_SEQUENCE);
    struct bytes inner_alg = {NULL, 0};
    struct bytes outer_alg;
    struct x509_cert c = {0};
    struct bytes tbs;

    *out = c;
    c.der = in;
    tbs = der_any(&seq, NULL, &c.tbs);
    outer_alg = der_whole(&seq, DER_SEQUENCE);
    c.sig = der_bits(&seq);
    if (!der_finished(&seq) || !der_finished(&outer) || c.tbs.ptr[0] != DER_SEQUENCE ||
        !tbs_read(&c, tbs, &inner_alg) || !bytes_eq(inner_alg, outer_alg))
        return TACIT_FORMAT;
    c.sig_alg = x509_alg(outer_alg);
    *out = c;
    return TACIT_OK;
}

bool x509_ext(const struct x509_cert *cert, struct bytes oid, struct bytes *value,
              bool *is_critical)
{
    struct der seq = der_over(cert->extensions);

    *value = (struct bytes){NULL, 0};
    *is_critical = false;
    while (der_ok(&seq) && seq.rest.len > 0) {
        struct x509_extension e = x509_extension_read(&seq);

        if (der_ok(&seq) && bytes_eq(e.oid, oid)) {
            *value = e.value;
            *is_critical = e.is_critical;
            return true;
        }
    }
    return false;
}

bool x509_valid_at(const struct x509_cert *cert, int64_t unix_s)
{
    return cert->not_before_unix_s <= unix_s && unix_s <= cert->not_after_unix_s;
}

enum tacit_err x509_key(struct pubkey **out, const struct x509_cert *cert,
                        const struct pubkey *like)
{
    return pubkey_from_spki(out, cert->spki, like);
}

enum tacit_err x509_may_issue(const struct x509_cert *ca, const struct x509_cert *cert,
                              unsigned below)
{
    if (!bytes_eq(ca->subject, cert->issuer))
        return TACIT_MISMATCH;
    if (!ca->has_constraints || !ca->is_ca || !ca->has_usage || !(ca->usage & X509_USE_CERT_SIGN) ||
        ca->has_unknown_critical)
        return TACIT_UNTRUSTED;
    if (ca->pathlen != X509_NO_PATHLEN && below > (unsigned)ca->pathlen)
        return TACIT_UNTRUSTED;
    return TACIT_OK;
}

enum tacit_err x509_verify(const struct x509_cert *cert, const struct pubkey *issuer_key)
{
    return pubkey_verify(issuer_key, cert->sig_alg, cert->sig, cert->tbs);
}

enum tacit_err x509_issues(const struct x509_cert *ca, const struct pubkey *ca_key,
                           const struct x509_cert *cert, unsigned below)
{
    enum tacit_err err = x509_may_issue(ca, cert, below);

    return err != TACIT_OK ? err : x509_verify(cert, ca_key);
}
