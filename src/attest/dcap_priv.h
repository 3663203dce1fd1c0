/* Inside of DCAP verification: the objects that a verification builds (and a cache keeps), and the
 * stages that build and judge them. Every stage writes its own rows. */
#ifndef ATTEST_DCAP_PRIV_H
#define ATTEST_DCAP_PRIV_H

#include "attest/collateral.h"
#include "attest/dcap.h"
#include "attest/qe_identity.h"
#include "attest/quote.h"
#include "attest/sgx_ext.h"
#include "attest/tcb_eval.h"
#include "attest/verdict.h"
#include "crypto/x509.h"

/* The checks, in the order they run. Their ids are in dcap_rows.c and docs/rows.md. */
enum dcap_check {
    CHECK_QUOTE_PARSE,
    CHECK_COLLATERAL,
    CHECK_PCK_PARSE,
    CHECK_PCK_ROOT,
    CHECK_PCK_CHAIN,
    CHECK_PCK_VALIDITY,
    CHECK_PCK_EXTENSION,
    CHECK_CRL_ROOT,
    CHECK_CRL_PCK,
    CHECK_PCK_REVOCATION,
    CHECK_TCB_CHAIN,
    CHECK_TCB_SIGNATURE,
    CHECK_TCB_PARSE,
    CHECK_TCB_VALIDITY,
    CHECK_TCB_PLATFORM,
    CHECK_QEID_CHAIN,
    CHECK_QEID_SIGNATURE,
    CHECK_QEID_PARSE,
    CHECK_QEID_VALIDITY,
    CHECK_QE_SIGNATURE,
    CHECK_QE_BINDING,
    CHECK_QE_IDENTITY,
    CHECK_QUOTE_SIGNATURE,
    CHECK_TDX_MODULE,
    CHECK_TCB_LEVEL,
    CHECK_COUNT,
};

/* A span of time, both ends inclusive. */
struct dcap_window {
    int64_t from_unix_s;
    int64_t until_unix_s;
};

/* Collateral, verified under one root and one PCK CA. Immutable once built. */
struct dcap_base {
    struct arena arena;  /* holds everything below but the keys */
    struct bytes source; /* the collateral file, copied */
    struct collateral col;
    struct x509_cert root;
    struct x509_cert ca;
    struct pubkey *root_key;
    struct pubkey *ca_key;
    bool is_platform_ca;
    struct x509_crl root_crl;
    struct x509_crl pck_crl;
    struct x509_revoked revoked; /* by the PCK CRL */
    struct x509_cert signers[2]; /* of TCB info and QE identity; the same more often than not */
    struct tcb_info tcb;
    struct qe_identity qe;
    struct dcap_window window; /* of every document and certificate here */
};

/* One platform's certificate and quoting enclave, verified under a base. Immutable once built. */
struct dcap_platform {
    struct arena arena;
    struct bytes chain_pem; /* copied: the chain the leaf came in */
    struct bytes auth_tail; /* copied: authentication data from the attestation key on */
    struct x509_cert chain[4];
    size_t chain_len;
    struct x509_cert leaf; /* chain[0] */
    struct pubkey *leaf_key;
    struct pubkey *att_key;
    struct sgx_ext ext;
    struct dcap_window window; /* of the leaf */
};

/* One verification under way. */
struct dcap_run {
    const struct tacit_quote_input *in;
    struct row_scope rows;
    enum dcap_check next; /* first check without a row */
    enum tacit_err err;   /* set when the run ends for want of memory */
    struct tacit_quote quote;
    struct bytes root_der;
    bool is_simulated;
    struct dcap_base *base;
    struct dcap_platform *platform;
    bool is_base_new, is_platform_new; /* built by this run, not from the cache */
    const struct isv_level *qe_level;
    struct tcb_outcome launch;
    struct tcb_outcome current;
    enum tacit_tcb_status status;
};

/* Rows. Each check gets exactly one, in order; the first failure ends the run. */
bool run_pass(struct dcap_run *run, enum dcap_check check);
bool run_fail(struct dcap_run *run, enum dcap_check check, enum tacit_row_cause cause,
              const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Out of memory: ends the run with a NOT_RUN row and run->err. */
bool run_nomem(struct dcap_run *run, enum dcap_check check);
/* NOT_RUN rows for everything that has none yet. */
void run_close(struct dcap_run *run);
const char *dcap_check_id(enum dcap_check check);

/* Windows. */
void window_cut(struct dcap_window *w, int64_t from_unix_s, int64_t until_unix_s);
bool window_has(const struct dcap_window *w, int64_t unix_s);

struct dcap_base *dcap_base_new(void);
void dcap_base_free(struct dcap_base *base);
struct dcap_platform *dcap_platform_new(void);
void dcap_platform_free(struct dcap_platform *platform);

/* The stages; each returns whether the run goes on. */
bool stage_collateral(struct dcap_run *run);
bool stage_chain(struct dcap_run *run);     /* PCK_PARSE to PCK_EXTENSION */
bool stage_crls(struct dcap_run *run);      /* CRL_ROOT to PCK_REVOCATION */
bool stage_documents(struct dcap_run *run); /* TCB_CHAIN to QEID_VALIDITY */
bool stage_qe(struct dcap_run *run);        /* QE_SIGNATURE to QE_IDENTITY */
bool stage_quote(struct dcap_run *run);     /* QUOTE_SIGNATURE */
bool stage_tcb(struct dcap_run *run);       /* TDX_MODULE, TCB_LEVEL */
/* Whether the platform's certificate is on the PCK CRL or its CA on the root CRL. */
bool stage_revocation(struct dcap_run *run);
/* Whether TCB info and QE identity are those of this quote's platform and TEE. */
bool stage_platform(struct dcap_run *run);

/* Supplemental data of a genuine quote. */
void result_fill(struct tacit_quote_result *out, const struct dcap_run *run);

/* Appraisal: one row per demand (tdx_policy.c). */
void tdx_policy_rows(const struct row_scope *rows, const struct tacit_tdx_policy *policy,
                     const struct tacit_quote_result *result, int64_t now_unix_s);
/* NOT_RUN rows for the demands of a policy that could not be judged. */
void tdx_policy_rows_not_run(const struct row_scope *rows);

/* Cache (dcap_cache.c). find sets run->base and run->platform when they apply now; keep takes over
 * what the run has built. */
void cache_find(struct tacit_quote_cache *cache, struct dcap_run *run);
void cache_keep(struct tacit_quote_cache *cache, struct dcap_run *run);
/* The platform chain a run is to use: from the collateral, else from the quote. */
struct bytes run_chain_pem(const struct dcap_run *run);
struct bytes run_auth_tail(const struct dcap_run *run);

#endif
