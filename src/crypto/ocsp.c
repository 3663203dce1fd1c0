/* OCSP reading and verification. Invariant: whoever signed must be the issuer or carry the issuer's
 * own word for OCSP signing; certificates in an answer give no trust by being there. */
#include "crypto/ocsp.h"

#include <openssl/evp.h>

#include "crypto/sha2.h"
#include "crypto/x509_priv.h"

enum { SHA1_LEN = 20, HASH_MAX = SHA384_LEN };

static const uint8_t oid_basic[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
static const uint8_t oid_nonce[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};
static const uint8_t oid_ocsp_signing[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09};
static const uint8_t oid_sha1[] = {0x2b, 0x0e, 0x03, 0x02, 0x1a};
static const uint8_t oid_sha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t oid_sha384[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
static const uint8_t oid_constraints[] = {0x55, 0x1d, 0x13};
static const uint8_t oid_key_usage[] = {0x55, 0x1d, 0x0f};
static const uint8_t oid_ext_key_usage[] = {0x55, 0x1d, 0x25};

/* CertID, and the hash's parameters absent or NULL. */
static void cert_id_read(struct ocsp_entry *e, struct der *d)
{
    struct der id = der_enter(d, DER_SEQUENCE);
    struct der alg = der_enter(&id, DER_SEQUENCE);

    e->hash_oid = der_oid(&alg);
    if (der_peek(&alg) == DER_NULL && der_read(&alg, DER_NULL).len != 0)
        der_fail(d);
    e->issuer_name_hash = der_read(&id, DER_OCTET_STRING);
    e->issuer_key_hash = der_read(&id, DER_OCTET_STRING);
    e->serial = der_unsigned(&id);
    if (!der_finished(&alg) || !der_finished(&id))
        der_fail(d);
}

static void status_read(struct ocsp_entry *e, struct der *d)
{
    struct der revoked, reason;
    uint8_t tag;
    struct bytes content = der_any(d, &tag, NULL);

    e->reason = OCSP_REASON_NONE;
    if ((tag == (DER_CONTEXT | 0) || tag == (DER_CONTEXT | 2)) && content.len == 0) {
        e->state = tag == (DER_CONTEXT | 0) ? OCSP_STATE_GOOD : OCSP_STATE_UNKNOWN;
        return;
    }
    revoked = der_over(content);
    e->state = OCSP_STATE_REVOKED;
    der_time(&revoked);
    if (der_peek(&revoked) == (DER_CONTEXT_CONSTRUCTED | 0)) {
        reason = der_enter(&revoked, DER_CONTEXT_CONSTRUCTED | 0);
        e->reason = (int)der_u64(&reason, DER_ENUMERATED, 10);
        if (!der_finished(&reason))
            der_fail(d);
    }
    if (tag != (DER_CONTEXT_CONSTRUCTED | 1) || !der_finished(&revoked))
        der_fail(d);
}

/* Extensions in their explicit tag: none may be critical and unknown; the nonce goes to *nonce. */
static void extensions_read(struct bytes *nonce, struct der *d, uint8_t tag)
{
    struct der outer, list;

    if (der_peek(d) != tag)
        return;
    outer = der_enter(d, tag);
    list = der_enter(&outer, DER_SEQUENCE);
    while (der_ok(&list) && list.rest.len > 0) {
        struct x509_extension ext = x509_extension_read(&list);
        struct der value = der_over(ext.value);

        if (nonce != NULL && bytes_eq(ext.oid, BYTES_ARRAY(oid_nonce))) {
            if (nonce->ptr != NULL)
                der_fail(d);
            *nonce = der_read(&value, DER_OCTET_STRING);
            if (!der_finished(&value) || nonce->len == 0)
                der_fail(d);
        } else if (ext.is_critical) {
            der_fail(d);
        }
    }
    if (!der_finished(&list) || !der_finished(&outer))
        der_fail(d);
}

static void entry_read(struct ocsp_entry *e, struct der *list)
{
    struct der single = der_enter(list, DER_SEQUENCE);
    struct der next;

    cert_id_read(e, &single);
    status_read(e, &single);
    e->this_update_unix_s = der_time(&single);
    if (der_peek(&single) == (DER_CONTEXT_CONSTRUCTED | 0)) {
        next = der_enter(&single, DER_CONTEXT_CONSTRUCTED | 0);
        e->next_update_unix_s = der_time(&next);
        e->has_next_update = true;
        if (!der_finished(&next))
            der_fail(list);
    }
    extensions_read(NULL, &single, DER_CONTEXT_CONSTRUCTED | 1);
    if (!der_finished(&single))
        der_fail(list);
}

static void responder_read(struct ocsp_answer *out, struct der *d)
{
    uint8_t tag;
    struct der id = der_over(der_any(d, &tag, NULL));

    if (tag == (DER_CONTEXT_CONSTRUCTED | 1))
        out->responder_name = der_whole(&id, DER_SEQUENCE);
    else if (tag == (DER_CONTEXT_CONSTRUCTED | 2))
        out->responder_key_hash = der_read(&id, DER_OCTET_STRING);
    else
        der_fail(d);
    if (!der_finished(&id))
        der_fail(d);
}

/* ResponseData. A version is there only if it is not the default, and no other is defined. */
static enum tacit_err data_read(struct ocsp_answer *out, struct bytes tbs)
{
    struct der whole = der_over(tbs);
    struct der d = der_enter(&whole, DER_SEQUENCE);
    struct der list;

    responder_read(out, &d);
    der_time(&d);
    list = der_enter(&d, DER_SEQUENCE);
    while (der_ok(&list) && list.rest.len > 0) {
        if (out->entry_count == OCSP_ENTRIES_MAX)
            return TACIT_LIMIT;
        entry_read(&out->entries[out->entry_count++], &list);
    }
    extensions_read(&out->nonce, &d, DER_CONTEXT_CONSTRUCTED | 1);
    return der_finished(&list) && der_finished(&d) && der_finished(&whole) && out->entry_count > 0
               ? TACIT_OK
               : TACIT_FORMAT;
}

static enum tacit_err certs_read(struct ocsp_answer *out, struct der *d)
{
    struct der outer = der_enter(d, DER_CONTEXT_CONSTRUCTED | 0);
    struct der list = der_enter(&outer, DER_SEQUENCE);

    while (der_ok(&list) && list.rest.len > 0) {
        struct bytes cert = der_whole(&list, DER_SEQUENCE);

        if (out->cert_count == OCSP_CERTS_MAX)
            return TACIT_LIMIT;
        if (x509_parse(&out->certs[out->cert_count], cert) != TACIT_OK)
            return TACIT_FORMAT;
        out->cert_count++;
    }
    return der_finished(&list) && der_finished(&outer) ? TACIT_OK : TACIT_FORMAT;
}

static enum tacit_err basic_read(struct ocsp_answer *out, struct bytes basic)
{
    struct der whole = der_over(basic);
    struct der d = der_enter(&whole, DER_SEQUENCE);
    enum tacit_err err;

    out->tbs = der_whole(&d, DER_SEQUENCE);
    out->sig_alg = x509_alg(der_whole(&d, DER_SEQUENCE));
    out->sig = der_bits(&d);
    if (!der_ok(&d))
        return TACIT_FORMAT;
    err = data_read(out, out->tbs);
    if (err == TACIT_OK && der_peek(&d) == (DER_CONTEXT_CONSTRUCTED | 0))
        err = certs_read(out, &d);
    if (err == TACIT_OK && (!der_finished(&d) || !der_finished(&whole)))
        err = TACIT_FORMAT;
    return err;
}

static enum tacit_err answer_read(struct ocsp_answer *out, struct bytes in)
{
    struct der whole = der_over(in);
    struct der d = der_enter(&whole, DER_SEQUENCE);
    struct der outer, bytes;
    struct bytes oid, basic;

    out->response_status = (uint8_t)der_u64(&d, DER_ENUMERATED, 6);
    if (out->response_status != OCSP_RESPONSE_OK)
        return der_finished(&d) && der_finished(&whole) ? TACIT_OK : TACIT_FORMAT;
    outer = der_enter(&d, DER_CONTEXT_CONSTRUCTED | 0);
    bytes = der_enter(&outer, DER_SEQUENCE);
    oid = der_oid(&bytes);
    basic = der_read(&bytes, DER_OCTET_STRING);
    if (!der_finished(&bytes) || !der_finished(&outer) || !der_finished(&d) ||
        !der_finished(&whole) || !bytes_eq(oid, BYTES_ARRAY(oid_basic)))
        return TACIT_FORMAT;
    return basic_read(out, basic);
}

enum tacit_err ocsp_parse(struct ocsp_answer *out, struct bytes in)
{
    enum tacit_err err;

    *out = (struct ocsp_answer){0};
    err = answer_read(out, in);
    if (err != TACIT_OK)
        *out = (struct ocsp_answer){0};
    return err;
}

static bool sha1(uint8_t out[static SHA1_LEN], struct bytes in)
{
    unsigned len = SHA1_LEN;

    return EVP_Digest(in.ptr, in.len, out, &len, EVP_sha1(), NULL) == 1;
}

/* Digest by the OID's algorithm; its length, or 0 for an algorithm that is not accepted. */
static size_t hash_by_oid(uint8_t out[static HASH_MAX], struct bytes oid, struct bytes in)
{
    if (bytes_eq(oid, BYTES_ARRAY(oid_sha384))) {
        sha384(out, in);
        return SHA384_LEN;
    }
    if (bytes_eq(oid, BYTES_ARRAY(oid_sha256))) {
        sha256(out, in);
        return SHA256_LEN;
    }
    if (bytes_eq(oid, BYTES_ARRAY(oid_sha1)) && sha1(out, in))
        return SHA1_LEN;
    return 0;
}

/* Content of the BIT STRING in a SubjectPublicKeyInfo: what key hashes are made of. */
static struct bytes key_bits(const struct x509_cert *cert)
{
    struct der whole = der_over(cert->spki);
    struct der spki = der_enter(&whole, DER_SEQUENCE);

    der_read(&spki, DER_SEQUENCE);
    return der_bits(&spki);
}

static bool hash_is(struct bytes stated, struct bytes oid, struct bytes in)
{
    uint8_t digest[HASH_MAX];
    size_t len = hash_by_oid(digest, oid, in);

    return len > 0 && bytes_eq(stated, bytes_make(digest, len));
}

const struct ocsp_entry *ocsp_find(const struct ocsp_answer *a, const struct x509_cert *cert,
                                   const struct x509_cert *issuer)
{
    const struct ocsp_entry *found = NULL;

    for (size_t i = 0; i < a->entry_count; i++) {
        const struct ocsp_entry *e = &a->entries[i];

        if (!bytes_eq(e->serial, cert->serial) ||
            !hash_is(e->issuer_name_hash, e->hash_oid, issuer->subject) ||
            !hash_is(e->issuer_key_hash, e->hash_oid, key_bits(issuer)))
            continue;
        if (found != NULL)
            return NULL;
        found = e;
    }
    return found;
}

static bool is_responder(const struct ocsp_answer *a, const struct x509_cert *cert)
{
    uint8_t digest[SHA1_LEN];

    if (a->responder_name.len > 0)
        return bytes_eq(a->responder_name, cert->subject);
    return sha1(digest, key_bits(cert)) && bytes_eq(a->responder_key_hash, BYTES_ARRAY(digest));
}

/* A certificate made for signing OCSP answers, with no critical extension beyond what we judge. */
static bool may_answer(const struct x509_cert *cert)
{
    struct der list = der_over(cert->extensions);
    bool signs_ocsp = false;

    while (der_ok(&list) && list.rest.len > 0) {
        struct x509_extension ext = x509_extension_read(&list);
        struct der value = der_over(ext.value);
        struct der usages = der_enter(&value, DER_SEQUENCE);
        bool is_usage = bytes_eq(ext.oid, BYTES_ARRAY(oid_ext_key_usage));

        while (is_usage && der_ok(&usages) && usages.rest.len > 0)
            signs_ocsp |= bytes_eq(der_oid(&usages), BYTES_ARRAY(oid_ocsp_signing));
        if (ext.is_critical && !is_usage && !bytes_eq(ext.oid, BYTES_ARRAY(oid_constraints)) &&
            !bytes_eq(ext.oid, BYTES_ARRAY(oid_key_usage)))
            return false;
    }
    return signs_ocsp && der_ok(&list) &&
           (!cert->has_usage || (cert->usage & X509_USE_SIGNATURE) != 0);
}

/* The responder's certificate: the issuer's own, or one that the issuer issued for the purpose. */
static enum tacit_err responder_find(const struct x509_cert **out, const struct ocsp_answer *a,
                                     const struct x509_cert *issuer,
                                     const struct pubkey *issuer_key)
{
    if (is_responder(a, issuer)) {
        *out = issuer;
        return TACIT_OK;
    }
    for (size_t i = 0; i < a->cert_count; i++) {
        const struct x509_cert *c = &a->certs[i];

        if (!is_responder(a, c) || !may_answer(c))
            continue;
        if (x509_issues(issuer, issuer_key, c, 0) != TACIT_OK)
            continue;
        *out = c;
        return TACIT_OK;
    }
    return TACIT_UNTRUSTED;
}

enum tacit_err ocsp_verify(const struct ocsp_answer *a, const struct x509_cert *issuer,
                           int64_t now_unix_s)
{
    const struct x509_cert *responder = NULL;
    struct pubkey *issuer_key = NULL;
    struct pubkey *key = NULL;
    enum tacit_err err = x509_key(&issuer_key, issuer, NULL);

    if (err == TACIT_OK)
        err = responder_find(&responder, a, issuer, issuer_key);
    if (err == TACIT_OK && !x509_valid_at(responder, now_unix_s))
        err = TACIT_EXPIRED;
    if (err == TACIT_OK)
        err = x509_key(&key, responder, NULL);
    if (err == TACIT_OK)
        err = pubkey_verify(key, a->sig_alg, a->sig, a->tbs);
    pubkey_free(key);
    pubkey_free(issuer_key);
    return err;
}
