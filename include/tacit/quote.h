/* Verification of Intel SGX and TDX DCAP quotes, offline: quote and collateral in, verdict out. No
 * I/O, no clock, no global state: time, trusted root and policy are arguments. Whatever cannot be
 * evaluated is refused. */
#ifndef TACIT_QUOTE_H
#define TACIT_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tacit/bytes.h>
#include <tacit/err.h>
#include <tacit/verdict.h>

/* Intel's TCB statuses as PCS names them, and the two that a TD relaunch adds. NONE: not evaluated.
 * Revoked never reaches a result: it is a refusal. */
enum tacit_tcb_status {
    TACIT_TCB_NONE = 0,
    TACIT_TCB_UP_TO_DATE,
    TACIT_TCB_SW_HARDENING_NEEDED,
    TACIT_TCB_CONFIGURATION_NEEDED,
    TACIT_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    TACIT_TCB_OUT_OF_DATE,
    TACIT_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    TACIT_TCB_TD_RELAUNCH_ADVISED,
    TACIT_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    TACIT_TCB_REVOKED,
};

/* "UpToDate", "SWHardeningNeeded", …; "none". Never NULL, static. */
const char *tacit_tcb_status_name(enum tacit_tcb_status status);

enum tacit_quote_body {
    TACIT_BODY_SGX = 1,     /* enclave report, 384 octets */
    TACIT_BODY_TD10 = 2,    /* 584 octets */
    TACIT_BODY_TD15 = 3,    /* 648: + TEE_TCB_SVN2, MRSERVICETD */
    TACIT_BODY_TD15_EX = 4, /* 885 */
};

/* SGX enclave report; also what the quoting enclave itself says. Views, little-endian as stored. */
struct tacit_sgx_report {
    struct bytes whole;      /* 384 */
    struct bytes cpusvn;     /* 16 */
    struct bytes miscselect; /* 4 */
    struct bytes attributes; /* 16 */
    struct bytes mrenclave;  /* 32 */
    struct bytes mrsigner;   /* 32 */
    uint16_t isvprodid;
    uint16_t isvsvn;
    struct bytes report_data; /* 64 */
};

/* TD report. Views, little-endian as stored. */
struct tacit_td_report {
    struct bytes tee_tcb_svn;     /* 16; the module at TD launch */
    struct bytes mrseam;          /* 48 */
    struct bytes mrsignerseam;    /* 48 */
    struct bytes seam_attributes; /* 8 */
    struct bytes td_attributes;   /* 8 */
    struct bytes xfam;            /* 8 */
    struct bytes mrtd;            /* 48 */
    struct bytes mrconfigid;      /* 48 */
    struct bytes mrowner;         /* 48 */
    struct bytes mrownerconfig;   /* 48 */
    struct bytes rtmr[4];         /* 48 each */
    struct bytes report_data;     /* 64 */
    struct bytes tee_tcb_svn2;    /* 16; 1.5 only, else empty; the module now */
    struct bytes mrservicetd;     /* 48; 1.5 only, else empty */
    struct bytes extended;        /* 237; 1.5 Ex only: VM id and what follows */
};

/* The fields of a quote. All views borrow from the quote's bytes. */
struct tacit_quote {
    uint16_t version;       /* 3, 4, 5 */
    uint16_t att_key_type;  /* 2 */
    uint32_t tee_type;      /* 0 SGX, 0x81 TDX */
    uint16_t header_svn1;   /* offset 8: QE SVN in version 3 */
    uint16_t header_svn2;   /* offset 10: PCE SVN in version 3 */
    struct bytes vendor_id; /* 16 */
    struct bytes user_data; /* 20 */
    enum tacit_quote_body body;
    struct tacit_sgx_report sgx; /* when body is SGX */
    struct tacit_td_report td;   /* otherwise */
    struct bytes signed_part;    /* header, descriptor, body */
    struct bytes auth;           /* authentication data, exactly */
    struct bytes signature;      /* 64 */
    struct bytes att_key;        /* 64 */
    struct tacit_sgx_report qe;
    struct bytes qe_signature; /* 64 */
    struct bytes qe_auth_data;
    uint16_t cert_type; /* 1..7; verification takes 5 (PEM chain) only */
    struct bytes cert_data;
    struct bytes trailing; /* behind the authentication data: covered by nothing, never used */
};

/* Split a quote into its fields. Verifies nothing.
 *
 * out       zeroed on failure
 * quote     untrusted bytes, any length
 * why       NULL, or gets a static sentence on failure
 *
 * Returns   TACIT_OK; TACIT_FORMAT for lengths; TACIT_UNSUPPORTED for a version, key type, TEE,
 *           vendor, body or certification data that the header names and we do not know.
 * Memory    allocates nothing; views borrow from `quote`. Threads pure, any thread.
 * Spec      tdx.md 1.1-1.3 */
enum tacit_err tacit_quote_parse(struct tacit_quote *out, struct bytes quote, const char **why);

/* Values of which one is demanded; count 0 accepts any. */
struct tacit_pins {
    const struct bytes *any_of;
    size_t count;
};

/* Appraisal policy: what is demanded of a genuine quote. Start from tacit_tdx_policy_default and
 * change what you must. A zeroed policy accepts no TCB status, hence nothing. */
struct tacit_tdx_policy {
    uint32_t tcb_accepted; /* bits 1 << enum tacit_tcb_status; REVOKED is never accepted */
    uint32_t grace_days;   /* OutOfDate and TDRelaunchAdvised statuses are tolerated so many days
                            * after the matched level's tcbDate */
    const char *const *advisories_accepted; /* with a status other than UpToDate, each advisory must
                                             * be listed; NULL: any is accepted */
    size_t advisories_accepted_count;
    uint32_t min_eval_number;    /* of both documents; 0: any */
    int64_t min_tcb_date_unix_s; /* 0: any */
    bool allow_debug;            /* TD bits 0-7, SGX DEBUG: host can read memory */
    bool allow_migratable;       /* TD bit 29 */
    bool allow_reserved_attributes;
    bool allow_any_xfam;
    bool require_sept_ve_disable;  /* TD bit 28; Azure's TDs lack it */
    bool allow_service_td;         /* any MRSERVICETD; otherwise zero or one of service_tds */
    bool refuse_smt;               /* the platform must say that SMT is off */
    bool refuse_dynamic_platform;  /* the platform must say that it is not dynamic */
    struct tacit_pins service_tds; /* 48 each, as the following */
    struct tacit_pins mrtd, mrseam, mrconfigid, mrowner, mrownerconfig, rtmr[4];
    struct tacit_pins mrenclave, mrsigner;  /* 32; SGX bodies */
    struct tacit_pins fmspc;                /* 6 */
    struct tacit_pins ppid;                 /* 16 */
    struct tacit_pins platform_instance_id; /* 16 */
};

/* The default of spec tdx.md 2.9: UpToDate only, no debug, no migration, no reserved bits, sane
 * XFAM, no service TD, nothing pinned. */
struct tacit_tdx_policy tacit_tdx_policy_default(void);

enum { TACIT_ADVISORIES_MAX = 128, TACIT_ADVISORY_LEN = 32, TACIT_SERIAL_MAX = 20 };

/* A flag of the platform certificate. */
enum tacit_platform_flag { TACIT_FLAG_UNKNOWN = 0, TACIT_FLAG_FALSE, TACIT_FLAG_TRUE };

/* Everything dated that a verification leaned on. */
enum { TACIT_VALIDITIES = 9 };
struct tacit_validity {
    const char *row;  /* id of the row that judges it */
    const char *what; /* "PCK certificate", "TCB info", … Both static. */
    int64_t from_unix_s;
    int64_t until_unix_s;
};

/* What verification found. All zero unless the quote is genuine (is_genuine), that is: every check
 * but the appraisal policy passed. */
struct tacit_quote_result {
    bool is_genuine;
    bool is_simulated;        /* under another root than Intel's */
    struct tacit_quote quote; /* borrows from the quote's bytes */
    enum tacit_tcb_status tcb_status;
    size_t advisory_count;
    char advisories[TACIT_ADVISORIES_MAX][TACIT_ADVISORY_LEN]; /* sorted, each once */
    int64_t tcb_date_unix_s; /* oldest of the matched platform, module and QE levels */
    bool has_current;        /* TD 1.5: the module now, beside the one at launch */
    enum tacit_tcb_status current_tcb_status;
    size_t current_advisory_count;
    char current_advisories[TACIT_ADVISORIES_MAX][TACIT_ADVISORY_LEN];
    int64_t current_tcb_date_unix_s;
    uint32_t eval_number; /* the smaller of the two documents' */
    uint32_t tcb_eval_number, qe_eval_number;
    int64_t earliest_issue_unix_s; /* of TCB info, QE identity and both CRLs */
    int64_t latest_issue_unix_s;
    int64_t json_earliest_expiry_unix_s; /* TCB info and QE identity */
    int64_t earliest_expiry_unix_s;      /* these, both CRLs and every certificate */
    struct tacit_validity validities[TACIT_VALIDITIES];
    uint8_t fmspc[6];
    uint8_t pceid[2];
    uint8_t ppid[16];
    uint16_t pcesvn;
    uint8_t cpusvn[16];
    uint8_t tcb_components[16];
    uint8_t sgx_type; /* 0 standard, 1 scalable, 2 scalable with integrity */
    bool is_platform_ca;
    bool has_platform_instance_id;
    uint8_t platform_instance_id[16];
    enum tacit_platform_flag dynamic_platform, cached_keys, smt_enabled;
    uint8_t pck_serial[TACIT_SERIAL_MAX];
    size_t pck_serial_len;
};

struct tacit_quote_cache;

struct tacit_quote_input {
    struct bytes quote;      /* untrusted */
    struct bytes collateral; /* untrusted: compact JSON, spec tdx.md 3.2 */
    struct bytes root_der;   /* trusted root; len 0: Intel SGX Root CA. Any other root makes the
                              * result and the verdict SIMULATED */
    int64_t now_unix_s;      /* the time to judge by */
    const struct tacit_tdx_policy *policy; /* NULL: no appraisal, genuine is enough */
    const uint8_t *report_data;            /* 64 octets that REPORTDATA must equal; NULL: not
                                            * compared */
    const char *subject;                   /* whose evidence, for the rows; NULL: "quote" */
    struct tacit_quote_cache *cache;       /* NULL: everything is verified anew */
};

/* Verify a quote: certificate chain, revocation, collateral, quoting enclave, signature, TCB level,
 * then policy. Adds one row per check to `v` (ids in docs/rows.md); checks that could not run
 * because an earlier one failed get NOT_RUN rows. The verdict is tacit_verdict_is_trusted(v).
 *
 * v         the caller zeroes it or has begun it
 * out       zeroed unless genuine; must not be NULL
 *
 * Returns   TACIT_OK when rows were written, whatever they say; TACIT_NOMEM (a NOT_RUN row says so
 *           too); TACIT_USAGE for an unreadable root. Never trusted in the latter cases.
 * Memory    up to 12 MiB while it runs (a genuine quote: 200 KiB), released before returning; `out`
 * borrows from in->quote. Threads   any; a cache is used by one thread at a time. Spec      tdx.md
 * 2 */
enum tacit_err tacit_quote_verify(struct tacit_verdict *v, struct tacit_quote_result *out,
                                  const struct tacit_quote_input *in);

/* "What would fail then?" For a genuine quote's result and another date: one row for everything
 * dated (certificates, CRLs, documents), and the rows of the policy (NULL: none) as of that date.
 * Intel's later opinion of the platform cannot be known in advance.
 *
 * v         rows are added; subject as given, NULL: "quote"
 *
 * Threads   pure, any thread. */
void tacit_quote_forecast(struct tacit_verdict *v, const struct tacit_quote_result *result,
                          const struct tacit_tdx_policy *policy, const char *subject,
                          int64_t then_unix_s);

/* What a quote needs to be looked up by: its platform and which CA certified it. From unverified
 * certificates: good for choosing collateral, for nothing else.
 *
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_UNSUPPORTED; TACIT_NOMEM. Threads any. */
struct tacit_collateral_need;
enum tacit_err tacit_quote_need(struct tacit_collateral_need *out, struct bytes quote);

/* Verified collateral and platforms, kept: a further quote of the same platform under the same
 * collateral costs one signature check instead of nine, another platform of the same FMSPC three.
 * Only successes are kept, with their validity window and the root they were verified under; the
 * oldest entries go first.
 *
 * Memory    at most 16 collaterals (some 150 KiB each, never above 8 MiB) and 64 platforms (some
 *           20 KiB each, never above 4 MiB). NULL when out of memory.
 * Threads   one thread at a time. */
struct tacit_quote_cache *tacit_quote_cache_new(void);
/* Accepts NULL. */
void tacit_quote_cache_free(struct tacit_quote_cache *cache);

/* The pinned Intel SGX Root CA, DER. Static. */
struct bytes tacit_intel_root(void);

#endif
