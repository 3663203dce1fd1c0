/* Simulated reports: an honest draft, then the fault, then octets and signature, then what is wrong
 * after signing. Form as gpu.md 1; driver generation 580. */
#include "tee/sim_gpu_draft.h"

#include <stdio.h>
#include <stdlib.h>

const char *sim_gpu_chip(enum tacit_gpu_arch arch)
{
    return arch == TACIT_GPU_BLACKWELL ? "GB100" : arch == TACIT_GPU_LS10 ? "LS10" : "GH100";
}

const char *sim_gpu_driver(void)
{
    return "580.999.01";
}

const char *sim_gpu_vbios(enum tacit_gpu_arch arch)
{
    return arch == TACIT_GPU_BLACKWELL ? "97.00.FE.00.0F"
           : arch == TACIT_GPU_LS10    ? "96.10.FE.00.01"
                                       : "96.00.FE.00.01";
}

bool sim_gpu_is_active(enum tacit_gpu_arch arch, bool is_driver, unsigned index)
{
    if (arch == TACIT_GPU_LS10)
        return !is_driver && index < SWITCH_BLOCKS;
    if (is_driver)
        return index == 7 ? arch == TACIT_GPU_HOPPER : index >= 21 && index <= 41;
    if (arch == TACIT_GPU_BLACKWELL)
        return index <= 20 && index != 14;
    return index <= 12 && index != 7;
}

void sim_gpu_golden(const struct sim_gpu *g, uint8_t out[static SIM_GPU_DIGEST],
                    enum tacit_gpu_arch arch, bool is_driver, unsigned index)
{
    char label[96];

    memset(out, 0, SIM_GPU_DIGEST);
    /* Hopper's VBIOS index 0 is active with a zero value in genuine manifests, too */
    if (!sim_gpu_is_active(arch, is_driver, index) || (index == 0 && arch == TACIT_GPU_HOPPER))
        return;
    snprintf(label, sizeof(label), "golden %s %s %u", sim_gpu_chip(arch),
             is_driver ? sim_gpu_driver() : sim_gpu_vbios(arch), index);
    sim_gpu_derive(g, out, SIM_GPU_DIGEST, label);
}

/* "96.00.FE.00.01" as eight octets b3 b2 b1 b0, b4. */
static void vbios_octets(uint8_t out[static 8], const char *text)
{
    uint8_t part[5] = {0};

    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 2; k++) {
            char c = text[3 * i + k];

            part[i] = (uint8_t)(part[i] * 16 + (c <= '9' ? c - '0' : c - 'A' + 10));
        }
    memset(out, 0, 8);
    for (size_t i = 0; i < 4; i++)
        out[i] = part[3 - i];
    out[4] = part[4];
}

/* Identities as devices see them: under the fault TOPO_FOREIGN all agree on other ones. */
static void seen_pdi(const struct sim_gpu *g, uint8_t out[static 8], const struct sim_gpu_device *d)
{
    memcpy(out, d->pdi, 8);
    if (g->fault == SIM_GPU_TOPO_FOREIGN)
        out[7] ^= 0x80;
}

/* Each GPU has 18 ports, spread over the four switches, identities byte-reversed. */
static void ports_put(struct sim_draft *d, const struct sim_gpu *g,
                      const struct sim_gpu_device *self)
{
    uint8_t data[PORTS * 8] = {0};
    unsigned switches =
        g->fault == SIM_GPU_TOPO_THREE && self->index == 2 ? g->switch_count - 1 : g->switch_count;

    for (unsigned port = 0; port < PORTS && switches > 0; port++) {
        uint8_t pdi[8];

        seen_pdi(g, pdi, &g->devices[g->gpu_count + port % switches]);
        for (size_t i = 0; i < 8; i++)
            data[8 * port + i] = pdi[7 - i];
    }
    sim_draft_add(d, T_PDI, data, sizeof(data));
}

static void mode_put(struct sim_draft *d, const struct sim_gpu *g,
                     const struct sim_gpu_device *self)
{
    bool is_ppcie =
        g->mode == TACIT_GPU_MODE_PPCIE && !(g->fault == SIM_GPU_SET_MODE && self->index == 5);
    uint8_t pcie = is_ppcie ? ON : OFF;
    uint8_t feature[2] = {is_ppcie ? 2 : g->mode == TACIT_GPU_MODE_MPT ? 1 : 0, 0};

    if (g->arch == TACIT_GPU_HOPPER)
        sim_draft_add(d, T_PCIE, &pcie, 1);
    if (g->mode == TACIT_GPU_MODE_PPCIE)
        ports_put(d, g, self);
    if (g->arch == TACIT_GPU_BLACKWELL) {
        sim_draft_add(d, T_SYS, "\x07\x07", 2);
        sim_draft_text(d, T_CHIP, "GB100", 6);
    }
    sim_draft_add(d, T_VERSION, "\x01\x00", 2);
    sim_draft_add(d, T_FEATURE, feature, 2);
}

static void gpu_tlvs(struct sim_draft *d, const struct sim_gpu *g,
                     const struct sim_gpu_device *self)
{
    bool is_blackwell = g->arch == TACIT_GPU_BLACKWELL;
    uint8_t vbios[8], fwid[SIM_GPU_DIGEST], counters[4 * GPU_BLOCKS] = {0};
    uint8_t nvdec = ON;

    vbios_octets(vbios, sim_gpu_vbios(g->arch));
    sim_gpu_fwid(g, fwid);
    for (size_t i = 0; i < GPU_BLOCKS; i++)
        counters[4 * i] = 1;
    sim_draft_add(d, T_VBIOS, vbios, sizeof(vbios));
    sim_draft_add(d, T_BOARD, "\xb1\x03\x00\x00", 4);
    sim_draft_text(d, T_CHIP_SKU, is_blackwell ? "886" : "882", 9);
    sim_draft_text(d, T_CHIP_SKU_MOD, "0", 5);
    sim_draft_text(d, T_PROJECT, is_blackwell ? "G525" : "1010", 5);
    sim_draft_text(d, T_PROJECT_SKU, is_blackwell ? "0220" : "0200", 5);
    sim_draft_add(d, T_PROJECT_SKU_MOD, "\x00\x00", 2);
    sim_draft_text(d, T_DRIVER, sim_gpu_driver(), strlen(sim_gpu_driver()) + 1);
    sim_draft_add(
        d, T_INFO,
        is_blackwell ? "\xa0\x01\x00\x00\x00\x00\x00\x00" : "\x80\x01\x00\x00\x00\x00\x00\x00", 8);
    sim_draft_add(d, T_COUNTERS, counters, sizeof(counters));
    sim_draft_add(d, T_CPR, "\x00\xc0\x01\x00", 4);
    sim_draft_add(d, T_NVDEC, &nvdec, 1);
    sim_draft_add(d, T_FWID, fwid, sizeof(fwid));
    mode_put(d, g, self);
}

static void switch_tlvs(struct sim_draft *d, const struct sim_gpu *g,
                        const struct sim_gpu_device *self)
{
    uint8_t pdi[8], peers[128], counters[4 * 27] = {0};
    uint8_t position[2] = {(uint8_t)self->index, 0};

    seen_pdi(g, pdi, self);
    if (g->fault == SIM_GPU_TOPO_SWITCH_SELF && self->index == 1)
        pdi[0] ^= 1;
    memset(peers, 0xff, sizeof(peers));
    for (unsigned i = 0; i < g->gpu_count; i++) {
        bool doubled = g->fault == SIM_GPU_TOPO_SWITCH_SEVEN && self->index == 0 && i == 7;

        seen_pdi(g, peers + (size_t)8 * i, &g->devices[doubled ? 0 : i]);
        memset(peers + 64 + (size_t)4 * i, (int)i, 4);
    }
    sim_draft_text(d, T_VBIOS, sim_gpu_vbios(TACIT_GPU_LS10), 14);
    sim_draft_add(d, T_PDI, pdi, sizeof(pdi));
    sim_draft_add(d, T_COUNTERS, counters, sizeof(counters));
    sim_draft_add(d, T_PEERS, peers, sizeof(peers));
    sim_draft_add(d, T_PORTS, "\xec\x00", 2);
    sim_draft_add(d, T_POSITION, position, 2);
    sim_draft_add(d, T_LOCK, "\x01\x00", 2);
}

static void draft_make(struct sim_draft *d, const struct sim_gpu *g,
                       const struct sim_gpu_device *self, const uint8_t nonce[static 32])
{
    bool is_switch = self->arch == TACIT_GPU_LS10;

    *d = (struct sim_draft){.version = 0x11, .param1 = 1, .param2 = 0xff, .response_code = 0x60};
    memcpy(d->nonce, nonce, sizeof(d->nonce));
    d->block_count = is_switch ? SWITCH_BLOCKS : GPU_BLOCKS;
    for (unsigned i = 0; i < d->block_count; i++) {
        struct sim_block *b = &d->blocks[i];

        *b = (struct sim_block){.index = (uint8_t)(i + 1),
                                .specification = 1,
                                .type = 1,
                                .size = 51,
                                .value_size = SIM_GPU_DIGEST};
        sim_gpu_golden(g, b->value, self->arch,
                       !is_switch && sim_gpu_is_active(self->arch, true, i), i);
    }
    if (is_switch)
        switch_tlvs(d, g, self);
    else
        gpu_tlvs(d, g, self);
}

static void opaque_put(struct buf *out, const struct sim_draft *d)
{
    size_t len = d->opaque_extra;

    for (size_t i = 0; i < d->tlv_count; i++)
        len += 4 + d->tlvs[i].len;
    buf_u16le(out, (uint16_t)(len + d->opaque_add));
    for (size_t i = 0; i < d->tlv_count; i++) {
        buf_u16le(out, d->tlvs[i].type);
        buf_u16le(out, (uint16_t)d->tlvs[i].len);
        buf_put(out, bytes_make(d->tlvs[i].data, d->tlvs[i].len));
    }
    buf_fill(out, 0, d->opaque_extra);
}

/* Request and response up to the signature. */
static void draft_put(struct buf *out, const struct sim_draft *d,
                      const uint8_t responder_nonce[static 32])
{
    const uint8_t request[] = {d->version, 0xe0, d->param1, d->param2};
    const uint8_t response[] = {d->version, d->response_code, 0, 0, (uint8_t)d->block_count};

    buf_put(out, BYTES_ARRAY(request));
    buf_put(out, BYTES_ARRAY(d->nonce));
    buf_putc(out, d->slot);
    buf_put(out, BYTES_ARRAY(response));
    buf_u24le(out, (uint32_t)d->block_count * 55 + d->record_add);
    for (size_t i = 0; i < d->block_count; i++) {
        const struct sim_block *b = &d->blocks[i];

        buf_putc(out, b->index);
        buf_putc(out, b->specification);
        buf_u16le(out, b->size);
        buf_putc(out, b->type);
        buf_u16le(out, b->value_size);
        buf_put(out, BYTES_ARRAY(b->value));
    }
    buf_put(out, bytes_make(responder_nonce, 32));
    opaque_put(out, d);
}

enum { REQUEST_LEN = 37, SPDM12_PREFIX_LEN = 100 };

static void digest_make(uint8_t out[static SIM_GPU_DIGEST], enum sim_gpu_fault fault,
                        struct bytes message)
{
    uint8_t prefix[SPDM12_PREFIX_LEN] = {0};
    struct sha512 hash;

    if (fault == SIM_GPU_SIG_RESPONSE_ONLY)
        message = bytes_slice(message, REQUEST_LEN, message.len);
    memcpy(prefix, "dmtf-spdm-v1.2.*dmtf-spdm-v1.2.*dmtf-spdm-v1.2.*dmtf-spdm-v1.2.*", 64);
    memcpy(prefix + 75, "responder-measurements", 22);
    sha384(out, message);
    if (fault == SIM_GPU_SIG_SHA256) {
        memset(out, 0, SIM_GPU_DIGEST);
        sha256(out + SIM_GPU_DIGEST - SHA256_LEN, message);
    }
    if (fault == SIM_GPU_SIG_PREFIX) {
        sha384_init(&hash);
        sha384_add(&hash, BYTES_ARRAY(prefix));
        sha384_add(&hash, bytes_make(out, SIM_GPU_DIGEST));
        sha384_final(&hash, out);
    }
}

static enum tacit_err sign(struct sim_gpu *g, struct buf *out, const struct sim_gpu_device *d)
{
    uint8_t digest[SIM_GPU_DIGEST], sig[SIGNKEY_RAW_MAX] = {0};
    const struct signkey *key = d->leaf.key;
    struct signkey *other = NULL;
    enum tacit_err err = TACIT_OK;
    size_t len;

    digest_make(digest, g->fault, buf_bytes(out));
    if (g->fault == SIM_GPU_SIG_OTHER_DEVICE || g->fault == SIM_GPU_LEAF_P256) {
        err = signkey_from_seed(&other, SIGNKEY_P384, g->seed, "gpu 99 leaf");
        key = other;
    }
    if (err == TACIT_OK)
        err = signkey_sign_raw(key, sig, &len, BYTES_ARRAY(digest));
    if (g->fault == SIM_GPU_SIG_FLIPPED)
        sig[SIG_LEN - 1] ^= 1;
    if (g->fault == SIM_GPU_SIG_ZERO)
        memset(sig, 0, sizeof(sig));
    buf_put(out, bytes_make(sig, SIG_LEN));
    signkey_free(other);
    return err;
}

enum tacit_err sim_gpu_report(struct sim_gpu *g, struct buf *out, struct sim_gpu_device *d,
                              const uint8_t nonce[static 32])
{
    struct sim_draft *draft = calloc(1, sizeof(*draft));
    struct buf report = buf_make(REPORT_MAX);
    uint8_t responder_nonce[32];
    char label[160];
    enum tacit_err err = draft == NULL ? TACIT_NOMEM : sim_gpu_device_make(g, d);

    if (err == TACIT_OK) {
        snprintf(label, sizeof(label), "responder %u %u %02x%02x%02x%02x%02x%02x%02x%02x",
                 (unsigned)d->arch, d->index, nonce[0], nonce[1], nonce[2], nonce[3], nonce[4],
                 nonce[5], nonce[6], nonce[7]);
        sim_gpu_derive(g, responder_nonce, sizeof(responder_nonce), label);
        draft_make(draft, g, d, nonce);
        if (d->arch != TACIT_GPU_LS10) {
            sim_draft_spoil(draft, g->fault, d->index);
        }
        draft_put(&report, draft, responder_nonce);
        err = sign(g, &report, d);
        sim_draft_spoil_signed(&report, g->fault);
    }
    if (err == TACIT_OK)
        buf_put(out, buf_bytes(&report));
    if (err == TACIT_OK && report.failed)
        err = TACIT_NOMEM;
    buf_done(&report);
    free(draft);
    return err == TACIT_OK ? buf_err(out) : err;
}
