/* GPU vectors, the kinds beyond evidence and manifests: OCSP, NRAS, claims, parse results, binding.
 */
#include "gpu_priv.h"

#include <stdio.h>

#include "attest/gpu_binding.h"
#include "attest/gpu_claims.h"
#include "attest/gpu_evidence.h"
#include "attest/gpu_nras.h"
#include "codec/hex.h"

static bool cert_load(struct x509_cert *out, struct gpu_case *c, const char *name)
{
    size_t count;

    return x509_parse_pem(out, 1, &count, gpu_file(c, name), c->arena) == TACIT_OK;
}

void gpu_kind_ocsp(struct gpu_case *c)
{
    struct gpu_ocsp_rules rules = {.now_unix_s = c->now_unix_s};
    struct jval asked = jscan_member(c->json, "ocsp_nonce");
    struct ocsp_answer *answer = arena_alloc(c->arena, sizeof(*answer));
    struct bytes nonce = {NULL, 0}, hex, der = gpu_file(c, "response");
    struct x509_cert cert, issuer;
    enum tacit_row_cause cause;
    const char *why = NULL;
    uint8_t octets[32];

    if (!jscan_is_nothing(asked)) {
        nonce = BYTES_ARRAY(octets);
        if (!jscan_str_view(&hex, asked) || hex_decode_fixed(octets, 32, hex) != TACIT_OK) {
            gpu_conclude(c, "the case's nonce is malformed");
            c->verdict = "bad case";
            return;
        }
    }
    if (!cert_load(&cert, c, "cert") || !cert_load(&issuer, c, "issuer")) {
        gpu_conclude(c, "a certificate cannot be read");
        c->verdict = "bad case";
        return;
    }
    if (ocsp_parse(answer, der) != TACIT_OK) {
        gpu_conclude(c, "the answer cannot be read");
        return;
    }
    switch (gpu_ocsp_judge(&why, &cause, answer, &cert, &issuer, nonce, &rules)) {
    case GPU_OCSP_GOOD:
        c->verdict = "good";
        break;
    case GPU_OCSP_REVOKED:
        c->verdict = "revoked";
        break;
    case GPU_OCSP_UNKNOWN:
        c->verdict = "unknown";
        break;
    case GPU_OCSP_NONE:
    case GPU_OCSP_INVALID:
        c->verdict = "reject";
        break;
    }
    snprintf(c->why, sizeof(c->why), "%s", why == NULL ? "" : why);
}

/* Serials of the evidence that the service was asked about, where the case has it. */
static size_t request_ueids(char ueids[LIMIT_GPU_DEVICES][TACIT_GPU_TEXT_MAX], struct gpu_case *c)
{
    struct tacit_gpu_item items[LIMIT_GPU_DEVICES];
    struct bytes json = gpu_file(c, "request");
    size_t count = 0;
    const char *why;

    if (json.len == 0 || gpu_evidence_read(items, &count, &why, json, c->arena) != TACIT_OK)
        return 0;
    for (size_t i = 0; i < count; i++) {
        struct gpu_chain chain;

        if (gpu_chain_parse(&chain, &why, items[i].chain_pem, c->arena) != TACIT_OK)
            return 0;
        gpu_serial_decimal(ueids[i], chain.certs[0].serial);
    }
    return count;
}

/* NVIDIA's own issuer is compiled in. */
static struct bytes nras_root(struct gpu_case *c)
{
    if (jscan_str_eq_cstr(jscan_member(c->files, "intermediate"),
                          "roots/nras-gpu-intermediate-004.pem"))
        return (struct bytes){NULL, 0};
    return gpu_file(c, "intermediate");
}

void gpu_kind_nras(struct gpu_case *c)
{
    char ueids[LIMIT_GPU_DEVICES][TACIT_GPU_TEXT_MAX] = {{0}};
    struct row_scope s = {.v = c->v, .subject = "nras", .authority = "NRAS"};
    struct tacit_gpu_nras nras = {.response = gpu_file(c, "response"),
                                  .jwks = gpu_file(c, "jwks"),
                                  .intermediate = nras_root(c)};
    struct gpu_nras_expect expect = {.nonce = c->nonce, .now_unix_s = c->now_unix_s};
    size_t sent = request_ueids(ueids, c);
    uint64_t count = 0, status = 200;

    nras.issuer = (const char *)jscan_str_dup(c->arena, jscan_member(c->json, "issuer")).ptr;
    if (!jscan_u64(&count, jscan_member(c->json, "device_count"), LIMIT_GPU_DEVICES))
        count = sent;
    expect.device_count = (size_t)count;
    if (sent > 0)
        expect.ueids = (const char(*)[TACIT_GPU_TEXT_MAX])ueids;
    if (jscan_member(c->json, "http_status").type != JVAL_NONE &&
        !jscan_u64(&status, jscan_member(c->json, "http_status"), 999))
        status = 0;
    gpu_nras_rows(&s, &nras, &expect, c->arena);
    gpu_conclude_rows(c);
    if (status != 200)
        gpu_conclude(c, "the service did not answer with status 200");
}

void gpu_kind_nras_parse(struct gpu_case *c)
{
    gpu_conclude(c, gpu_nras_digests_check(gpu_file(c, "response"), c->arena));
    if (strcmp(c->verdict, "accept") == 0)
        c->verdict = "parse-only";
}

/* Members that a service adds, or that say what only an OCSP answer can. */
static bool is_service_member(struct bytes name)
{
    static const char *const names[] = {"iss", "iat", "nbf", "exp", "jti"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bytes_eq_cstr(name, names[i]))
            return true;
    return false;
}

static bool chain_equal(struct jval a, struct jval b)
{
    struct jiter it = jscan_iter(a);
    struct jval name, val;
    struct bytes key;

    while (jscan_next(&it, &name, &val)) {
        char text[64];

        if (!jscan_str_view(&key, name) || key.len >= sizeof(text))
            return false;
        snprintf(text, sizeof(text), "%.*s", BYTES_FMT(key));
        if (strcmp(text, "x-nvidia-cert-ocsp-status") != 0 &&
            !bytes_eq(val.raw, jscan_member(b, text).raw))
            return false;
    }
    return true;
}

static const char *claims_compare(struct gpu_case *c, struct jval wanted, struct jval ours)
{
    struct jiter it = jscan_iter(wanted);
    struct jval name, val;
    struct bytes key;

    while (jscan_next(&it, &name, &val)) {
        static char text[128];
        struct jval mine;

        if (!jscan_str_view(&key, name) || key.len >= sizeof(text))
            return "a claim has no plain name";
        snprintf(text, sizeof(text), "%.*s", BYTES_FMT(key));
        mine = jscan_member(ours, text);
        if (is_service_member(key))
            continue;
        if (val.type == JVAL_OBJECT ? !chain_equal(val, mine) : !bytes_eq(val.raw, mine.raw)) {
            snprintf(c->why, sizeof(c->why), "claim %s: %.*s instead of %.*s", text,
                     BYTES_FMT(mine.raw), BYTES_FMT(val.raw));
            return c->why;
        }
    }
    return NULL;
}

void gpu_kind_claims(struct gpu_case *c)
{
    static const struct tacit_gpu_policy policy;
    struct tacit_gpu_rim rims[2] = {{TACIT_GPU_RIM_DRIVER, gpu_file(c, "driver_rim")},
                                    {TACIT_GPU_RIM_VBIOS, gpu_file(c, "vbios_rim")}};
    struct tacit_gpu_opts o = {
        .now_unix_s = c->now_unix_s, .rims = rims, .rim_count = 2, .policy = &policy};
    struct tacit_gpu_item item = {gpu_file(c, "report"), gpu_file(c, "chain"), c->arch};
    struct tacit_gpu_facts *facts = arena_alloc(c->arena, sizeof(*facts));
    struct buf json = buf_make(64 * 1024);
    struct jval wanted, ours;

    memcpy(o.nonce, c->nonce, sizeof(o.nonce));
    if (gpu_verify_run(c->v, facts, &item, 1, &o, GPU_RUN_NO_TOPOLOGY) != TACIT_OK)
        gpu_conclude(c, "the run itself failed");
    else
        gpu_conclude_rows(c);
    gpu_claims_write(&json, c->v, "gpu[0]", &facts->devices[0], c->nonce, c->now_unix_s);
    if (jscan_object(&wanted, gpu_file(c, "claims")) != TACIT_OK ||
        jscan_object(&ours, buf_bytes(&json)) != TACIT_OK) {
        gpu_conclude(c, "claims are no JSON");
    } else if (strcmp(c->verdict, "accept") == 0) {
        const char *why = claims_compare(c, jscan_member(wanted, "GPU-0"), ours);

        if (why != NULL)
            c->verdict = "reject";
    }
    buf_done(&json);
}

/* A JSON text that must equal a report's field, in one of the ways the other verifier writes it. */
enum golden_form { GOLDEN_HEX, GOLDEN_TEXT, GOLDEN_ASCII };

static const struct golden {
    const char *name;
    uint16_t type;
    enum golden_form form;
} goldens[] = {
    {"board_id", GPU_TLV_BOARD_ID, GOLDEN_HEX},
    {"chip_sku", GPU_TLV_CHIP_SKU, GOLDEN_TEXT},
    {"chip_sku_mod", GPU_TLV_CHIP_SKU_MOD, GOLDEN_TEXT},
    {"cpr_info", GPU_TLV_CPRINFO, GOLDEN_HEX},
    {"driver_version", GPU_TLV_DRIVER_VERSION, GOLDEN_TEXT},
    {"fwid", GPU_TLV_FWID, GOLDEN_HEX},
    {"gpu_info", GPU_TLV_GPU_INFO, GOLDEN_HEX},
    {"nvdec0_status", GPU_TLV_NVDEC0_STATUS, GOLDEN_ASCII},
    {"project", GPU_TLV_PROJECT, GOLDEN_TEXT},
    {"project_sku", GPU_TLV_PROJECT_SKU, GOLDEN_TEXT},
    {"project_sku_mod", GPU_TLV_PROJECT_SKU_MOD, GOLDEN_HEX},
    {"protected_pcie_status", GPU_TLV_PROTECTED_PCIE, GOLDEN_ASCII},
};

static bool golden_fits(const struct golden *g, const struct gpu_report *r, struct jval wanted)
{
    struct bytes value = gpu_report_tlv(r, g->type);
    char hex[2 * 64 + 1];

    if (wanted.type == JVAL_NONE)
        return true;
    if (g->form == GOLDEN_HEX) {
        if (value.len > 64)
            return false;
        hex_encode(hex, sizeof(hex), value);
        return jscan_str_eq_cstr(wanted, hex);
    }
    while (g->form == GOLDEN_TEXT && value.len > 0 && value.ptr[value.len - 1] == 0)
        value.len--;
    return jscan_str_eq(wanted, value);
}

static const char *golden_numbers(const struct gpu_report *r, struct jval counts,
                                  struct jval values)
{
    struct bytes counters = gpu_report_tlv(r, GPU_TLV_MSRSCNT);

    for (size_t i = 0; i < r->value_count; i++) {
        char name[8], hex[2 * GPU_DIGEST_LEN + 1];
        uint64_t wanted;

        snprintf(name, sizeof(name), "%u", (unsigned)(i + 1) % 1000);
        hex_encode(hex, sizeof(hex), r->values[i]);
        if (!jscan_str_eq_cstr(jscan_member(values, name), hex))
            return "a measurement differs";
        if (counts.type == JVAL_OBJECT &&
            (!jscan_u64(&wanted, jscan_member(counts, name), UINT32_MAX) ||
             counters.len < 4 * (i + 1) ||
             wanted != ((uint32_t)counters.ptr[4 * i] | (uint32_t)counters.ptr[4 * i + 1] << 8 |
                        (uint32_t)counters.ptr[4 * i + 2] << 16 |
                        (uint32_t)counters.ptr[4 * i + 3] << 24)))
            return "a counter differs";
    }
    return NULL;
}

void gpu_kind_parse_golden(struct gpu_case *c)
{
    struct jval claims, config, version;
    struct gpu_report report;
    struct bytes text;
    const char *why;

    if (gpu_report_parse(&report, &why, gpu_file(c, "report"), true) != TACIT_OK) {
        gpu_conclude(c, why);
        return;
    }
    why = "the parse result is no JSON";
    if (jscan_object(&claims, gpu_file(c, "claims")) == TACIT_OK)
        why = golden_numbers(&report,
                             jscan_member(jscan_member(claims, "config"), "measurement_count"),
                             jscan_member(claims, "measurements"));
    config = jscan_member(claims, "config");
    version = jscan_member(config, "vbios_version");
    for (size_t i = 0; i < ARRAY_LEN(goldens) && why == NULL; i++)
        if (!golden_fits(&goldens[i], &report, jscan_member(config, goldens[i].name)))
            why = goldens[i].name;
    if (why == NULL &&
        (!jscan_str_view(&text, version) || !bytes_eq_nocase(text, bytes_of(report.vbios))))
        why = "the VBIOS version differs";
    gpu_conclude(c, why);
}

static bool hex_member_is(struct jval json, const char *name, const uint8_t *octets, size_t len)
{
    struct jval v = jscan_member(json, name);
    char hex[2 * 64 + 1];

    if (v.type == JVAL_NONE)
        return true;
    hex_encode(hex, sizeof(hex), bytes_make(octets, len));
    return jscan_str_eq_cstr(v, hex);
}

/* The test knows the provider by the document; a program has to be told. */
static enum gpu_binding_form form_of(struct jval document)
{
    if (jscan_member(document, "instances").type != JVAL_NONE)
        return GPU_BINDING_FORM_CHUTES;
    if (jscan_member(document, "cpu").type != JVAL_NONE)
        return GPU_BINDING_FORM_TINFOIL;
    return GPU_BINDING_FORM_NEAR;
}

void gpu_kind_binding(struct gpu_case *c)
{
    struct bytes text = gpu_file(c, "document");
    enum tacit_gpu_binding level;
    struct jval document;
    const char *why = "the document is no JSON";

    if (jscan_object(&document, text) == TACIT_OK)
        why = gpu_binding_document(&level, form_of(document), text, c->nonce, c->arena);
    if (why == NULL && level == TACIT_GPU_BINDING_NONE)
        why = "no link was found";
    gpu_conclude(c, why);
    if (!hex_member_is(c->json, "gpu_nonce", c->nonce, sizeof(c->nonce)))
        c->verdict = "other GPU nonce";
}
