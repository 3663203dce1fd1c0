/* Intel's certification service, simulated: the paths, parameters, headers and statuses of tdx.md
 * 3.1 that verifiers use, and the two paths that a caching service adds. */
#include <string.h>

#include "cli/sim_cli.h"
#include "codec/hex.h"
#include "crypto/cert_make.h"

enum { CHAIN_MAX = 16384, EVALUATION_NUMBER = 19 };

struct endpoint {
    const char *path;
    enum sim_document doc;
    bool is_tdx;
    const char *chain_header; /* NULL: none */
    bool needs_fmspc, needs_ca;
    bool is_hex; /* a PCCS gives the root's CRL as text */
};

static const struct endpoint endpoints[] = {
    {"/tdx/certification/v4/tcb", SIM_DOC_TCB_INFO, true, "tcb-info-issuer-chain", true, false,
     false},
    {"/sgx/certification/v4/tcb", SIM_DOC_TCB_INFO, false, "tcb-info-issuer-chain", true, false,
     false},
    {"/tdx/certification/v4/qe/identity", SIM_DOC_QE_IDENTITY, true,
     "sgx-enclave-identity-issuer-chain", false, false, false},
    {"/sgx/certification/v4/qe/identity", SIM_DOC_QE_IDENTITY, false,
     "sgx-enclave-identity-issuer-chain", false, false, false},
    {"/tdx/certification/v4/tcbevaluationdatanumbers", SIM_DOC_EVAL_NUMBERS, true,
     "tcb-evaluation-data-numbers-issuer-chain", false, false, false},
    {"/sgx/certification/v4/tcbevaluationdatanumbers", SIM_DOC_EVAL_NUMBERS, false,
     "tcb-evaluation-data-numbers-issuer-chain", false, false, false},
    {"/sgx/certification/v4/pckcrl", SIM_DOC_PCK_CRL, true, "sgx-pck-crl-issuer-chain", false, true,
     false},
    {"/sgx/certification/v4/rootcacrl", SIM_DOC_ROOT_CRL, true, NULL, false, false, true},
    {"/IntelSGXRootCA.der", SIM_DOC_ROOT_CRL, true, NULL, false, false, false},
};

struct bytes sim_query(struct bytes query, const char *name)
{
    size_t name_len = strlen(name);

    while (query.len > 0) {
        size_t end = bytes_find_byte(query, '&');
        struct bytes pair = bytes_slice(query, 0, end);

        if (pair.len > name_len && pair.ptr[name_len] == '=' &&
            bytes_starts_with(pair, bytes_of(name)))
            return bytes_make(pair.ptr + name_len + 1, pair.len - name_len - 1);
        query = end == SIZE_MAX ? (struct bytes){NULL, 0} : bytes_slice(query, end + 1, query.len);
    }
    return (struct bytes){NULL, 0};
}

static bool fail(struct sim_answer *out, unsigned status)
{
    buf_reset(&out->body);
    buf_reset(&out->header_value);
    out->header_name = NULL;
    out->status = status;
    return true;
}

/* Everything but letters, digits and -._~ as %XX. */
static void url_encode(struct buf *out, struct bytes text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != 0 && strchr(plain, text.ptr[i]) != NULL)
            buf_putc(out, text.ptr[i]);
        else
            buf_putf(out, "%%%02X", text.ptr[i]);
}

/* The list of the only platform there is. */
static bool platforms(struct sim_answer *out)
{
    uint8_t fmspc[6];

    sim_fmspc(fmspc);
    buf_puts(&out->body, "[{\"fmspc\":\"");
    buf_hex(&out->body, BYTES_ARRAY(fmspc));
    buf_puts(&out->body, "\",\"platform\":\"simulated\"}]");
    out->status = 200;
    out->content_type = "application/json";
    return true;
}

/* 0 if the parameters fit, else the status that Intel's service gives. */
static unsigned parameters_check(const struct endpoint *e, struct bytes query,
                                 struct sim_shape *shape)
{
    struct bytes fmspc = sim_query(query, "fmspc");
    struct bytes ca = sim_query(query, "ca");
    struct bytes number = sim_query(query, "tcbEvaluationDataNumber");
    uint8_t wanted[6];
    uint8_t ours[6];
    uint64_t n;

    sim_fmspc(ours);
    if (e->needs_fmspc && hex_decode_fixed(wanted, sizeof(wanted), fmspc) != TACIT_OK)
        return 400;
    if (e->needs_fmspc && memcmp(wanted, ours, sizeof(ours)) != 0)
        return 404;
    if (e->needs_ca && !bytes_eq_cstr(ca, "platform") && !bytes_eq_cstr(ca, "processor"))
        return 400;
    shape->is_processor_ca = bytes_eq_cstr(ca, "processor");
    if (number.ptr == NULL)
        return 0;
    if (sim_query(query, "update").ptr != NULL || !bytes_to_u64(&n, number, UINT32_MAX))
        return 400;
    return n == EVALUATION_NUMBER ? 0 : n < EVALUATION_NUMBER ? 410 : 404;
}

static void form_apply(struct sim_answer *out, const struct endpoint *e, struct bytes query)
{
    struct buf text = buf_make(out->body.limit);

    out->content_type = "application/json";
    if (e->doc != SIM_DOC_PCK_CRL && e->doc != SIM_DOC_ROOT_CRL)
        return;
    out->content_type = "application/pkix-crl";
    if (e->is_hex)
        buf_hex(&text, buf_bytes(&out->body));
    else if (bytes_eq_cstr(sim_query(query, "encoding"), "pem") || /* Intel's default is PEM */
             (e->needs_ca && sim_query(query, "encoding").ptr == NULL))
        pem_put(&text, "X509 CRL", buf_bytes(&out->body));
    if (text.len > 0 && !text.failed) {
        out->content_type = e->is_hex ? "text/plain" : "application/x-pem-file";
        buf_reset(&out->body);
        buf_put(&out->body, buf_bytes(&text));
    }
    buf_done(&text);
}

static bool answer(struct sim_answer *out, const struct endpoint *e, const struct sim_ask *ask,
                   struct sim *sim)
{
    struct buf chain = buf_make(CHAIN_MAX);
    struct sim_shape shape = sim_shape_default();
    unsigned status = parameters_check(e, ask->query, &shape);
    enum tacit_err err;

    if (status != 0)
        return fail(out, status);
    if (!e->is_tdx)
        shape = (struct sim_shape){.version = 3, .body = TACIT_BODY_SGX};
    err = sim_set_shape(sim, shape);
    if (err == TACIT_OK)
        err = sim_document(sim, e->doc, &out->body, &chain, ask->now_unix_s);
    out->status = 200;
    form_apply(out, e, ask->query);
    if (e->chain_header != NULL) {
        out->header_name = e->chain_header;
        url_encode(&out->header_value, buf_bytes(&chain));
    }
    buf_done(&chain);
    return err == TACIT_OK && !out->body.failed && !out->header_value.failed ? true
                                                                             : fail(out, 500);
}

bool sim_pcs_service(struct sim_answer *out, const struct sim_ask *ask, void *ctx)
{
    bool is_get = bytes_eq_cstr(ask->method, "GET");

    if (bytes_eq_cstr(ask->path, "/sgx/certification/v4/fmspcs"))
        return is_get ? platforms(out) : fail(out, 405);
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++)
        if (bytes_eq_cstr(ask->path, endpoints[i].path))
            return is_get ? answer(out, &endpoints[i], ask, ctx) : fail(out, 405);
    return false;
}
