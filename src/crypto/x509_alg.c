/* Algorithm identifiers, names and extensions: the parts that certificates and CRLs share. */
#include "crypto/x509_priv.h"

/* Whole AlgorithmIdentifiers. Comparing all bytes pins the parameters, too: absent for ECDSA, NULL
 * for PKCS #1, and for PSS exactly SHA-384, MGF1 with SHA-384, salt 48 (spec: RFC 4055 3.1). */
static const uint8_t alg_ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                           0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t alg_ecdsa_sha384[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                           0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
static const uint8_t alg_rsa_sha256[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                         0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};
static const uint8_t alg_rsa_sha384[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                         0xf7, 0x0d, 0x01, 0x01, 0x0c, 0x05, 0x00};

static const uint8_t oid_pss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
static const uint8_t oid_mgf1[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08};
static const uint8_t oid_sha384[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
static const uint8_t oid_cn[] = {0x55, 0x04, 0x03};

/* AlgorithmIdentifier of SHA-384, whose parameters may be absent or NULL (RFC 4055 2.1). */
static bool hash_is_sha384(struct der *d)
{
    struct der alg = der_enter(d, DER_SEQUENCE);

    if (!bytes_eq(der_oid(&alg), BYTES_ARRAY(oid_sha384)))
        return false;
    if (der_peek(&alg) == DER_NULL)
        return der_read(&alg, DER_NULL).len == 0 && der_finished(&alg);
    return der_finished(&alg);
}

static bool pss_is_sha384(struct der *params)
{
    struct der seq = der_enter(params, DER_SEQUENCE);
    struct der hash = der_enter(&seq, DER_CONTEXT_CONSTRUCTED | 0);
    struct der mgf = der_enter(&seq, DER_CONTEXT_CONSTRUCTED | 1);
    struct der salt = der_enter(&seq, DER_CONTEXT_CONSTRUCTED | 2);
    struct der mgf_alg = der_enter(&mgf, DER_SEQUENCE);
    struct der trailer;

    if (!hash_is_sha384(&hash) || !der_finished(&hash))
        return false;
    if (!bytes_eq(der_oid(&mgf_alg), BYTES_ARRAY(oid_mgf1)) || !hash_is_sha384(&mgf_alg) ||
        !der_finished(&mgf_alg) || !der_finished(&mgf))
        return false;
    if (der_u64(&salt, DER_INTEGER, 48) != 48 || !der_finished(&salt))
        return false;
    if (der_peek(&seq) == (DER_CONTEXT_CONSTRUCTED | 3)) {
        trailer = der_enter(&seq, DER_CONTEXT_CONSTRUCTED | 3);
        if (der_u64(&trailer, DER_INTEGER, 1) != 1 || !der_finished(&trailer))
            return false;
    }
    return der_finished(&seq);
}

enum sig_alg x509_alg(struct bytes algorithm)
{
    struct der outer = der_over(algorithm);
    struct der inner;

    if (bytes_eq(algorithm, BYTES_ARRAY(alg_ecdsa_sha256)))
        return SIG_ECDSA_SHA256;
    if (bytes_eq(algorithm, BYTES_ARRAY(alg_ecdsa_sha384)))
        return SIG_ECDSA_SHA384;
    if (bytes_eq(algorithm, BYTES_ARRAY(alg_rsa_sha256)))
        return SIG_RSA_SHA256;
    if (bytes_eq(algorithm, BYTES_ARRAY(alg_rsa_sha384)))
        return SIG_RSA_SHA384;
    inner = der_enter(&outer, DER_SEQUENCE);
    if (bytes_eq(der_oid(&inner), BYTES_ARRAY(oid_pss)) && pss_is_sha384(&inner) &&
        der_finished(&inner) && der_finished(&outer))
        return SIG_RSA_PSS_SHA384;
    return SIG_UNKNOWN;
}

struct bytes x509_name_cn(struct der *d, struct bytes name)
{
    struct der outer = der_over(name);
    struct der rdns = der_enter(&outer, DER_SEQUENCE);
    struct bytes cn = {NULL, 0};
    bool has_more = false;

    while (der_ok(&rdns) && rdns.rest.len > 0) {
        struct der set = der_enter(&rdns, DER_SET);

        do {
            struct der pair = der_enter(&set, DER_SEQUENCE);
            struct bytes oid = der_oid(&pair);
            struct bytes text = der_any(&pair, NULL, NULL);

            if (!der_finished(&pair))
                der_fail(&set);
            if (bytes_eq(oid, BYTES_ARRAY(oid_cn))) {
                has_more = cn.ptr != NULL;
                cn = text;
            }
        } while (der_ok(&set) && set.rest.len > 0);
        if (!der_ok(&set))
            der_fail(&rdns);
    }
    if (!der_finished(&rdns) || !der_finished(&outer))
        der_fail(d);
    return has_more || !der_ok(d) ? (struct bytes){NULL, 0} : cn;
}

struct x509_extension x509_extension_read(struct der *d)
{
    struct der seq = der_enter(d, DER_SEQUENCE);
    struct x509_extension e = {0};

    e.oid = der_oid(&seq);
    if (der_peek(&seq) == DER_BOOLEAN) {
        e.is_critical = der_bool(&seq);
        /* DER omits a default, so FALSE may not be written; Intel and AMD do omit it. */
        if (!e.is_critical)
            der_fail(&seq);
    }
    e.value = der_read(&seq, DER_OCTET_STRING);
    if (!der_finished(&seq)) {
        der_fail(d);
        return (struct x509_extension){0};
    }
    return e;
}

bool x509_aki_read(struct bytes *out, struct bytes value)
{
    struct der outer = der_over(value);
    struct der seq = der_enter(&outer, DER_SEQUENCE);

    *out = (struct bytes){NULL, 0};
    if (der_peek(&seq) == DER_CONTEXT)
        *out = der_read(&seq, DER_CONTEXT);
    while (der_ok(&seq) && seq.rest.len > 0)
        der_any(&seq, NULL, NULL);
    return der_finished(&seq) && der_finished(&outer);
}
