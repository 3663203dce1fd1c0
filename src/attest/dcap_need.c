/* Which collateral a quote asks for, read from its unverified chain. */
#include "attest/dcap_priv.h"

enum { NEED_ARENA_BYTES = 256 * 1024 };

static enum tacit_err need_read(struct tacit_collateral_need *out, const struct tacit_quote *q,
                                struct arena *arena)
{
    struct x509_cert chain[4];
    struct sgx_ext ext;
    struct bytes value;
    bool is_critical;
    size_t count;
    enum tacit_err err = x509_parse_pem(chain, ARRAY_LEN(chain), &count, q->cert_data, arena);

    if (err != TACIT_OK)
        return err == TACIT_NOMEM ? err : TACIT_FORMAT;
    if (!x509_ext(&chain[0], BYTES_ARRAY(sgx_ext_oid), &value, &is_critical) ||
        sgx_ext_parse(&ext, value) != TACIT_OK)
        return TACIT_FORMAT;
    memcpy(out->fmspc, ext.fmspc, sizeof(out->fmspc));
    out->is_platform_ca = bytes_eq_cstr(chain[0].issuer_cn, "Intel SGX PCK Platform CA");
    out->is_tdx = q->body != TACIT_BODY_SGX;
    return TACIT_OK;
}

enum tacit_err tacit_quote_need(struct tacit_collateral_need *out, struct bytes quote)
{
    struct arena arena = arena_make(NEED_ARENA_BYTES);
    struct tacit_quote q;
    enum tacit_err err;

    *out = (struct tacit_collateral_need){0};
    err = tacit_quote_parse(&q, quote, NULL);
    if (err == TACIT_OK && q.cert_type != CERT_TYPE_PCK_CHAIN)
        err = TACIT_UNSUPPORTED;
    if (err == TACIT_OK)
        err = need_read(out, &q, &arena);
    arena_done(&arena);
    return err;
}
