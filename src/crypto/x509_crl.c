/* Certificate revocation lists. Invariant: a parsed list has only well-formed entries, so lookups
 * need not judge them again. */
#include <stdlib.h>

#include "base/limits.h"
#include "crypto/x509_priv.h"

static const uint8_t oid_number[] = {0x55, 0x1d, 0x14};
static const uint8_t oid_aki[] = {0x55, 0x1d, 0x23};

/* One entry: serial, date, perhaps extensions, none of them critical. */
static struct bytes entry_read(struct der *list)
{
    struct der entry = der_enter(list, DER_SEQUENCE);
    struct bytes serial = der_unsigned(&entry);

    der_time(&entry);
    if (der_ok(&entry) && entry.rest.len > 0) {
        struct der exts = der_enter(&entry, DER_SEQUENCE);

        while (der_ok(&exts) && exts.rest.len > 0)
            if (x509_extension_read(&exts).is_critical)
                der_fail(&exts);
        if (!der_ok(&exts))
            der_fail(&entry);
    }
    if (!der_finished(&entry) || serial.len > 20)
        der_fail(list);
    return serial;
}

static bool entries_check(struct x509_crl *c)
{
    struct der list = der_over(c->revoked);

    while (der_ok(&list) && list.rest.len > 0) {
        entry_read(&list);
        c->revoked_count++;
    }
    return der_ok(&list);
}

static bool extension_take(struct x509_crl *c, const struct x509_extension *e)
{
    struct der value = der_over(e->value);

    if (bytes_eq(e->oid, BYTES_ARRAY(oid_number))) {
        if (c->has_number)
            return false;
        c->number = der_unsigned(&value);
        c->has_number = der_finished(&value);
        return c->has_number;
    }
    if (bytes_eq(e->oid, BYTES_ARRAY(oid_aki)))
        return c->aki.len == 0 && x509_aki_read(&c->aki, e->value);
    return !e->is_critical;
}

static bool extensions_read(struct x509_crl *c, struct der *tbs)
{
    struct der outer = der_enter(tbs, DER_CONTEXT_CONSTRUCTED | 0);
    struct der seq = der_enter(&outer, DER_SEQUENCE);

    while (der_ok(&seq) && seq.rest.len > 0) {
        struct x509_extension e = x509_extension_read(&seq);

        if (der_ok(&seq) && !extension_take(c, &e))
            return false;
    }
    return der_ok(&seq) && der_finished(&outer);
}

static bool tbs_read(struct x509_crl *c, struct bytes content, struct bytes *alg)
{
    struct der tbs = der_over(content);

    if (der_u64(&tbs, DER_INTEGER, 1) != 1 || !der_ok(&tbs))
        return false;
    *alg = der_whole(&tbs, DER_SEQUENCE);
    c->issuer = der_whole(&tbs, DER_SEQUENCE);
    c->issuer_cn = x509_name_cn(&tbs, c->issuer);
    c->this_update_unix_s = der_time(&tbs);
    c->next_update_unix_s = der_time(&tbs);
    if (der_peek(&tbs) == DER_SEQUENCE)
        c->revoked = der_read(&tbs, DER_SEQUENCE);
    if (!der_ok(&tbs) || !entries_check(c))
        return false;
    if (tbs.rest.len > 0 && !extensions_read(c, &tbs))
        return false;
    return der_finished(&tbs);
}

enum tacit_err x509_crl_parse(struct x509_crl *out, struct bytes in)
{
    struct der outer = der_over(in);
    struct der seq = der_enter(&outer, DER_SEQUENCE);
    struct bytes inner_alg = {NULL, 0};
    struct bytes outer_alg;
    struct x509_crl c = {0};
    struct bytes tbs;

    *out = c;
    if (in.len > LIMIT_CRL_BYTES)
        return TACIT_LIMIT;
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

bool x509_crl_valid_at(const struct x509_crl *crl, int64_t unix_s)
{
    return crl->this_update_unix_s <= unix_s && unix_s <= crl->next_update_unix_s;
}

enum tacit_err x509_crl_issued_by(const struct x509_crl *crl, const struct x509_cert *ca,
                                  const struct pubkey *ca_key)
{
    if (!bytes_eq(crl->issuer, ca->subject))
        return TACIT_MISMATCH;
    if (crl->aki.len > 0 && !bytes_eq(crl->aki, ca->ski))
        return TACIT_MISMATCH;
    if (!ca->is_ca || !ca->has_usage || !(ca->usage & X509_USE_CRL_SIGN) ||
        ca->has_unknown_critical)
        return TACIT_UNTRUSTED;
    return pubkey_verify(ca_key, crl->sig_alg, crl->sig, crl->tbs);
}

/* Serial of the next entry of a list that has been checked. */
static struct bytes serial_next(struct der *list)
{
    struct der entry = der_enter(list, DER_SEQUENCE);

    return der_unsigned(&entry);
}

bool x509_crl_lists(const struct x509_crl *crl, struct bytes serial)
{
    struct der list = der_over(crl->revoked);

    while (der_ok(&list) && list.rest.len > 0)
        if (bytes_eq(serial_next(&list), serial))
            return true;
    return false;
}

static int serial_order(const void *a, const void *b)
{
    return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

enum tacit_err x509_revoked_make(struct x509_revoked *out, const struct x509_crl *crl,
                                 struct arena *arena)
{
    struct der list = der_over(crl->revoked);
    struct bytes *serials;
    size_t size;

    *out = (struct x509_revoked){0};
    if (crl->revoked_count == 0)
        return TACIT_OK;
    if (!size_mul(&size, crl->revoked_count, sizeof(*serials)))
        return TACIT_NOMEM;
    serials = arena_alloc(arena, size);
    if (serials == NULL)
        return TACIT_NOMEM;
    for (size_t i = 0; i < crl->revoked_count; i++)
        serials[i] = serial_next(&list);
    qsort(serials, crl->revoked_count, sizeof(*serials), serial_order);
    *out = (struct x509_revoked){serials, crl->revoked_count};
    return TACIT_OK;
}

bool x509_revoked_has(const struct x509_revoked *index, struct bytes serial)
{
    if (index->count == 0)
        return false;
    return bsearch(&serial, index->serials, index->count, sizeof(serial), serial_order) != NULL;
}
