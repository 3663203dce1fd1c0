/* Report parser. Invariant: a report that parses has exactly the measurements 1…n, each TLV type at
 * most once, every judged TLV of its known size, and no byte that no field accounts for. */
#include "attest/gpu_report.h"

#include <stdio.h>

#include "base/reader.h"

enum {
    SPDM_VERSION_11 = 0x11,
    SPDM_GET_MEASUREMENTS = 0xe0,
    SPDM_MEASUREMENTS = 0x60,
    SPDM_WANT_SIGNATURE = 0x01,
    SPDM_ALL_BLOCKS = 0xff,
    BLOCK_LEN = 55,
    BLOCK_VALUE_LEN = 51,
    STATUS_ON = 0xaa,
    STATUS_OFF = 0x55,
    OPAQUE_VERSION_MAX = 1,
    VBIOS_SWITCH_LEN = 14,
    GPU_INFO_HOPPER = 0x180,
    GPU_INFO_BLACKWELL = 0x1a0,
};

/* Sizes a TLV may have on a GPU and on a switch; 0 0 where the device does not send it. */
static const struct tlv_rule {
    uint16_t type;
    uint16_t gpu, gpu_old, on_switch; /* octets; old: drivers before 550 */
    bool gpu_needs, switch_needs;
} tlv_rules[] = {
    {GPU_TLV_GPU_INFO, 8, 8, 0, true, false},
    {GPU_TLV_VBIOS_VERSION, 8, 8, VBIOS_SWITCH_LEN, true, true},
    {GPU_TLV_NVDEC0_STATUS, 1, 1, 0, true, false},
    {GPU_TLV_CPRINFO, 4, 4, 0, false, false},
    {GPU_TLV_BOARD_ID, 4, 4, 0, false, false},
    {GPU_TLV_CHIP_SKU, 9, 4, 0, true, false},
    {GPU_TLV_CHIP_SKU_MOD, 5, 2, 0, false, false},
    {GPU_TLV_PROJECT, 5, 5, 0, true, false},
    {GPU_TLV_PROJECT_SKU, 5, 5, 0, true, false},
    {GPU_TLV_PROJECT_SKU_MOD, 2, 2, 0, false, false},
    {GPU_TLV_FWID, GPU_DIGEST_LEN, GPU_DIGEST_LEN, 0, false, false},
    {GPU_TLV_PROTECTED_PCIE, 1, 1, 0, false, false},
    {GPU_TLV_PDI, GPU_PORTS *GPU_PDI_LEN, GPU_PORTS *GPU_PDI_LEN, GPU_PDI_LEN, false, true},
    {GPU_TLV_DISABLED_PORTS, 0, 0, 2, false, false},
    {GPU_TLV_POSITION_ID, 0, 0, 2, false, false},
    {GPU_TLV_LOCK_STATUS, 0, 0, 2, false, false},
    {GPU_TLV_SWITCH_GPU_PDIS, 0, 0, 128, false, false},
    {GPU_TLV_SYS_ENABLE_STATUS, 2, 2, 0, false, false},
    {GPU_TLV_OPAQUE_VERSION, 2, 2, 2, false, false},
    {GPU_TLV_FEATURE_FLAG, 2, 2, 2, false, false},
};

static const char *request_parse(struct gpu_report *out, struct reader *r)
{
    uint8_t version = read_u8(r);
    uint8_t code = read_u8(r);
    uint8_t param1 = read_u8(r);
    uint8_t param2 = read_u8(r);
    uint8_t slot;

    out->nonce = read_bytes(r, GPU_NONCE_LEN);
    slot = read_u8(r);
    if (!reader_ok(r))
        return "the report ends inside the SPDM request";
    if (version != SPDM_VERSION_11 || code != SPDM_GET_MEASUREMENTS)
        return "the report does not start with an SPDM 1.1 GET_MEASUREMENTS request";
    if (param1 != SPDM_WANT_SIGNATURE)
        return "the SPDM request does not ask for exactly a signature";
    if (param2 != SPDM_ALL_BLOCKS)
        return "the SPDM request does not ask for all measurements";
    return slot == 0 ? NULL : "the SPDM request names a certificate slot other than 0";
}

static const char *block_parse(struct gpu_report *out, struct reader *r)
{
    uint8_t index = read_u8(r);
    uint8_t specification = read_u8(r);
    uint16_t size = read_u16le(r);
    uint8_t type = read_u8(r);
    uint16_t value_size = read_u16le(r);
    struct bytes value = read_bytes(r, GPU_DIGEST_LEN);

    if (!reader_ok(r))
        return "the measurement record ends inside a block";
    if (specification != 1 || size != BLOCK_VALUE_LEN)
        return "a measurement block is not of the DMTF form with 51 bytes";
    if (type != 1 || value_size != GPU_DIGEST_LEN)
        return "a measurement is not a firmware digest of 48 bytes";
    if (index < 1 || index > out->value_count)
        return "a measurement index is outside of the range";
    if (out->values[index - 1].ptr != NULL)
        return "a measurement index is given twice";
    out->values[index - 1] = value;
    return NULL;
}

/* The blocks are as many as announced and consume the record, and no index comes twice: so every
 * index is there. */
static const char *record_parse(struct gpu_report *out, uint8_t count, struct bytes record)
{
    struct reader r = reader_over(record);
    const char *why = NULL;

    if (count != GPU_BLOCKS_GPU && count != GPU_BLOCKS_SWITCH)
        return "the number of measurements is neither that of a GPU nor that of a switch";
    if (record.len != (size_t)count * BLOCK_LEN)
        return "the measurement record's length does not fit the number of its blocks";
    out->value_count = count;
    for (size_t i = 0; i < count && why == NULL; i++)
        why = block_parse(out, &r);
    return why;
}

static const char *opaque_parse(struct gpu_report *out, struct bytes opaque)
{
    struct reader r = reader_over(opaque);

    while (reader_left(&r) > 0) {
        uint16_t type = read_u16le(&r);
        uint16_t size = read_u16le(&r);
        struct bytes value = read_bytes(&r, size);

        if (!reader_ok(&r))
            return "the opaque data ends inside a field";
        if (type == GPU_TLV_INVALID)
            return "the opaque data holds a field marked invalid";
        if (gpu_report_tlv(out, type).ptr != NULL)
            return "the opaque data holds a field twice";
        if (out->tlv_count == LIMIT_GPU_TLVS)
            return "the opaque data holds too many fields";
        out->tlvs[out->tlv_count++] = (struct gpu_tlv){type, value};
    }
    return NULL;
}

static const char *response_parse(struct gpu_report *out, struct reader *r)
{
    uint8_t version = read_u8(r);
    uint8_t code = read_u8(r);
    uint8_t param1 = read_u8(r);
    uint8_t slot = read_u8(r);
    uint8_t count = read_u8(r);
    struct bytes record = read_bytes(r, read_u24le(r));
    struct bytes opaque;
    const char *why;

    out->responder_nonce = read_bytes(r, GPU_NONCE_LEN);
    opaque = read_bytes(r, read_u16le(r));
    if (!reader_ok(r))
        return "the report ends inside the SPDM response";
    if (version != SPDM_VERSION_11 || code != SPDM_MEASUREMENTS)
        return "the response is not an SPDM 1.1 MEASUREMENTS message";
    if (param1 != 0 || slot != 0)
        return "the response has parameters other than 0";
    why = record_parse(out, count, record);
    return why != NULL ? why : opaque_parse(out, opaque);
}

struct bytes gpu_report_tlv(const struct gpu_report *r, uint16_t type)
{
    for (size_t i = 0; i < r->tlv_count; i++)
        if (r->tlvs[i].type == type)
            return r->tlvs[i].value;
    return (struct bytes){NULL, 0};
}

static const char *sizes_check(const struct gpu_report *r)
{
    bool is_switch = r->arch == TACIT_GPU_LS10;

    for (size_t i = 0; i < ARRAY_LEN(tlv_rules); i++) {
        const struct tlv_rule *rule = &tlv_rules[i];
        struct bytes v = gpu_report_tlv(r, rule->type);

        if (v.ptr == NULL && (is_switch ? rule->switch_needs : rule->gpu_needs))
            return "the opaque data lacks a field that every device of this kind sends";
        if (v.ptr == NULL)
            continue;
        if (is_switch ? v.len != rule->on_switch : v.len != rule->gpu && v.len != rule->gpu_old)
            return "a field of the opaque data has a wrong size";
    }
    return NULL;
}

static bool is_id_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
           c == '_' || c == '-';
}

/* Copies text that may become part of a file name or an address: one or more letters, digits, dots,
 * dashes and underscores. `padded`: NULs may fill the end. */
static bool id_text(char out[static GPU_VERSION_TEXT], struct bytes v, bool padded)
{
    size_t len = 0;

    while (len < v.len && is_id_char(v.ptr[len]))
        len++;
    if (len == 0 || len >= GPU_VERSION_TEXT)
        return false;
    for (size_t i = len; i < v.len; i++)
        if (!padded || v.ptr[i] != 0)
            return false;
    memcpy(out, v.ptr, len);
    out[len] = 0;
    return true;
}

/* Text with exactly one NUL, at its end. */
static bool id_cstring(char out[static GPU_VERSION_TEXT], struct bytes v)
{
    if (v.len == 0 || v.ptr[v.len - 1] != 0)
        return false;
    return id_text(out, bytes_slice(v, 0, v.len - 1), false);
}

static bool counters_fit(const struct gpu_report *r)
{
    struct bytes counters = gpu_report_tlv(r, GPU_TLV_MSRSCNT);

    if (counters.ptr == NULL)
        return true;
    if (r->arch == TACIT_GPU_LS10)
        return counters.len > 0 && counters.len % 4 == 0 && counters.len <= 4 * GPU_BLOCKS_SWITCH;
    return counters.len == (size_t)4 * GPU_BLOCKS_GPU;
}

/* PROTECTED_PCIE_STATUS says it on drivers up to 570, FEATURE_FLAG on newer ones; a report with
 * both must not contradict itself. */
static const char *mode_decode(struct gpu_report *r)
{
    struct bytes pcie = gpu_report_tlv(r, GPU_TLV_PROTECTED_PCIE);
    struct bytes flag = gpu_report_tlv(r, GPU_TLV_FEATURE_FLAG);
    struct reader in = reader_over(flag);
    uint16_t feature = read_u16le(&in);

    r->mode = TACIT_GPU_MODE_SPT;
    if (pcie.ptr != NULL && pcie.ptr[0] != STATUS_ON && pcie.ptr[0] != STATUS_OFF)
        return "the protected PCIe status is neither on nor off";
    if (pcie.ptr != NULL && pcie.ptr[0] == STATUS_ON)
        r->mode = TACIT_GPU_MODE_PPCIE;
    if (flag.ptr == NULL)
        return NULL;
    if (feature > 2)
        return "the feature flag has an unknown value";
    if (pcie.ptr != NULL && (feature == 2) != (r->mode == TACIT_GPU_MODE_PPCIE))
        return "protected PCIe status and feature flag contradict each other";
    r->mode = feature == 2   ? TACIT_GPU_MODE_PPCIE
              : feature == 1 ? TACIT_GPU_MODE_MPT
                             : TACIT_GPU_MODE_SPT;
    return NULL;
}

static const char *arch_decode(struct gpu_report *r)
{
    struct reader in = reader_over(gpu_report_tlv(r, GPU_TLV_GPU_INFO));
    uint64_t info;

    if (r->value_count == GPU_BLOCKS_SWITCH) {
        r->arch = TACIT_GPU_LS10;
        return NULL;
    }
    info = read_u64le(&in);
    if (!reader_finished(&in))
        return "the opaque data does not name the architecture";
    r->arch = info == GPU_INFO_HOPPER      ? TACIT_GPU_HOPPER
              : info == GPU_INFO_BLACKWELL ? TACIT_GPU_BLACKWELL
                                           : TACIT_GPU_ARCH_UNKNOWN;
    return r->arch == TACIT_GPU_ARCH_UNKNOWN ? "the architecture is not one we know" : NULL;
}

static const char *opaque_version_check(const struct gpu_report *r)
{
    struct reader in = reader_over(gpu_report_tlv(r, GPU_TLV_OPAQUE_VERSION));
    bool is_present = reader_left(&in) > 0;

    if (is_present && read_u16le(&in) > OPAQUE_VERSION_MAX)
        return "the opaque data is of an unknown version";
    return NULL;
}

static const char *gpu_fields_decode(struct gpu_report *r)
{
    struct bytes vbios = gpu_report_tlv(r, GPU_TLV_VBIOS_VERSION);
    struct bytes chip = gpu_report_tlv(r, GPU_TLV_CHIP_INFO);
    uint8_t nvdec0 = gpu_report_tlv(r, GPU_TLV_NVDEC0_STATUS).ptr[0];

    if (!id_cstring(r->driver, gpu_report_tlv(r, GPU_TLV_DRIVER_VERSION)))
        return "the driver version is not a version text with one NUL at its end";
    snprintf(r->vbios, sizeof(r->vbios), "%02X.%02X.%02X.%02X.%02X", vbios.ptr[3], vbios.ptr[2],
             vbios.ptr[1], vbios.ptr[0], vbios.ptr[4]);
    if (!id_text(r->chip_sku, gpu_report_tlv(r, GPU_TLV_CHIP_SKU), true) ||
        !id_text(r->project, gpu_report_tlv(r, GPU_TLV_PROJECT), true) ||
        !id_text(r->project_sku, gpu_report_tlv(r, GPU_TLV_PROJECT_SKU), true))
        return "a product number is not plain text";
    if (chip.ptr != NULL && !id_cstring(r->chip, chip))
        return "the chip name is not a text with one NUL at its end";
    if (nvdec0 != STATUS_ON && nvdec0 != STATUS_OFF)
        return "the NVDEC0 status is neither enabled nor disabled";
    r->nvdec0_disabled = nvdec0 == STATUS_OFF;
    return NULL;
}

static const char *fields_decode(struct gpu_report *r)
{
    static const char *const chips[] = {"", "GH100", "GB100", "LS10"};
    const char *why = arch_decode(r);

    if (why == NULL)
        why = sizes_check(r);
    if (why == NULL && !counters_fit(r))
        why = "the counters do not have one number per measurement";
    if (why == NULL)
        why = opaque_version_check(r);
    if (why == NULL)
        why = mode_decode(r);
    if (why != NULL)
        return why;
    if (r->arch != TACIT_GPU_LS10)
        why = gpu_fields_decode(r);
    else if (!id_text(r->vbios, gpu_report_tlv(r, GPU_TLV_VBIOS_VERSION), false))
        why = "the BIOS version is not plain text";
    if (r->chip[0] == 0)
        snprintf(r->chip, sizeof(r->chip), "%s", chips[r->arch]);
    return why;
}

static const char *report_parse(struct gpu_report *out, struct bytes in, bool tolerate_zeros)
{
    struct reader r = reader_over(in);
    const char *why = request_parse(out, &r);

    if (why == NULL)
        why = response_parse(out, &r);
    if (why != NULL)
        return why;
    out->signed_part = bytes_slice(in, 0, in.len - reader_left(&r));
    out->signature = read_bytes(&r, GPU_SIGNATURE_LEN);
    if (!reader_ok(&r))
        return "the report ends inside the signature";
    out->trailing = reader_left(&r);
    if (out->trailing > 0 &&
        (!tolerate_zeros || out->trailing > GPU_TRAILING_MAX || !bytes_is_zero(r.rest)))
        return "bytes follow the signature";
    return fields_decode(out);
}

enum tacit_err gpu_report_parse(struct gpu_report *out, const char **why, struct bytes in,
                                bool tolerate_zeros)
{
    *out = (struct gpu_report){0};
    *why = in.len > LIMIT_GPU_REPORT_BYTES ? "the report is larger than any device's"
                                           : report_parse(out, in, tolerate_zeros);
    if (*why == NULL)
        return TACIT_OK;
    *out = (struct gpu_report){0};
    return TACIT_FORMAT;
}

size_t gpu_report_port_pdis(const struct gpu_report *r, uint8_t out[static GPU_PORTS][GPU_PDI_LEN])
{
    struct bytes all = gpu_report_tlv(r, GPU_TLV_PDI);
    size_t count = 0;

    for (size_t port = 0; port < GPU_PORTS && r->arch != TACIT_GPU_LS10; port++) {
        struct bytes pdi = bytes_slice(all, port * GPU_PDI_LEN, GPU_PDI_LEN);
        bool is_known = pdi.len != GPU_PDI_LEN || bytes_is_zero(pdi);

        for (size_t i = 0; i < GPU_PDI_LEN && !is_known; i++)
            out[count][i] = pdi.ptr[GPU_PDI_LEN - 1 - i];
        for (size_t i = 0; i < count && !is_known; i++)
            is_known = memcmp(out[i], out[count], GPU_PDI_LEN) == 0;
        count += is_known ? 0 : 1;
    }
    return count;
}
