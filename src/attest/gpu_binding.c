/* Binding of GPU evidence to CPU report data: our scheme and its levels. */
#include "attest/gpu_binding.h"

#include "attest/gpu_report.h"
#include "base/buf.h"
#include "crypto/ct.h"
#include "crypto/sha2.h"

const char *tacit_gpu_binding_name(enum tacit_gpu_binding binding)
{
    switch (binding) {
    case TACIT_GPU_BINDING_NONE:
        break;
    case TACIT_GPU_BINDING_NONCE:
        return "nonce";
    case TACIT_GPU_BINDING_DERIVED_NONCE:
        return "derived-nonce";
    case TACIT_GPU_BINDING_EVIDENCE_HASH:
        return "evidence-hash";
    case TACIT_GPU_BINDING_BOTH:
        return "both";
    }
    return "none";
}

void gpu_binding_nonce(uint8_t out[static GPU_BINDING_NONCE_LEN], const uint8_t nonce[static 32],
                       const uint8_t key_hash[static 32])
{
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, BYTES_LIT("gpu-nonce-v1"));
    sha256_add(&s, bytes_make(nonce, 32));
    sha256_add(&s, bytes_make(key_hash, 32));
    sha256_final(&s, out);
}

static void add_u32(struct sha256 *s, size_t v)
{
    uint8_t octets[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

    sha256_add(s, BYTES_ARRAY(octets));
}

static void add_sized(struct sha256 *s, struct bytes b)
{
    add_u32(s, b.len);
    sha256_add(s, b);
}

void gpu_binding_evidence_hash(uint8_t out[static GPU_BINDING_HASH_LEN],
                               const struct tacit_gpu_item *items, size_t count)
{
    struct sha256 s;

    sha256_init(&s);
    add_u32(&s, count);
    for (size_t i = 0; i < count; i++) {
        add_u32(&s, items[i].arch == TACIT_GPU_LS10 ? 1 : 0);
        add_sized(&s, items[i].report);
        add_sized(&s, items[i].chain_pem);
    }
    sha256_final(&s, out);
}

void gpu_binding_report_data(uint8_t out[static GPU_BINDING_REPORT_DATA_LEN],
                             const uint8_t nonce[static 32], const uint8_t key_hash[static 32],
                             const uint8_t evidence_hash[static 32])
{
    struct sha512 s;

    sha512_init(&s);
    sha512_add(&s, BYTES_LIT("cpu-rd-v1"));
    sha512_add(&s, bytes_make(nonce, 32));
    sha512_add(&s, bytes_make(key_hash, 32));
    sha512_add(&s, bytes_make(evidence_hash, 32));
    sha512_final(&s, out);
}

static bool nonces_are(const struct tacit_gpu_item *items, size_t count,
                       const uint8_t nonce[static 32])
{
    bool ok = count > 0;

    for (size_t i = 0; i < count && ok; i++) {
        struct gpu_report report;
        const char *why;

        ok = gpu_report_parse(&report, &why, items[i].report, true) == TACIT_OK &&
             ct_equal(report.nonce, bytes_make(nonce, 32));
    }
    return ok;
}

enum tacit_gpu_binding gpu_binding_level(const uint8_t report_data[static 64],
                                         const uint8_t nonce[static 32],
                                         const uint8_t key_hash[static 32],
                                         const struct tacit_gpu_item *items, size_t count)
{
    uint8_t gpu_nonce[32], hash[32], wanted[64];
    bool has_hash, has_nonce;

    gpu_binding_nonce(gpu_nonce, nonce, key_hash);
    gpu_binding_evidence_hash(hash, items, count);
    gpu_binding_report_data(wanted, nonce, key_hash, hash);
    has_hash = ct_equal(BYTES_ARRAY(wanted), bytes_make(report_data, 64));
    has_nonce = nonces_are(items, count, gpu_nonce);
    if (has_hash)
        return has_nonce ? TACIT_GPU_BINDING_BOTH : TACIT_GPU_BINDING_EVIDENCE_HASH;
    if (has_nonce)
        return TACIT_GPU_BINDING_DERIVED_NONCE;
    return nonces_are(items, count, nonce) ? TACIT_GPU_BINDING_NONCE : TACIT_GPU_BINDING_NONE;
}

/* A derived nonce and an evidence hash bind different things: neither includes the other. */
static bool level_suffices(enum tacit_gpu_binding level, enum tacit_gpu_binding required)
{
    if (level == TACIT_GPU_BINDING_EVIDENCE_HASH && required == TACIT_GPU_BINDING_DERIVED_NONCE)
        return false;
    return level >= required;
}

bool gpu_binding_row(const struct row_scope *s, enum tacit_gpu_binding level,
                     enum tacit_gpu_binding required)
{
    if (!level_suffices(level, required)) {
        row_fail(s, "gpu.binding", TACIT_CAUSE_POLICY,
                 "GPU evidence is bound to the CPU by %s, policy wants %s",
                 tacit_gpu_binding_name(level), tacit_gpu_binding_name(required));
        return false;
    }
    if (required == TACIT_GPU_BINDING_NONE)
        row_note(s, "gpu.binding", "GPU evidence is bound to the CPU by %s",
                 tacit_gpu_binding_name(level));
    else
        row_pass(s, "gpu.binding");
    return true;
}
