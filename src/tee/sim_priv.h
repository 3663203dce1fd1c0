/* What the simulator's files share. The plan says what is to be made and what is to be wrong with
 * it; the PKI is made from seed and plan; everything else from these two. */
#ifndef TEE_SIM_PRIV_H
#define TEE_SIM_PRIV_H

#include "crypto/cert_make.h"
#include "crypto/sha2.h"
#include "tee/sim.h"
#include "tee/sim_fault_list.h"

enum sim_fault {
    SIM_HONEST = 0,
#define SIM_FAULT_ENUM(symbol, name, row, needs, does) SIM_##symbol,
    SIM_FAULTS(SIM_FAULT_ENUM)
#undef SIM_FAULT_ENUM
};

/* What a fault needs of a quote. */
enum sim_need { SIM_NEED_ANY, SIM_NEED_TD10, SIM_NEED_TD15, SIM_NEED_SGX3 };
enum sim_need sim_fault_need(enum sim_fault fault);

struct sim_plan {
    enum sim_fault fault;
    struct sim_shape shape;
};

enum sim_key {
    SIM_KEY_ROOT,
    SIM_KEY_PLATFORM_CA,
    SIM_KEY_PROCESSOR_CA,
    SIM_KEY_PCK,
    SIM_KEY_TCB_SIGNING,
    SIM_KEY_KMS,   /* of the simulated key provider: bound in the event log */
    SIM_KEY_ROGUE, /* an attacker's */
    SIM_KEY_COUNT,
};

enum sim_cert {
    SIM_CERT_ROOT,
    SIM_CERT_CA,
    SIM_CERT_PCK,
    SIM_CERT_TCB_SIGNING,
    SIM_CERT_ODD_SIGNER, /* a certificate of the root for another purpose, over the signer's key */
    SIM_CERT_COUNT,
};

enum { SIM_SERIAL_LEN = 20, SIM_SVN_COUNT = 16 };

struct sim_pki {
    struct signkey *keys[SIM_KEY_COUNT];
    struct buf certs[SIM_CERT_COUNT]; /* DER */
    struct buf names[SIM_CERT_COUNT]; /* DER subject names */
    uint8_t key_ids[SIM_CERT_COUNT][CERT_KEY_ID_LEN];
    uint8_t serials[SIM_CERT_COUNT][SIM_SERIAL_LEN];
    struct buf trust; /* DER of the root to be trusted: SIM_CERT_ROOT unless that is another's */
};

struct sim {
    uint8_t seed[SIM_SEED_LEN];
    bool is_fixed; /* the seed was given: nothing may be random */
    char *dir;     /* NULL: no folder */
    struct sim_plan plan;
    struct sim_pki pki; /* made when first needed, forgotten when the plan changes */
    bool has_pki;
};

static inline bool sim_is(const struct sim *sim, enum sim_fault fault)
{
    return sim->plan.fault == fault;
}

static inline bool sim_is_td(const struct sim *sim)
{
    return sim->plan.shape.body != TACIT_BODY_SGX;
}

/* Octets that the seed determines, by label. */
void sim_derive(const struct sim *sim, uint8_t *out, size_t len, const char *label);

/* The PKI of the present plan. */
MUST_CHECK enum tacit_err sim_pki_get(struct sim *sim, const struct sim_pki **out);
void sim_pki_done(struct sim_pki *pki);
/* The key that acts as `which` under the plan. */
const struct signkey *sim_key_of(const struct sim *sim, const struct sim_pki *pki,
                                 enum sim_key which);
/* Append PEM chains under the plan: leaf, CA, root; CA, root; and `signer`, root. */
void sim_pck_chain(const struct sim *sim, const struct sim_pki *pki, struct buf *pem);
void sim_crl_chain(const struct sim_pki *pki, struct buf *pem);
void sim_signer_chain(const struct sim_pki *pki, struct buf *pem, enum sim_cert signer);

/* Appends the value of the SGX extension of the PCK certificate. */
void sim_sgx_extension(const struct sim *sim, struct buf *der);

/* SVNs of the simulated platform under the plan. */
struct sim_platform {
    uint8_t sgx_svn[SIM_SVN_COUNT];
    uint16_t pcesvn;
    uint8_t tdx_svn[SIM_SVN_COUNT];  /* TEE_TCB_SVN: the module at launch */
    uint8_t tdx_svn2[SIM_SVN_COUNT]; /* the module now */
    uint16_t qe_isvsvn;
};
void sim_platform(const struct sim *sim, struct sim_platform *out);
extern const uint8_t sim_fmspc_octets[6];
extern const uint8_t sim_qe_mrsigner[2][32]; /* [0] QE, [1] TD_QE */

/* Who signs TCB info (or QE identity) under the plan. */
struct sim_signer {
    enum sim_key key;
    enum sim_cert cert;
};
struct sim_signer sim_signer_of(const struct sim *sim, bool is_tcb_info);

/* From the start of the day of now, moved and cut as the plan says. */
struct sim_window {
    int64_t from, to;
};
struct sim_window sim_window_at(int64_t now_unix_s, int64_t life_days);
/* The same, moved by days: negative ones into the past. */
struct sim_window sim_window_moved(struct sim_window w, int64_t days);

/* Signed JSON (sim_documents.c) and CRLs (sim_crl.c) under the plan. */
MUST_CHECK enum tacit_err sim_tcb_info(struct sim *sim, struct buf *json, uint8_t sig[static 64],
                                       int64_t now_unix_s);
MUST_CHECK enum tacit_err sim_qe_identity(struct sim *sim, struct buf *json, uint8_t sig[static 64],
                                          int64_t now_unix_s);
MUST_CHECK enum tacit_err sim_eval_numbers(struct sim *sim, struct buf *json,
                                           uint8_t sig[static 64], int64_t now_unix_s);
MUST_CHECK enum tacit_err sim_pck_crl(struct sim *sim, struct buf *der, int64_t now_unix_s);
MUST_CHECK enum tacit_err sim_root_crl(struct sim *sim, struct buf *der, int64_t now_unix_s);

/* Registers of a TD as a quote shows them. */
struct sim_registers {
    uint8_t mrtd[48];
    uint8_t mrconfigid[48];
    uint8_t rtmr[4][48];
};

/* Changes of bits before and after signing, from a table (sim_spoil.c). `part` starts where the
 * name says. */
enum sim_part {
    SIM_PART_QUOTE, /* header, descriptor, body: before they are signed */
    SIM_PART_QE,    /* the quoting enclave's report: before it is signed */
    SIM_PART_QE_SIGNED,
    SIM_PART_DONE, /* the whole quote */
};
void sim_spoil(const struct sim *sim, enum sim_part part, uint8_t *bytes, size_t len);
size_t sim_body_at(const struct sim *sim);

/* Appends a quote under the plan, signed by the attestation key `ak`. */
MUST_CHECK enum tacit_err sim_quote(struct sim *sim, struct buf *quote,
                                    const struct sim_registers *regs, const struct signkey *ak,
                                    const uint8_t report_data[static 64]);

#endif
