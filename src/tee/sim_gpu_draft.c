/* Faults of simulated reports: each changes one thing of an honest draft, or of the octets that
 * were signed. */
#include "tee/sim_gpu_draft.h"

#include <stdio.h>

void sim_draft_add(struct sim_draft *d, uint16_t type, const void *data, size_t len)
{
    d->tlvs[d->tlv_count].type = type;
    d->tlvs[d->tlv_count].len = len;
    memcpy(d->tlvs[d->tlv_count].data, data, len);
    d->tlv_count++;
}

void sim_draft_text(struct sim_draft *d, uint16_t type, const char *text, size_t len)
{
    char data[TLV_DATA_MAX] = {0};

    snprintf(data, sizeof(data), "%s", text);
    sim_draft_add(d, type, data, len);
}

static size_t tlv_find(const struct sim_draft *d, uint16_t type)
{
    size_t i = 0;

    while (i + 1 < d->tlv_count && d->tlvs[i].type != type)
        i++;
    return i;
}

static void tlv_drop(struct sim_draft *d, uint16_t type)
{
    size_t at = tlv_find(d, type);

    d->tlv_count--;
    for (size_t i = at; i < d->tlv_count; i++)
        d->tlvs[i] = d->tlvs[i + 1];
}

static void fault_blocks(struct sim_draft *d, enum sim_gpu_fault fault)
{
    struct sim_block *b = &d->blocks[22];

    if (fault == SIM_GPU_COUNT_63)
        d->block_count--;
    if (fault == SIM_GPU_COUNT_65) {
        d->blocks[d->block_count] = d->blocks[0];
        d->blocks[d->block_count++].index = 65;
    }
    if (fault == SIM_GPU_INDEX_TWICE) {
        d->blocks[21] = *b;
        d->blocks[21].value[0] ^= 1;
    }
    if (fault == SIM_GPU_INDEX_0)
        d->blocks[0].index = 0;
    if (fault == SIM_GPU_INDEX_65)
        b->index = 65;
    if (fault == SIM_GPU_BLOCK_SPEC)
        b->specification = 2;
    if (fault == SIM_GPU_BLOCK_TYPE)
        b->type = 0x81;
    if (fault == SIM_GPU_BLOCK_SIZE)
        b->size = 0xffff;
    if (fault == SIM_GPU_VALUE_SIZE)
        b->value_size = 32;
    if (fault == SIM_GPU_MEASUREMENT_9)
        d->blocks[9].value[0] ^= 1;
    if (fault == SIM_GPU_MEASUREMENT_22)
        b->value[0] ^= 1;
    if (fault == SIM_GPU_NVDEC_35)
        d->blocks[35].value[0] ^= 1;
}

static void fault_message(struct sim_draft *d, enum sim_gpu_fault fault)
{
    if (fault == SIM_GPU_NONCE_OTHER)
        d->nonce[0] ^= 1;
    if (fault == SIM_GPU_SPDM_12)
        d->version = 0x12;
    if (fault == SIM_GPU_REQUEST_ONE)
        d->param2 = 1;
    if (fault == SIM_GPU_REQUEST_UNSIGNED)
        d->param1 = 0;
    if (fault == SIM_GPU_SLOT_1)
        d->slot = 1;
    if (fault == SIM_GPU_CODE_CHALLENGE)
        d->response_code = 0x03;
    if (fault == SIM_GPU_RECORD_LEN)
        d->record_add = 0xf00000;
    if (fault == SIM_GPU_OPAQUE_LEN)
        d->opaque_add = 0x8000;
    if (fault == SIM_GPU_OPAQUE_TAIL)
        d->opaque_extra = 3;
}

static void fault_fields(struct sim_draft *d, enum sim_gpu_fault fault)
{
    size_t driver = tlv_find(d, T_DRIVER);

    if (fault == SIM_GPU_DRIVER_TWICE) {
        sim_draft_text(d, T_DRIVER, sim_gpu_driver(), strlen(sim_gpu_driver()) + 1);
        d->tlvs[driver].data[0] = '4';
    }
    if (fault == SIM_GPU_DRIVER_EMPTY)
        d->tlvs[driver].len = 1, d->tlvs[driver].data[0] = 0;
    if (fault == SIM_GPU_DRIVER_NUL)
        memcpy(d->tlvs[driver].data + strlen(sim_gpu_driver()), "\0-old", 6),
            d->tlvs[driver].len += 5;
    if (fault == SIM_GPU_DRIVER_OLD)
        d->tlvs[driver].data[2] = '1';
    if (fault == SIM_GPU_VBIOS_OLD)
        d->tlvs[tlv_find(d, T_VBIOS)].data[0] ^= 1;
    if (fault == SIM_GPU_VBIOS_MISSING)
        tlv_drop(d, T_VBIOS);
    if (fault == SIM_GPU_NVDEC_MISSING)
        tlv_drop(d, T_NVDEC);
    if (fault == SIM_GPU_NVDEC_UNKNOWN)
        d->tlvs[tlv_find(d, T_NVDEC)].data[0] = 0;
    if (fault == SIM_GPU_FWID_SHORT)
        d->tlvs[tlv_find(d, T_FWID)].len = 32;
    if (fault == SIM_GPU_FWID_OTHER)
        d->tlvs[tlv_find(d, T_FWID)].data[47] ^= 1;
    if (fault == SIM_GPU_OPAQUE_VERSION)
        d->tlvs[tlv_find(d, T_VERSION)].data[0] = 2;
    if (fault == SIM_GPU_FLAGS_DISAGREE)
        d->tlvs[tlv_find(d, T_FEATURE)].data[0] = 2;
    if (fault == SIM_GPU_ARCH_OTHER)
        d->tlvs[tlv_find(d, T_INFO)].data[0] = 0xa0;
}

void sim_draft_spoil(struct sim_draft *d, enum sim_gpu_fault fault, unsigned index)
{
    fault_message(d, fault);
    fault_blocks(d, fault);
    fault_fields(d, fault);
    if (fault == SIM_GPU_SET_DRIVER && index == 3)
        d->tlvs[tlv_find(d, T_DRIVER)].data[2] = '1';
}

/* What happens to a report that is signed. */
void sim_draft_spoil_signed(struct buf *report, enum sim_gpu_fault fault)
{
    struct buf copy = buf_make(REPORT_MAX);

    buf_put(&copy, buf_bytes(report));
    if (fault == SIM_GPU_REPORT_CHANGED && report->len > 600)
        report->ptr[45 + 9 * 55 + 7] ^= 1;
    if (fault == SIM_GPU_TRAILING)
        buf_putc(report, 0xff);
    if (fault == SIM_GPU_TWICE)
        buf_put(report, buf_bytes(&copy));
    if (fault == SIM_GPU_TRUNCATED && report->len > 0)
        report->len--;
    buf_done(&copy);
}
