/* Certificate revocation lists, version 2. */
#include "crypto/cert_make_priv.h"

enum { CRL_VERSION_2 = 1, EXTS_MAX = 256 };

static void entries_put(struct buf *der, const struct crl_spec *spec)
{
    size_t list;

    if (spec->revoked_count == 0)
        return;
    list = der_open(der, DER_SEQUENCE);
    for (size_t i = 0; i < spec->revoked_count; i++) {
        size_t entry = der_open(der, DER_SEQUENCE);

        der_put_unsigned(der, spec->revoked[i].serial);
        der_put_time(der, spec->revoked[i].revoked_unix_s);
        der_close(der, entry);
    }
    der_close(der, list);
}

static void crl_extensions_put(struct buf *der, const struct crl_spec *spec)
{
    uint8_t mem[EXTS_MAX];
    struct buf exts = buf_over(mem, sizeof(mem));
    uint8_t number_mem[16];
    struct buf number = buf_over(number_mem, sizeof(number_mem));

    if (spec->key_id != NULL)
        ext_put_aki(&exts, spec->key_id);
    der_put_u64(&number, DER_INTEGER, spec->number);
    if (spec->has_number)
        ext_put(&exts, "2.5.29.20", false, buf_bytes(&number));
    extensions_put(der, DER_CONTEXT_CONSTRUCTED, buf_bytes(&exts));
}

enum tacit_err crl_make(struct buf *der, const struct crl_spec *spec,
                        const struct signkey *issuer_key)
{
    enum sig_alg alg = spec->alg == SIG_UNKNOWN ? signkey_alg(issuer_key) : spec->alg;
    size_t crl = der_open(der, DER_SEQUENCE);
    size_t from = der->len;
    size_t tbs = der_open(der, DER_SEQUENCE);
    enum tacit_err err;

    der_put_u64(der, DER_INTEGER, CRL_VERSION_2);
    err = sig_alg_put(der, alg);
    if (err != TACIT_OK)
        return err;
    buf_put(der, spec->issuer_name);
    der_put_time(der, spec->this_update_unix_s);
    der_put_time(der, spec->next_update_unix_s);
    entries_put(der, spec);
    crl_extensions_put(der, spec);
    der_close(der, tbs);
    err = signed_put(der, from, alg, issuer_key);
    der_close(der, crl);
    return err == TACIT_OK ? buf_err(der) : err;
}
