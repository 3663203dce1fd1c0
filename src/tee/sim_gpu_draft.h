/* A simulated report before it is octets: what an honest device would say, open to faults. */
#ifndef TEE_SIM_GPU_DRAFT_H
#define TEE_SIM_GPU_DRAFT_H

#include "tee/sim_gpu_priv.h"

enum {
    BLOCKS_MAX = 66,
    TLVS_MAX = 24,
    TLV_DATA_MAX = 256,
    REPORT_MAX = 16 * 1024,
    SIG_LEN = 96,
    GPU_BLOCKS = 64,
    SWITCH_BLOCKS = 31,
    PORTS = 18,
    ON = 0xaa,
    OFF = 0x55,
};

enum sim_tlv {
    T_DRIVER = 3,
    T_INFO = 4,
    T_VBIOS = 6,
    T_NVDEC = 11,
    T_COUNTERS = 12,
    T_CPR = 13,
    T_BOARD = 14,
    T_CHIP_SKU = 15,
    T_CHIP_SKU_MOD = 16,
    T_PROJECT = 17,
    T_PROJECT_SKU = 18,
    T_PROJECT_SKU_MOD = 19,
    T_FWID = 20,
    T_PCIE = 21,
    T_PDI = 22,
    T_PORTS = 23,
    T_POSITION = 24,
    T_LOCK = 25,
    T_PEERS = 26,
    T_SYS = 33,
    T_VERSION = 34,
    T_CHIP = 35,
    T_FEATURE = 36,
};

struct sim_block {
    uint8_t index, specification, type;
    uint16_t size, value_size;
    uint8_t value[SIM_GPU_DIGEST];
};

struct sim_draft {
    uint8_t version, param1, param2, slot, response_code;
    uint8_t nonce[32];
    struct sim_block blocks[BLOCKS_MAX];
    size_t block_count;
    struct {
        uint16_t type;
        size_t len;
        uint8_t data[TLV_DATA_MAX];
    } tlvs[TLVS_MAX];
    size_t tlv_count;
    size_t opaque_extra; /* stray octets behind the TLVs */
    uint32_t record_add; /* to the record's stated length */
    uint16_t opaque_add;
};

/* Adds a TLV; there is room for what honest drafts and faults need. */
void sim_draft_add(struct sim_draft *d, uint16_t type, const void *data, size_t len);
/* Text, filled with NULs to `len`. */
void sim_draft_text(struct sim_draft *d, uint16_t type, const char *text, size_t len);

/* What the fault does to the draft of GPU `index`, and to a report that is signed. */
void sim_draft_spoil(struct sim_draft *d, enum sim_gpu_fault fault, unsigned index);
void sim_draft_spoil_signed(struct buf *report, enum sim_gpu_fault fault);

#endif
