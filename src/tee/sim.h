/* The TDX simulator: a PKI of its own, shaped like Intel's, quotes and collateral that an
 * unmodified verifier accepts if and only if it is given this simulator's root. Proves nothing
 * about the machine it runs on. Every known attack is a fault that can be switched on by name, and
 * each names the one verdict row that must refuse it. The usual way in is tee_open with
 * TEE_SIMULATOR; this header is for `tacit sim` and for tests. */
#ifndef TEE_SIM_H
#define TEE_SIM_H

#include <tacit/quote.h>

#include "base/buf.h"
#include "base/err.h"

enum { SIM_SEED_LEN = 32, SIM_WHY_LEN = 256 };

struct sim;

/* Make the state of a simulated platform in a folder of its own (0700; files 0600, the root's
 * certificate and the collateral 0644).
 *
 * dir       made if missing; an existing state is left alone: TACIT_EXISTS
 * seed      SIM_SEED_LEN octets that determine every key, certificate and signature; NULL: random
 * why       a sentence for the operator on failure */
MUST_CHECK enum tacit_err sim_init(const char *dir, const uint8_t *seed,
                                   char why[static SIM_WHY_LEN]);

/* Open a state, making one with a random seed if the folder has none. Safe against other processes
 * doing the same. The caller owns *out: sim_free. One thread at a time. */
MUST_CHECK enum tacit_err sim_open(struct sim **out, const char *dir, char why[static SIM_WHY_LEN]);
/* The same without a folder: keys from this seed, nothing is written. For tests. */
MUST_CHECK enum tacit_err sim_open_seed(struct sim **out, const uint8_t seed[static SIM_SEED_LEN]);
/* Accepts NULL. */
void sim_free(struct sim *sim);

/* A named way to go wrong. */
struct sim_fault_info {
    const char *name; /* for --fault */
    const char *does; /* what is wrong then, one sentence without full stop */
    const char *row;  /* id of the verdict row that must refuse it */
};

/* The whole list; static. */
const struct sim_fault_info *sim_faults(size_t *count);
/* What to do in all that follows, until called again; NULL: be honest. Domains started before keep
 * the start they had. A fault that needs another shape of quote sets that too. TACIT_NOT_FOUND: no
 * such fault. */
MUST_CHECK enum tacit_err sim_set_fault(struct sim *sim, const char *name);

/* The same for everybody who opens the folder from now on, until changed; NULL: be honest again.
 * For demonstrations: what already runs is not touched. TACIT_NOT_FOUND: no such fault, or no state
 * in the folder. */
MUST_CHECK enum tacit_err sim_keep_fault(const char *dir, const char *name,
                                         char why[static SIM_WHY_LEN]);

/* The shape of quotes; start from sim_shape_default: version 4, TD 1.0 body, Platform CA. */
struct sim_shape {
    uint16_t version;           /* 3 (SGX), 4 or 5 */
    enum tacit_quote_body body; /* version 4: SGX or TD 1.0 */
    bool is_processor_ca;
};
struct sim_shape sim_shape_default(void);
/* TACIT_UNSUPPORTED for a version that has no such body. */
MUST_CHECK enum tacit_err sim_set_shape(struct sim *sim, struct sim_shape shape);

/* The trusted root: DER (borrowed until the next sim_set call or sim_free), and PEM. */
MUST_CHECK enum tacit_err sim_root_der(struct sim *sim, struct bytes *der);
MUST_CHECK enum tacit_err sim_root_pem(struct sim *sim, struct buf *pem);

/* The compact collateral (tdx.md 3.2) for this platform, issued at the start of the day of now. */
MUST_CHECK enum tacit_err sim_collateral(struct sim *sim, struct buf *json, int64_t now_unix_s);

/* Writes root.pem and collateral.json into the state's folder, readable for all. Without a folder:
 * TACIT_STATE. */
MUST_CHECK enum tacit_err sim_export(struct sim *sim, int64_t now_unix_s);

/* What Intel's certification service would answer (tdx.md 3.1). */
enum sim_document {
    SIM_DOC_TCB_INFO,     /* JSON; chain: TCB-Info-Issuer-Chain */
    SIM_DOC_QE_IDENTITY,  /* JSON; chain: SGX-Enclave-Identity-Issuer-Chain */
    SIM_DOC_PCK_CRL,      /* DER; chain: SGX-PCK-CRL-Issuer-Chain */
    SIM_DOC_ROOT_CRL,     /* DER; no chain */
    SIM_DOC_EVAL_NUMBERS, /* JSON; chain: TCB-Evaluation-Data-Numbers-Issuer-Chain */
};
/* body: the document; chain_pem: its issuer chain as PEM, untouched when there is none. */
MUST_CHECK enum tacit_err sim_document(struct sim *sim, enum sim_document doc, struct buf *body,
                                       struct buf *chain_pem, int64_t now_unix_s);
/* The simulated platform's FMSPC. */
void sim_fmspc(uint8_t out[static 6]);

/* A trust domain (or enclave) of the simulated platform, from its start: memory of its registers
 * and event log ends with sim_td_free. Belongs to `sim`, which must outlive it. */
struct sim_td;

/* workload  letters, digits, '-', '_', '.', at most 40: part of the measured app_compose.
 *           TACIT_USAGE otherwise. */
MUST_CHECK enum tacit_err sim_td_new(struct sim_td **out, struct sim *sim, const char *workload);
/* Accepts NULL. */
void sim_td_free(struct sim_td *td);
/* As in tee.h. */
MUST_CHECK enum tacit_err sim_td_quote(struct sim_td *td, struct buf *quote,
                                       const uint8_t report_data[static 64]);
MUST_CHECK enum tacit_err sim_td_event(struct sim_td *td, const char *event, struct bytes payload);
MUST_CHECK enum tacit_err sim_td_event_log(struct sim_td *td, struct buf *json);
MUST_CHECK enum tacit_err sim_td_info(struct sim_td *td, struct buf *json);
MUST_CHECK enum tacit_err sim_td_key(struct sim_td *td, uint8_t out[static 32], const char *path,
                                     const char *purpose);

#endif
