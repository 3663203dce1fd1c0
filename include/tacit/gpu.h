/* Verification of NVIDIA GPU and NVSwitch attestation, complete and offline: signed reports, device
 * certificate chains to the pinned root, reference values (RIM), revocation answers (OCSP), answers
 * of NVIDIA's attestation service (NRAS), and whether several devices form one machine. Pure: bytes
 * and the time are arguments; no I/O, no clock, no global state. */
#ifndef TACIT_GPU_H
#define TACIT_GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tacit/bytes.h>
#include <tacit/err.h>
#include <tacit/verdict.h>

enum tacit_gpu_arch {
    TACIT_GPU_ARCH_UNKNOWN = 0,
    TACIT_GPU_HOPPER = 1,    /* H100, H200: chip GH100 */
    TACIT_GPU_BLACKWELL = 2, /* B200: chip GB100 */
    TACIT_GPU_LS10 = 3,      /* NVSwitch of an HGX Hopper machine */
};

/* How GPUs are joined. */
enum tacit_gpu_mode {
    TACIT_GPU_MODE_SPT = 0,   /* single GPU pass-through */
    TACIT_GPU_MODE_MPT = 1,   /* Blackwell, several GPUs with encrypted NVLink */
    TACIT_GPU_MODE_PPCIE = 2, /* 8 Hopper GPUs and 4 switches, protected PCIe */
};

/* What ties the GPU evidence to the CPU's quote, weakest first. Every one of them rests on the
 * measured guest software as a witness: no hardware link between CPU and GPU is proven by any. */
enum tacit_gpu_binding {
    TACIT_GPU_BINDING_NONE = 0,
    TACIT_GPU_BINDING_NONCE = 1, /* the same client nonce in both: freshness, no link */
    TACIT_GPU_BINDING_DERIVED_NONCE =
        2, /* the GPU signed a value that commits to the session key */
    TACIT_GPU_BINDING_EVIDENCE_HASH = 3, /* report data commits to exactly this evidence */
    TACIT_GPU_BINDING_BOTH = 4,
};

enum {
    TACIT_GPU_DEVICES_MAX = 16, /* 8 GPUs and 4 switches are the largest machine known */
    TACIT_GPU_TEXT_MAX = 64,
    TACIT_GPU_LIST_MAX = 16,
    TACIT_GPU_VERSION_MAX = 40,
};

/* A reference manifest (SWID XML), untrusted until its signature is verified. */
enum tacit_gpu_rim_role {
    TACIT_GPU_RIM_ANY = 0, /* driver or VBIOS, whichever version it names */
    TACIT_GPU_RIM_DRIVER = 1,
    TACIT_GPU_RIM_VBIOS = 2,
};
struct tacit_gpu_rim {
    enum tacit_gpu_rim_role role;
    struct bytes xml;
};

/* An OCSP answer (DER), matched to certificates by what it says it is about. nonce: the 32 octets
 * of the request; len 0 for a stored answer, whose freshness then rests on its times alone. */
struct tacit_gpu_ocsp {
    struct bytes der;
    struct bytes nonce;
};

/* An answer of NVIDIA's attestation service about the same devices. */
struct tacit_gpu_nras {
    struct bytes response; /* body of the HTTP reply, status 200 */
    struct bytes jwks;     /* the service's keys */
    /* certificate that must have issued the keys (PEM or DER); len 0: NVIDIA's own */
    struct bytes intermediate;
    const char *issuer; /* NULL: https://nras.attestation.nvidia.com */
};

/* What is demanded beyond genuine evidence. Zeroed: the defaults named here. Texts are versions. */
struct tacit_gpu_policy {
    unsigned devices_min, devices_max; /* GPUs, switches not counted; 0: at least one, no maximum */
    unsigned arch_mask;                /* 1 << enum tacit_gpu_arch of GPUs allowed; 0: all known */
    unsigned mode_mask;                /* 1 << enum tacit_gpu_mode allowed; 0: all known */
    /* minimum per branch: a version is held against the minimum with the same first number; a
     * branch that none names must not be older than the oldest named */
    char driver_min[TACIT_GPU_LIST_MAX][TACIT_GPU_VERSION_MAX];
    char driver_deny[TACIT_GPU_LIST_MAX][TACIT_GPU_VERSION_MAX];
    char vbios_min[TACIT_GPU_LIST_MAX][TACIT_GPU_VERSION_MAX];
    char vbios_deny[TACIT_GPU_LIST_MAX][TACIT_GPU_VERSION_MAX];
    char ueid[TACIT_GPU_LIST_MAX][TACIT_GPU_TEXT_MAX]; /* the only devices accepted; none: any */
    size_t driver_min_count, driver_deny_count, vbios_min_count, vbios_deny_count, ueid_count;
    bool is_fwid_required; /* refuse reports without firmware id (drivers before 550) */
    bool is_ocsp_required; /* certificates 1..3 of the device, 0..2 of RIMs need a good answer */
    bool is_hold_allowed;  /* certificateHold counts as good */
    bool is_rim_waived;    /* measurements need not be compared (kind "evidence") */
    bool is_rim_required;  /* even when NRAS vouches for the measurements */
    bool is_nras_required;
    bool is_nvdec_compared;         /* compare index 35 although NVDEC0 is disabled */
    bool is_unknown_refused;        /* refuse opaque fields of unknown type */
    bool is_switch_waived;          /* protected PCIe GPUs may come without switch evidence, as NEAR
                                     * sends them; the NVLink fabric is then not proven */
    bool is_trailing_allowed;       /* up to 3 zero octets behind a report's signature */
    bool is_simulated_refused;      /* refuse any root but NVIDIA's even if the caller names it */
    uint32_t ocsp_max_age_s;        /* 0: until nextUpdate */
    uint32_t rim_expired_days;      /* RIM signers may be expired that long; 0: not at all */
    uint64_t mismatch_mask;         /* measurement indexes that may differ */
    enum tacit_gpu_binding binding; /* demanded by tacit_gpu_binding_row */
    struct bytes rules; /* nvtrust "authorization-rules" (JSON object), borrowed; len 0: none */
};

struct tacit_gpu_opts {
    uint8_t nonce[32];        /* the nonce that the devices must have signed */
    int64_t now_unix_s;       /* the time to judge by */
    enum tacit_gpu_arch arch; /* expected of every GPU; UNKNOWN: as the document declares */
    struct bytes device_root; /* PEM or DER instead of NVIDIA's device identity root; another root
                               * makes the verdict SIMULATED */
    struct bytes rim_root;    /* likewise for reference manifests */
    const struct tacit_gpu_rim *rims;
    size_t rim_count;
    const struct tacit_gpu_ocsp *ocsp;
    size_t ocsp_count;
    const struct tacit_gpu_nras *nras; /* NULL: none */
    struct bytes
        switches; /* evidence list (JSON) of the NVSwitches; len 0: none, or in the GPU list */
    const struct tacit_gpu_policy *policy; /* NULL: defaults */
};

/* One device with its evidence as bytes. */
struct tacit_gpu_item {
    struct bytes report;
    struct bytes chain_pem;
    enum tacit_gpu_arch arch; /* declared; UNKNOWN: not declared */
};

/* What one device is proven to be. Meaningful only if is_trusted. */
struct tacit_gpu_device {
    bool is_trusted; /* every required row of this device passed */
    bool is_switch;
    enum tacit_gpu_arch arch;
    enum tacit_gpu_mode mode;
    char driver[TACIT_GPU_VERSION_MAX]; /* "" for switches */
    char vbios[TACIT_GPU_VERSION_MAX];
    char hwmodel[TACIT_GPU_TEXT_MAX]; /* name in the identity certificate: "GH100 A01 GSP BROM" */
    char ueid[TACIT_GPU_TEXT_MAX];    /* serial of the attestation key, decimal */
    uint8_t pdi[8];                   /* certified identity on NVLink */
    char driver_rim_id[128], vbios_rim_id[128]; /* names at NVIDIA's RIM service; "" if none */
    int64_t chain_expires_unix_s;               /* earliest certificate end; 0: not known */
    int64_t driver_rim_expires_unix_s;
    int64_t vbios_rim_expires_unix_s;
    uint64_t mismatch_mask; /* measurement indexes that differ from the reference */
    uint64_t unlisted_mask; /* indexes that are not zero and that no reference names */
};

struct tacit_gpu_facts {
    size_t count;
    struct tacit_gpu_device devices[TACIT_GPU_DEVICES_MAX];
};

/* Verify the evidence of a machine's devices. Adds rows to `v` (which the caller has zeroed or
 * begun) with the subjects "gpu[i]", "switch[i]", "gpus" and "nras"; docs/rows.md lists them. The
 * verdict is tacit_verdict_is_trusted(v).
 *
 * facts     zeroed first; may be NULL
 * evidence  untrusted JSON: NEAR's nvidia_payload object, or an array of {evidence, certificate}
 *           items as NVIDIA's SDK stores it; items that declare LS10 count as switches
 *
 * Returns   TACIT_OK when rows were written, whatever they say; TACIT_NOMEM; TACIT_USAGE for
 *           a root that is no certificate. In both latter cases a refusing row is written, too.
 * Memory    up to 8 MiB while it runs, released before returning.
 * Threads   any; `v` and `facts` belong to the caller.
 * Spec      gpu.md 1-4 */
enum tacit_err tacit_gpu_verify(struct tacit_verdict *v, struct tacit_gpu_facts *facts,
                                struct bytes evidence, const struct tacit_gpu_opts *opts);

/* The same over devices that are already taken apart. */
enum tacit_err tacit_gpu_verify_items(struct tacit_verdict *v, struct tacit_gpu_facts *facts,
                                      const struct tacit_gpu_item *items, size_t count,
                                      const struct tacit_gpu_opts *opts);

/* Names that the evidence asks for before it is verified, so that a caller can fetch them: the RIM
 * ids of every device, without duplicates, at most `cap`. Ids hold only [A-Za-z0-9._-].
 *
 * Returns   how many were written; 0 for evidence that does not parse. Pure, any thread. */
size_t tacit_gpu_rim_ids(char (*ids)[128], size_t cap, struct bytes evidence);

/* Read a policy file (JSON; keys in docs/gpu-policy.md; nvtrust's policy files are accepted).
 *
 * out       zeroed on failure; `rules` borrows from `json`
 * why       on failure one sentence (256 octets with NUL)
 * Returns   TACIT_OK; TACIT_CONFIG: unknown or doubled key, value out of range. */
enum tacit_err tacit_gpu_policy_parse(struct tacit_gpu_policy *out, struct bytes json, char *why);

/* "HOPPER" "BLACKWELL" "LS10" "UNKNOWN"; "SPT" "MPT" "PPCIE"; "none" "nonce" "derived-nonce"
 * "evidence-hash" "both". Static, never NULL. */
const char *tacit_gpu_arch_name(enum tacit_gpu_arch arch);
const char *tacit_gpu_mode_name(enum tacit_gpu_mode mode);
const char *tacit_gpu_binding_name(enum tacit_gpu_binding binding);

#endif
