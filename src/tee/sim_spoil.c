/* Faults that are a change of bits at a known place of a quote: where, when, and which bits. */
#include "tee/sim_priv.h"

enum {
    HEADER_LEN = 48,
    DESCRIPTOR_LEN = 6,
    /* offsets in a TD report body (tdx.md 1.2) */
    TD_SEAM_SIGNER = 64,
    TD_SEAM_ATTRIBUTES = 112,
    TD_ATTRIBUTES = 120,
    TD_XFAM = 128,
    TD_MRCONFIGID = 184,
    TD_RTMR3 = 472,
    TD_MRSERVICETD = 600,
    /* offsets in an SGX report body */
    SGX_MISCSELECT = 16,
    SGX_ATTRIBUTES = 48,
    SGX_MRSIGNER = 128,
    SGX_PRODUCT = 256,
    SGX_DATA_TAIL = 320 + 32,
};

/* What `at` counts from. */
enum base { FROM_START, FROM_BODY, FROM_AUTH };

struct change {
    enum sim_fault fault;
    enum sim_part part;
    enum base base;
    size_t at;
    uint8_t bits; /* flipped */
};

static const struct change changes[] = {
    {SIM_QUOTE_VERSION, SIM_PART_QUOTE, FROM_START, 0, 0x02},
    {SIM_QUOTE_KEY_TYPE, SIM_PART_QUOTE, FROM_START, 2, 0x01},
    {SIM_QUOTE_TEE_TYPE, SIM_PART_QUOTE, FROM_START, 4, 0x81},
    {SIM_QUOTE_VENDOR, SIM_PART_QUOTE, FROM_START, 12, 0x01},
    {SIM_QUOTE_BODY_TYPE, SIM_PART_QUOTE, FROM_START, HEADER_LEN, 0x01},
    {SIM_QUOTE_BODY_SIZE, SIM_PART_QUOTE, FROM_START, HEADER_LEN + 2, 0x01},
    {SIM_MODULE_SIGNER, SIM_PART_QUOTE, FROM_BODY, TD_SEAM_SIGNER, 0x01},
    {SIM_MODULE_ATTRIBUTES, SIM_PART_QUOTE, FROM_BODY, TD_SEAM_ATTRIBUTES, 0x01},
    {SIM_TD_DEBUG, SIM_PART_QUOTE, FROM_BODY, TD_ATTRIBUTES, 0x01},
    {SIM_TD_MIGRATABLE, SIM_PART_QUOTE, FROM_BODY, TD_ATTRIBUTES + 3, 0x20},
    {SIM_TD_RESERVED, SIM_PART_QUOTE, FROM_BODY, TD_ATTRIBUTES + 4, 0x80},
    {SIM_TD_XFAM, SIM_PART_QUOTE, FROM_BODY, TD_XFAM + 7, 0x80},
    {SIM_COMPOSE_CONFIG, SIM_PART_QUOTE, FROM_BODY, TD_MRCONFIGID + 1, 0x01},
    {SIM_TD_SERVICE, SIM_PART_QUOTE, FROM_BODY, TD_MRSERVICETD, 0x01},
    {SIM_SGX_DEBUG, SIM_PART_QUOTE, FROM_BODY, SGX_ATTRIBUTES, 0x02},
    {SIM_QE_MISCSELECT, SIM_PART_QE, FROM_START, SGX_MISCSELECT, 0x01},
    {SIM_QE_ATTRIBUTES, SIM_PART_QE, FROM_START, SGX_ATTRIBUTES, 0x20},
    {SIM_QE_DEBUG, SIM_PART_QE, FROM_START, SGX_ATTRIBUTES, 0x02},
    {SIM_QE_MRSIGNER, SIM_PART_QE, FROM_START, SGX_MRSIGNER, 0x01},
    {SIM_QE_PRODUCT, SIM_PART_QE, FROM_START, SGX_PRODUCT, 0x04},
    {SIM_QE_BINDING_TAIL, SIM_PART_QE, FROM_START, SGX_DATA_TAIL + 31, 0x01},
    {SIM_QE_CHANGED, SIM_PART_QE_SIGNED, FROM_START, 0, 0x01},
    {SIM_QUOTE_CHANGED, SIM_PART_DONE, FROM_BODY, TD_RTMR3, 0x01},
    {SIM_QUOTE_SIGNATURE, SIM_PART_DONE, FROM_AUTH, 10, 0x01},
};

size_t sim_body_at(const struct sim *sim)
{
    return sim->plan.shape.version == 5 ? HEADER_LEN + DESCRIPTOR_LEN : HEADER_LEN;
}

/* Where the authentication data begins: behind body and its length. */
static size_t auth_at(const struct sim *sim)
{
    static const size_t body_len[] = {[TACIT_BODY_SGX] = 384,
                                      [TACIT_BODY_TD10] = 584,
                                      [TACIT_BODY_TD15] = 648,
                                      [TACIT_BODY_TD15_EX] = 885};

    return sim_body_at(sim) + body_len[sim->plan.shape.body] + 4;
}

void sim_spoil(const struct sim *sim, enum sim_part part, uint8_t *bytes, size_t len)
{
    const size_t bases[] = {
        [FROM_START] = 0, [FROM_BODY] = sim_body_at(sim), [FROM_AUTH] = auth_at(sim)};

    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        const struct change *c = &changes[i];
        size_t at = bases[c->base] + c->at;

        if (sim_is(sim, c->fault) && part == c->part && at < len)
            bytes[at] ^= c->bits;
    }
    if (sim_is(sim, SIM_QUOTE_SIGNATURE_ZERO) && part == SIM_PART_DONE)
        memset(bytes + auth_at(sim), 0, 64);
}
