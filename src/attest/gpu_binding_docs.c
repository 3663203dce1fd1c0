/* Documents of other providers. Hashes are recomputed over the very bytes received (raw JSON
 * values, never re-encoded ones), and nonces come from inside the reports, never from the text
 * around. */
#include "attest/gpu_binding.h"
#include "attest/gpu_report.h"
#include "attest/report_data.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/jscan.h"
#include "crypto/ct.h"
#include "crypto/sha2.h"
#include "crypto/x509.h"

enum {
    TDX_QUOTE_V4 = 4,
    TDX_QUOTE_MIN = 48 + 584, /* header and TD report body */
    TDX_REPORT_DATA = 48 + 520,
};

/* Report data of a version 4 TDX quote. The quote's own verification is done elsewhere. */
static bool report_data_of(uint8_t out[static 64], struct bytes quote)
{
    if (quote.len < TDX_QUOTE_MIN || quote.ptr[0] != TDX_QUOTE_V4 || quote.ptr[1] != 0)
        return false;
    memcpy(out, quote.ptr + TDX_REPORT_DATA, 64);
    return true;
}

static bool quote_base64(uint8_t report_data[static 64], struct jval v, struct arena *arena)
{
    struct bytes text = jscan_str_dup(arena, v);
    size_t room = base64_decoded_max(text.len) + 1;
    uint8_t *mem = text.ptr == NULL ? NULL : arena_alloc(arena, room);
    struct buf b;

    if (mem == NULL)
        return false;
    b = buf_over(mem, room);
    return base64_decode(&b, text, BASE64_STD) == TACIT_OK &&
           report_data_of(report_data, buf_bytes(&b));
}

static bool quote_hex(uint8_t report_data[static 64], struct jval v, struct arena *arena)
{
    struct bytes text = jscan_str_dup(arena, v);
    uint8_t *mem = text.ptr == NULL ? NULL : arena_alloc(arena, text.len / 2 + 1);
    struct buf b;

    if (mem == NULL)
        return false;
    b = buf_over(mem, text.len / 2 + 1);
    return hex_decode(&b, text) == TACIT_OK && report_data_of(report_data, buf_bytes(&b));
}

static bool hex32(uint8_t out[static 32], struct jval v)
{
    struct bytes text;

    return jscan_str_view(&text, v) && hex_decode_fixed(out, 32, text) == TACIT_OK;
}

/* Whether every report of the list was asked for with this nonce. */
static const char *list_nonce_check(struct bytes list, const uint8_t nonce[static 32],
                                    struct arena *arena)
{
    struct tacit_gpu_item items[LIMIT_GPU_DEVICES];
    size_t count;
    const char *why;

    if (gpu_evidence_read(items, &count, &why, list, arena) != TACIT_OK)
        return why;
    if (count == 0)
        return "the document brings no GPU evidence";
    for (size_t i = 0; i < count; i++) {
        struct gpu_report report;

        if (gpu_report_parse(&report, &why, items[i].report, true) != TACIT_OK)
            return why;
        if (!ct_equal(report.nonce, bytes_make(nonce, 32)))
            return "a GPU signed another nonce than the one that binds it";
    }
    return NULL;
}

static const char *near_check(enum tacit_gpu_binding *out, struct jval root,
                              const uint8_t nonce[static 32], struct arena *arena)
{
    uint8_t address[32], spki[32], data[64];
    struct jval fingerprint = jscan_member(root, "tls_cert_fingerprint");
    struct bytes text = {NULL, 0}, payload;
    struct buf b = buf_over(address, sizeof(address));
    bool has_tls = !jscan_is_nothing(fingerprint);

    if (!jscan_str_view(&text, jscan_member(root, "signing_address")))
        return "the document names no signing address";
    if (bytes_starts_with(text, BYTES_LIT("0x")))
        text = bytes_slice(text, 2, text.len);
    if (hex_decode(&b, text) != TACIT_OK || (has_tls && !hex32(spki, fingerprint)))
        return "the signing address or the TLS fingerprint is malformed";
    if (!quote_hex(data, jscan_member(root, "intel_quote"), arena))
        return "the document brings no TDX quote";
    if (!report_data_matches(data, buf_bytes(&b), has_tls ? spki : NULL, nonce))
        return "the quote's report data is not made of this address, key and nonce";
    payload = jscan_str_dup(arena, jscan_member(root, "nvidia_payload"));
    if (payload.ptr == NULL)
        return "the document brings no GPU evidence";
    *out = TACIT_GPU_BINDING_NONCE;
    return list_nonce_check(payload, nonce, arena);
}

static const char *chutes_instance(struct jval instance, const uint8_t nonce[static 32],
                                   struct arena *arena)
{
    uint8_t data[64], derived[32], spki[32];
    char nonce_hex[65];
    struct bytes key = jscan_str_dup(arena, jscan_member(instance, "e2e_pubkey"));
    struct bytes text = jscan_str_dup(arena, jscan_member(instance, "certificate"));
    size_t room = base64_decoded_max(text.len) + 1;
    uint8_t *mem = text.ptr == NULL ? NULL : arena_alloc(arena, room);
    struct x509_cert cert;
    struct sha256 s;
    struct buf b;

    if (key.ptr == NULL || key.len == 0 || mem == NULL ||
        !quote_base64(data, jscan_member(instance, "quote"), arena))
        return "an instance lacks its quote, certificate or session key";
    b = buf_over(mem, room);
    if (base64_decode(&b, text, BASE64_STD) != TACIT_OK ||
        x509_parse(&cert, buf_bytes(&b)) != TACIT_OK)
        return "an instance's certificate cannot be read";
    hex_encode(nonce_hex, sizeof(nonce_hex), bytes_make(nonce, 32));
    sha256_init(&s);
    sha256_add(&s, bytes_of(nonce_hex));
    sha256_add(&s, key);
    sha256_final(&s, derived);
    sha256(spki, cert.spki);
    if (!ct_equal(bytes_make(data, 32), BYTES_ARRAY(derived)))
        return "the quote's report data is not made of this nonce and session key";
    if (!ct_equal(bytes_make(data + 32, 32), BYTES_ARRAY(spki)))
        return "the quote's report data does not name the instance's certificate";
    return list_nonce_check(jscan_member(instance, "gpu_evidence").raw, derived, arena);
}

static const char *chutes_check(enum tacit_gpu_binding *out, struct jval root,
                                const uint8_t nonce[static 32], struct arena *arena)
{
    struct jiter it = jscan_iter(jscan_member(root, "instances"));
    const char *why = "the document names no instance";
    struct jval instance;

    while (jscan_next(&it, NULL, &instance)) {
        why = chutes_instance(instance, nonce, arena);
        if (why != NULL)
            break;
    }
    *out = TACIT_GPU_BINDING_DERIVED_NONCE;
    return why;
}

/* Adds the hash of a raw JSON value if it is there, and checks what the document states about it.
 */
static const char *tinfoil_hash(struct sha256 *s, struct jval value, struct jval stated)
{
    uint8_t digest[32], said[32];

    if (value.type == JVAL_NONE && stated.type == JVAL_NONE)
        return NULL;
    if (value.type == JVAL_NONE || !hex32(said, stated))
        return "the document states evidence and its hash not both";
    sha256(digest, value.raw);
    if (!ct_equal(BYTES_ARRAY(digest), BYTES_ARRAY(said)))
        return "the stated evidence hash is not that of the evidence";
    sha256_add(s, BYTES_ARRAY(digest));
    return NULL;
}

static const char *tinfoil_check(enum tacit_gpu_binding *out, struct jval root,
                                 const uint8_t nonce[static 32], struct arena *arena)
{
    struct jval stated = jscan_member(root, "report_data");
    struct jval gpu = jscan_member(root, "gpu");
    uint8_t tls[32], hpke[32], data[64], wanted[32];
    struct sha256 s;
    const char *why;

    if (!hex32(tls, jscan_member(stated, "tls_key_fp")) ||
        !hex32(hpke, jscan_member(stated, "hpke_key")))
        return "the document does not name its keys";
    if (!quote_base64(data, jscan_member(jscan_member(root, "cpu"), "report"), arena))
        return "the document brings no TDX quote";
    if (gpu.type == JVAL_NONE)
        return "the document brings no GPU evidence";
    sha256_init(&s);
    sha256_add(&s, BYTES_ARRAY(tls));
    sha256_add(&s, BYTES_ARRAY(hpke));
    sha256_add(&s, bytes_make(nonce, 32));
    why = tinfoil_hash(&s, gpu, jscan_member(stated, "gpu_evidence_hash"));
    if (why == NULL)
        why = tinfoil_hash(&s, jscan_member(root, "nvswitch"),
                           jscan_member(stated, "nvswitch_evidence_hash"));
    sha256_final(&s, wanted);
    if (why != NULL)
        return why;
    if (!ct_equal(bytes_make(data, 32), BYTES_ARRAY(wanted)) ||
        !bytes_is_zero(bytes_make(data + 32, 32)))
        return "the quote's report data is not made of these keys, nonce and evidence";
    *out = TACIT_GPU_BINDING_EVIDENCE_HASH;
    return list_nonce_check(jscan_member(gpu, "evidences").raw, nonce, arena);
}

const char *gpu_binding_document(enum tacit_gpu_binding *out, enum gpu_binding_form form,
                                 struct bytes json, const uint8_t nonce[static 32],
                                 struct arena *arena)
{
    const char *why = "the document is no strict JSON object";
    struct jval root;

    *out = TACIT_GPU_BINDING_NONE;
    if (jscan_object(&root, json) != TACIT_OK)
        return why;
    switch (form) {
    case GPU_BINDING_FORM_NEAR:
        why = near_check(out, root, nonce, arena);
        break;
    case GPU_BINDING_FORM_CHUTES:
        why = chutes_check(out, root, nonce, arena);
        break;
    case GPU_BINDING_FORM_TINFOIL:
        why = tinfoil_check(out, root, nonce, arena);
        break;
    }
    if (why != NULL)
        *out = TACIT_GPU_BINDING_NONE;
    return why;
}
