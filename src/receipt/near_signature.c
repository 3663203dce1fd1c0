/* Making, reading and checking NEAR's signatures. Invariant: a check passes only on bytes that were
 * compared; what could not be compared is NOT_RUN, and not passed. */
#include "receipt/near_signature.h"

#include "codec/hex.h"
#include "codec/jscan.h"
#include "codec/jwrite.h"

const char *near_algo_name(enum near_algo algo)
{
    return algo == NEAR_ECDSA ? "ecdsa" : "ed25519";
}

bool near_algo_read(enum near_algo *out, struct bytes name)
{
    *out = bytes_eq_nocase(name, BYTES_LIT("ed25519")) ? NEAR_ED25519 : NEAR_ECDSA;
    return *out == NEAR_ED25519 || bytes_eq_nocase(name, BYTES_LIT("ecdsa"));
}

static bool is_model(struct bytes model)
{
    for (size_t i = 0; i < model.len; i++)
        if (model.ptr[i] < 0x20 || model.ptr[i] >= 0x7F || model.ptr[i] == ':')
            return false;
    return true;
}

enum tacit_err near_text_make(char out[static NEAR_TEXT_MAX + 1], struct bytes model,
                              const uint8_t request_sha256[static SHA256_LEN],
                              const uint8_t response_sha256[static SHA256_LEN])
{
    struct buf b = buf_over((uint8_t *)out, NEAR_TEXT_MAX);

    out[0] = '\0';
    if (!is_model(model))
        return TACIT_FORMAT;
    if (model.len > 0) {
        buf_put(&b, model);
        buf_putc(&b, ':');
    }
    buf_hex(&b, bytes_make(request_sha256, SHA256_LEN));
    buf_putc(&b, ':');
    buf_hex(&b, bytes_make(response_sha256, SHA256_LEN));
    out[b.failed ? 0 : b.len] = '\0';
    return b.failed ? TACIT_FORMAT : TACIT_OK;
}

enum tacit_err near_text_parse(struct near_text *out, struct bytes text)
{
    const size_t tail = 2 * (size_t)SHA256_LEN;
    const size_t pair = 2 * tail + 1;
    struct near_text t = {.model = {NULL, 0}};
    struct bytes hashes;

    memset(out, 0, sizeof(*out));
    if (text.len < pair || text.len > NEAR_TEXT_MAX)
        return TACIT_FORMAT;
    hashes = bytes_slice(text, text.len - pair, pair);
    if (text.len > pair) {
        t.model = bytes_slice(text, 0, text.len - pair - 1);
        if (text.ptr[text.len - pair - 1] != ':' || t.model.len == 0 || !is_model(t.model))
            return TACIT_FORMAT;
    }
    if (hashes.ptr[tail] != ':' ||
        hex_decode_fixed(t.request_sha256, SHA256_LEN, bytes_slice(hashes, 0, tail)) != TACIT_OK ||
        hex_decode_fixed(t.response_sha256, SHA256_LEN, bytes_slice(hashes, tail + 1, tail)) !=
            TACIT_OK)
        return TACIT_FORMAT;
    *out = t;
    return TACIT_OK;
}

enum tacit_err near_sign_ecdsa(char out[static NEAR_SIG_TEXT_MAX + 1], const struct k1_key *key,
                               struct bytes text)
{
    uint8_t sig[K1_SIG_LEN];
    enum tacit_err err = k1_sign_text(key, sig, text);

    out[0] = '\0';
    if (err == TACIT_OK)
        k1_sig_text(out, sig);
    return err;
}

void near_sign_ed25519(char out[static NEAR_SIG_TEXT_MAX + 1], const struct ed25519_key *key,
                       struct bytes text)
{
    uint8_t sig[ED25519_SIG_LEN];

    ed25519_sign(key, sig, text);
    hex_encode(out, NEAR_SIG_TEXT_MAX + 1, bytes_make(sig, sizeof(sig)));
}

void near_address_ecdsa(char out[static NEAR_ADDRESS_TEXT_MAX + 1],
                        const uint8_t pub[static K1_PUB_LEN])
{
    uint8_t address[K1_ADDRESS_LEN];

    k1_address(address, pub);
    k1_address_text(out, address);
}

void near_address_ed25519(char out[static NEAR_ADDRESS_TEXT_MAX + 1],
                          const uint8_t pub[static ED25519_PUB_LEN])
{
    hex_encode(out, NEAR_ADDRESS_TEXT_MAX + 1, bytes_make(pub, ED25519_PUB_LEN));
}

void near_signature_put(struct buf *out, const struct near_signature *sig)
{
    struct jw w = jw_make(out);

    jw_object(&w);
    jw_key_str(&w, "text", sig->text);
    jw_key_str(&w, "signature", sig->signature);
    jw_key_str(&w, "signing_address", sig->address);
    jw_key_cstr(&w, "signing_algo", near_algo_name(sig->algo));
    if (sig->kind.len > 0)
        jw_key_str(&w, "signature_kind", sig->kind);
    jw_end(&w);
}

enum tacit_err near_signature_read(struct near_signature *out, struct bytes json)
{
    struct jscan_field f[] = {
        {.name = "text"},         {.name = "signature"},      {.name = "signing_address"},
        {.name = "signing_algo"}, {.name = "signature_kind"}, {.name = "error_code"},
    };
    struct near_signature sig = {.algo = NEAR_ECDSA};
    struct jval root;
    struct bytes algo;
    enum tacit_err err = jscan_object(&root, json);

    memset(out, 0, sizeof(*out));
    if (err != TACIT_OK)
        return err;
    (void)jscan_fields(root, f, ARRAY_LEN(f));
    if (f[5].val.type == JVAL_STRING)
        return TACIT_NOT_FOUND;
    if (!jscan_str_view(&sig.text, f[0].val) || !jscan_str_view(&sig.signature, f[1].val) ||
        !jscan_str_view(&sig.address, f[2].val) || !jscan_str_view(&algo, f[3].val))
        return TACIT_FORMAT;
    if (!jscan_is_nothing(f[4].val) && !jscan_str_view(&sig.kind, f[4].val))
        return TACIT_FORMAT;
    if (!near_algo_read(&sig.algo, algo))
        return TACIT_UNSUPPORTED;
    *out = sig;
    return TACIT_OK;
}

/* An address as octets: 20 behind "0x" for ecdsa, 32 for ed25519; either case of digits. */
static bool address_parse(uint8_t out[static 32], size_t *len, enum near_algo algo,
                          struct bytes text)
{
    if (algo == NEAR_ECDSA) {
        if (bytes_starts_with(text, BYTES_LIT("0x")))
            text = bytes_slice(text, 2, SIZE_MAX);
        *len = K1_ADDRESS_LEN;
    } else {
        *len = ED25519_PUB_LEN;
    }
    return hex_decode_fixed(out, *len, text) == TACIT_OK;
}

static bool signature_holds(const struct near_signature *sig)
{
    uint8_t address[32];
    uint8_t k1_sig[K1_SIG_LEN];
    uint8_t ed_sig[ED25519_SIG_LEN];
    size_t len;

    if (!address_parse(address, &len, sig->algo, sig->address))
        return false;
    if (sig->algo == NEAR_ECDSA)
        return k1_sig_parse(k1_sig, sig->signature) == TACIT_OK &&
               k1_verify_text(address, k1_sig, sig->text) == TACIT_OK;
    return hex_decode_fixed(ed_sig, ED25519_SIG_LEN, sig->signature) == TACIT_OK &&
           ed25519_verify(address, ed_sig, sig->text) == TACIT_OK;
}

static bool addresses_agree(enum near_algo algo, struct bytes a, struct bytes b)
{
    uint8_t x[32];
    uint8_t y[32];
    size_t len;

    return address_parse(x, &len, algo, a) && address_parse(y, &len, algo, b) &&
           bytes_eq(bytes_make(x, len), bytes_make(y, len));
}

static enum near_check_result result_of(bool passed)
{
    return passed ? NEAR_PASSED : NEAR_FAILED;
}

static bool hash_fits(const uint8_t expected[static SHA256_LEN], struct bytes in)
{
    uint8_t hash[SHA256_LEN];

    sha256(hash, in);
    return bytes_eq(bytes_make(hash, SHA256_LEN), bytes_make(expected, SHA256_LEN));
}

bool near_signature_check(enum near_check_result rows[static NEAR_CHECK_ROWS],
                          const struct near_signature *sig, const struct near_expected *expected)
{
    struct near_text text;
    bool all = true;

    for (size_t i = 0; i < NEAR_CHECK_ROWS; i++)
        rows[i] = NEAR_NOT_RUN;
    rows[NEAR_CHECK_TEXT] = result_of(near_text_parse(&text, sig->text) == TACIT_OK);
    if (rows[NEAR_CHECK_TEXT] == NEAR_PASSED) {
        if (expected->model.len > 0)
            rows[NEAR_CHECK_MODEL] = result_of(bytes_eq(text.model, expected->model));
        rows[NEAR_CHECK_REQUEST] = result_of(hash_fits(text.request_sha256, expected->request));
        rows[NEAR_CHECK_RESPONSE] = result_of(hash_fits(text.response_sha256, expected->response));
    }
    if (expected->address.len > 0)
        rows[NEAR_CHECK_ADDRESS] =
            result_of(addresses_agree(sig->algo, sig->address, expected->address));
    rows[NEAR_CHECK_SIGNATURE] = result_of(signature_holds(sig));
    for (size_t i = 0; i < NEAR_CHECK_ROWS; i++)
        all = all && rows[i] == NEAR_PASSED;
    return all;
}

static const struct {
    const char *id, *reason;
} row_texts[NEAR_CHECK_ROWS] = {
    [NEAR_CHECK_TEXT] = {"chat.text", "the signed text is not model:request:response"},
    [NEAR_CHECK_MODEL] = {"chat.model", "the signed text names another model"},
    [NEAR_CHECK_REQUEST] = {"chat.request_hash",
                            "the signed request hash is not that of the bytes sent"},
    [NEAR_CHECK_RESPONSE] = {"chat.response_hash",
                             "the signed response hash is not that of the bytes received"},
    [NEAR_CHECK_ADDRESS] = {"chat.signing_address", "the signing address is not the attested one"},
    [NEAR_CHECK_SIGNATURE] = {"chat.signature",
                              "the signature over the text is not the signing address's"},
};

const char *near_check_row_id(enum near_check_row row)
{
    return row < NEAR_CHECK_ROWS ? row_texts[row].id : "";
}

const char *near_check_row_reason(enum near_check_row row)
{
    return row < NEAR_CHECK_ROWS ? row_texts[row].reason : "";
}
