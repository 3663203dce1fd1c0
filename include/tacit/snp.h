/* Verification of AMD SEV-SNP attestation reports, offline: report and certificates in, verdict
 * out. No I/O, no clock, no global state: time, trusted root and policy are arguments. */
#ifndef TACIT_SNP_H
#define TACIT_SNP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tacit/bytes.h>
#include <tacit/err.h>
#include <tacit/verdict.h>

enum { TACIT_SNP_REPORT_LEN = 1184, TACIT_SNP_PINS_MAX = 16 };

enum tacit_snp_product {
    TACIT_SNP_UNKNOWN = 0,
    TACIT_SNP_MILAN,
    TACIT_SNP_GENOA, /* Bergamo and Siena, too */
    TACIT_SNP_TURIN,
};

enum tacit_snp_key { TACIT_SNP_VCEK = 0, TACIT_SNP_VLEK = 1 };

/* Security versions of a TCB; fmc is 0 on Milan and Genoa. */
struct tacit_snp_tcb {
    uint8_t fmc, boot_loader, tee, snp, microcode;
};

/* The fields of a report. Views borrow from its bytes; numbers are in host order. */
struct tacit_snp_report {
    uint32_t version; /* 2..5 */
    uint32_t guest_svn;
    uint64_t policy;
    struct bytes family_id; /* 16 */
    struct bytes image_id;  /* 16 */
    uint32_t vmpl;
    uint32_t sig_algo; /* 1: ECDSA P-384 with SHA-384 */
    struct bytes current_tcb;
    uint64_t platform_info;
    uint32_t key_flags;         /* bit 0 author key, bit 1 chip id masked, bits 2-4 signing key */
    struct bytes report_data;   /* 64 */
    struct bytes measurement;   /* 48 */
    struct bytes host_data;     /* 32 */
    struct bytes id_key_digest; /* 48 */
    struct bytes author_key_digest;                    /* 48 */
    struct bytes report_id;                            /* 32 */
    struct bytes report_id_ma;                         /* 32 */
    struct bytes reported_tcb;                         /* 8, as the following */
    uint8_t cpuid_family, cpuid_model, cpuid_stepping; /* 0 before version 3 */
    struct bytes chip_id;                              /* 64 */
    struct bytes committed_tcb;
    uint8_t current_build, current_minor, current_major;
    uint8_t committed_build, committed_minor, committed_major;
    struct bytes launch_tcb;
    uint64_t launch_mitigations, current_mitigations; /* version 5, else 0 */
    struct bytes signed_part;                         /* 672 octets */
    struct bytes sig_r, sig_s;                        /* 72 each, little-endian */
    struct bytes sig_rest;                            /* 368, zero in genuine reports */
};

/* Split a report into its fields. Verifies nothing.
 *
 * out       zeroed on failure
 * in        untrusted bytes, any length
 *
 * Returns   TACIT_OK; TACIT_FORMAT unless `in` has 1184 octets and version 2 to 5.
 * Memory    allocates nothing. Threads pure, any thread. Spec tdx.md 6.1 */
enum tacit_err tacit_snp_parse(struct tacit_snp_report *out, struct bytes in);

/* Versions of a TCB field, which is laid out differently on Turin. */
struct tacit_snp_tcb tacit_snp_tcb_of(struct bytes tcb8, enum tacit_snp_product product);

/* Values of which one is demanded; count 0 accepts any. */
struct tacit_snp_pins {
    const struct bytes *any_of;
    size_t count;
};

/* What is demanded of a genuine report. Zeroed is the default: no debugging, no migration agent,
 * the fixed bits as AMD fixes them, asked for by the guest, no masked chip id. */
struct tacit_snp_policy {
    bool allow_debug;
    bool allow_migrate_ma;
    bool allow_masked_chip_id; /* VCEK with CHIP_ID zero: whose chip it is stays unknown */
    bool has_vmpl; /* demand this privilege level; otherwise any of the guest's own, 0 to 3 */
    uint32_t vmpl;
    bool refuse_smt;
    bool require_alias_check;          /* PLATFORM_INFO bit 5, against BadRAM */
    struct tacit_snp_tcb min_tcb;      /* of REPORTED_TCB, each version */
    struct tacit_snp_pins measurement; /* 48 */
    struct tacit_snp_pins host_data;   /* 32 */
    struct tacit_snp_pins id_key;      /* 48 */
    struct tacit_snp_pins author_key;  /* 48 */
    struct tacit_snp_pins chip_id;     /* 64 */
};

struct tacit_snp_input {
    struct bytes report;    /* untrusted, as everything else but root, time and policy */
    struct bytes leaf_der;  /* VCEK or VLEK certificate */
    struct bytes chain_pem; /* ASK (or ASVK), then ARK; the ARK may be missing if root_der is set */
    struct bytes root_der;  /* trusted ARK; len 0: AMD's, of whichever product the chain is. Another
                             * one makes the verdict SIMULATED */
    struct bytes crl_der;   /* the ARK's CRL; len 0: none */
    bool is_crl_required;
    int64_t now_unix_s;
    const struct tacit_snp_policy *policy; /* NULL: no appraisal, genuine is enough */
    const uint8_t *report_data;            /* 64 octets demanded; NULL: not compared */
    const char *subject;                   /* for the rows; NULL: "report" */
};

/* What verification found; zeroed unless genuine: every check but policy and report data passed. */
struct tacit_snp_result {
    bool is_genuine;
    bool is_simulated;
    struct tacit_snp_report report; /* borrows from the input */
    enum tacit_snp_product product;
    enum tacit_snp_key key;
    struct tacit_snp_tcb reported;
    bool is_chip_id_masked; /* only if the policy allows it */
    int64_t expires_unix_s; /* earliest end of certificates and CRL */
};

/* Verify a report: root, chain, revocation, leaf, TCB and chip identity, signature, then policy.
 * Adds one row per check (ids snp.* in docs/rows.md); checks that an earlier failure made
 * impossible get NOT_RUN rows.
 *
 * Returns   TACIT_OK when rows were written, whatever they say; TACIT_NOMEM; TACIT_USAGE for an
 *           unreadable root. Never trusted in the latter cases.
 * Memory    up to 1 MiB while it runs, released before returning.
 * Threads   any. Spec tdx.md 6.2 */
enum tacit_err tacit_snp_verify(struct tacit_verdict *v, struct tacit_snp_result *out,
                                const struct tacit_snp_input *in);

/* "Milan" "Genoa" "Turin" "unknown". Static. */
const char *tacit_snp_product_name(enum tacit_snp_product product);

#endif
