/* Verification of a whole attestation report of NEAR's shape (GET /v1/attestation/report): every
 * quote, event log, key and GPU in it, against what the caller knows by himself: his nonce, the
 * clock, the roots and the TLS key he saw. Pure: no I/O but the caller's collateral callback, no
 * clock, no global state. What the report merely claims is never a fact. */
#ifndef TACIT_REPORT_H
#define TACIT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tacit/bytes.h>
#include <tacit/err.h>
#include <tacit/verdict.h>

struct tacit_tdx_policy;  /* tacit/quote.h */
struct tacit_quote_cache; /* tacit/quote.h */
struct tacit_gpu_opts;    /* tacit/gpu.h */

/* Which shape is expected. The caller says so; a report cannot choose. */
enum tacit_report_form {
    TACIT_REPORT_NODE = 0,    /* flat object of a node, maybe with all_attestations */
    TACIT_REPORT_GATEWAY = 1, /* gateway_attestation, maybe model_attestations */
};

/* Names one platform's collateral: what is fetched, cached and looked up by. */
struct tacit_collateral_need {
    uint8_t fmspc[6];
    bool is_platform_ca; /* false: Processor CA */
    bool is_tdx;         /* false: SGX */
};

/* Gives the collateral of one platform as compact JSON (spec tdx.md 3.2). Called at most once per
 * distinct platform of a report, on the caller's thread; may block.
 *
 * need      what the quote's certificate chain asks for; not verified yet
 * json      set to bytes that stay valid until tacit_report_verify returns
 * why       on failure: one printable sentence (256 octets with NUL), or left ""
 *
 * Returns   TACIT_OK, or an error: the row tdx.collateral then says "unobtainable". */
typedef enum tacit_err tacit_collateral_fn(struct bytes *json, char *why,
                                           const struct tacit_collateral_need *need, void *ctx);

/* Gives what one side's GPU evidence is judged by: called once for each side that shows any, before
 * it is judged, on the caller's thread; may block.
 *
 * opts      a copy of tacit_report_opts.gpu with nonce and time set; may be given rims, ocsp and
 *           nras, whose bytes must stay valid until tacit_report_verify returns
 * why       on failure: one printable sentence (256 octets with NUL), or left ""
 * evidence  the payload, not verified
 *
 * Returns   TACIT_OK, or an error: an optional row gpu.references then says why. What `opts` has
 * got by then is used in either case. */
typedef enum tacit_err tacit_gpu_refs_fn(struct tacit_gpu_opts *opts, char *why,
                                         struct bytes evidence, void *ctx);

/* Collateral fetched before, as a callback: pass tacit_collateral_from_set with a set as context.
 */
struct tacit_collateral_entry {
    struct tacit_collateral_need need;
    struct bytes json;
};
struct tacit_collateral_set {
    const struct tacit_collateral_entry *entries;
    size_t count;
};

/* Looks the need up in a set (ctx: const struct tacit_collateral_set *). TACIT_NOT_FOUND if absent.
 *
 * Memory    allocates nothing; `json` is borrowed from the set.
 * Threads   pure, any thread. */
enum tacit_err tacit_collateral_from_set(struct bytes *json, char *why,
                                         const struct tacit_collateral_need *need, void *ctx);

/* List of 32-octet values that are accepted; count 0 accepts any. */
struct tacit_allow32 {
    const uint8_t (*values)[32];
    size_t count;
};

/* What is demanded of one side (gateway or node) beyond a genuine quote. Zeroed: nothing. */
struct tacit_side_policy {
    const struct tacit_tdx_policy *tdx; /* NULL: the default policy of tdx.md 2.9 */
    struct tacit_allow32 compose_hashes;
    struct tacit_allow32 os_image_hashes;
    const uint8_t (*app_ids)[20];
    size_t app_id_count; /* 0 accepts any */
};

enum tacit_gpu_demand {
    TACIT_GPU_IF_PRESENT = 0, /* verify what is there; no payload is no failure */
    TACIT_GPU_REQUIRED = 1,   /* a node without GPU evidence is refused */
};

struct tacit_report_opts {
    enum tacit_report_form form;
    uint8_t nonce[32];       /* the caller's own, fresh, 32 random octets */
    int64_t now_unix_s;      /* the time to judge by */
    const uint8_t *tls_spki; /* 32 octets: SHA-256 of the SubjectPublicKeyInfo seen on the
                              * connection that brought the report; NULL: not observed */
    bool is_tls_required;    /* the report must bind a TLS key, and tls_spki must be given */
    bool is_node_required;   /* gateway form: there must be exactly one model attestation */
    const char *model;       /* expected model_name of the node; NULL: any */
    struct bytes signer;   /* expected signing address of the node (20 or 32 octets); len 0: any */
    struct bytes root_der; /* trusted root instead of Intel's; len 0: Intel's. Another root than
                            * Intel's makes the verdict SIMULATED */
    tacit_collateral_fn *collateral; /* NULL: quotes cannot be trusted, row says unobtainable */
    void *collateral_ctx;
    struct tacit_quote_cache *cache; /* verified collateral kept between calls; NULL: none */
    struct tacit_side_policy gateway;
    struct tacit_side_policy node;
    enum tacit_gpu_demand gpu_demand;
    const struct tacit_gpu_opts *gpu; /* roots, RIMs, OCSP answers; NULL: GPU rows NOT_RUN */
    tacit_gpu_refs_fn *gpu_refs;      /* NULL: what `gpu` holds is all there is */
    void *gpu_refs_ctx;
};

enum { TACIT_MODEL_NAME_MAX = 128, TACIT_TCB_STATUS_MAX = 48 };

/* What one side is proven to be. Everything is zero unless every required row of that side passed.
 */
struct tacit_side_facts {
    bool is_trusted;
    bool is_ed25519;   /* else ecdsa (secp256k1) */
    bool has_tls_spki; /* bound into report data */
    bool has_signing_key;
    uint8_t signing_address[32]; /* 20 octets when ecdsa */
    size_t signing_address_len;
    uint8_t signing_key[64]; /* X||Y when ecdsa, 32 octets when ed25519 */
    uint8_t tls_spki[32];
    uint8_t report_data[64];
    uint8_t mrtd[48];
    uint8_t rtmr[4][48];
    uint8_t mrconfigid[48];
    bool has_compose_hash, has_os_image_hash, has_app_id, has_instance_id;
    uint8_t compose_hash[32]; /* authority of these four: RTMR3 replay */
    uint8_t os_image_hash[32];
    uint8_t app_id[20];
    uint8_t instance_id[20];
    char model[TACIT_MODEL_NAME_MAX]; /* the node's own word, bound by nothing but its answer */
    char tcb_status[TACIT_TCB_STATUS_MAX]; /* "UpToDate" … */
    int64_t collateral_expires_unix_s;
    size_t gpu_count; /* with evidence that passed */
};

struct tacit_report_facts {
    struct tacit_side_facts gateway; /* gateway form only */
    struct tacit_side_facts node;
};

/* Verify a whole report. Adds rows to `v` (which the caller zeroes or has begun) with the subjects
 * "report", "gateway", "node", "manager", "replica[i]", "gpu[i]"; docs/rows.md lists them. The
 * verdict is tacit_verdict_is_trusted(v).
 *
 * facts     what is proven; zeroed first; may be NULL
 * report    the reply's body, untrusted, any length
 *
 * Returns   TACIT_OK when rows were written, whatever they say; TACIT_NOMEM; TACIT_USAGE for
 *           options that contradict each other. In both latter cases the verdict is refused too.
 * Memory    needs up to 24 MiB while it runs, releases it before returning.
 * Threads   any thread; `v` and `facts` belong to the caller.
 * Spec      near.md 3, 4.2, 4.3 */
enum tacit_err tacit_report_verify(struct tacit_verdict *v, struct tacit_report_facts *facts,
                                   struct bytes report, const struct tacit_report_opts *opts);

#endif
