/* Everything a peer can grow has a limit, named here with its reason. One section per folder. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
    /* codec: deepest nesting of any JSON we read; real documents stay below 12. */
    LIMIT_JSON_DEPTH = 32,
    /* members of one object; logit_bias and schemas stay below. Bounds the duplicate check. */
    LIMIT_JSON_MEMBERS = 2048,
    /* codec: CBOR of attestation tokens; real ones nest 6 deep, with 16 members. */
    LIMIT_CBOR_DEPTH = 16,
    LIMIT_CBOR_MEMBERS = 64,

    /* attest: Intel's documents hold up to 45 levels of a platform, 12 of an enclave, 2 modules,
     * 30 advisories in a level. Collateral as one file: 14 to 19 KiB; quotes: up to 8 KiB. */
    LIMIT_TCB_LEVELS = 256,
    LIMIT_ISV_LEVELS = 64,
    LIMIT_TDX_MODULES = 32,
    LIMIT_TCB_ADVISORIES = 42, /* three levels fit TACIT_ADVISORIES_MAX */
    LIMIT_COLLATERAL_BYTES = 1024 * 1024,
    LIMIT_QUOTE_BYTES = 1024 * 1024,
    LIMIT_POLICY_BYTES = 1024 * 1024, /* of our own operator; pins of ten thousand images */
    /* what one verified collateral and one platform may take in memory. */
    LIMIT_DCAP_BASE_BYTES = 8 * 1024 * 1024,
    LIMIT_DCAP_PLATFORM_BYTES = 4 * 1024 * 1024,

    /* http: a request or reply head; SDKs send under 2 KiB, browsers under 8. */
    LIMIT_HEAD_BYTES = 32 * 1024,
    LIMIT_HEADERS = 100,
    LIMIT_TARGET_BYTES = 8 * 1024,

    /* crypto: a PEM chain; real ones stay below 12 KiB. A CRL; Intel's hold 60 entries, 3 KiB. */
    LIMIT_PEM_BYTES = 64 * 1024,
    LIMIT_CRL_BYTES = 1024 * 1024,

    /* net: bytes queued towards a slow reader before the source is paused, and when it goes on. */
    LIMIT_QUEUE_HIGH = 256 * 1024,
    LIMIT_QUEUE_LOW = 64 * 1024,
    /* bytes received and not yet used on one connection; a pipelining client waits beyond. */
    LIMIT_CONN_INPUT = 64 * 1024,
    /* bytes on their way out of one connection: a whole non-streamed reply, with room for TLS. */
    LIMIT_CONN_OUTPUT = 64 * 1024 * 1024,
    /* rest of a request body read for nothing after the reply, to keep the connection. */
    LIMIT_DISCARD = 64 * 1024,
    /* blocking jobs of one loop: threads, made when needed, and jobs waiting for one. */
    LIMIT_WORK_THREADS = 8,
    LIMIT_WORK_QUEUE = 1024,
    /* HTTP/2: streams of one connection at a time; header list is LIMIT_HEAD_BYTES. */
    LIMIT_H2_STREAMS = 100,

    /* openai: request bodies, as NEAR's node and gateway. */
    LIMIT_BODY_BYTES = 10 * 1024 * 1024,
    /* one SSE event of an engine; a chunk with full logprobs stays below 64 KiB. */
    LIMIT_SSE_EVENT_BYTES = 1024 * 1024,
    /* a whole non-streamed reply. */
    LIMIT_REPLY_BYTES = 32 * 1024 * 1024,

    /* attest, GPU: a report; NVML's own buffer for it has this size. */
    LIMIT_GPU_REPORT_BYTES = 8 * 1024,
    /* opaque fields of one report; genuine ones have up to 18. */
    LIMIT_GPU_TLVS = 48,
    /* devices of one machine; known machines have up to 12. */
    LIMIT_GPU_DEVICES = 16,
    /* an evidence list; 12 devices are about 150 KiB. */
    LIMIT_GPU_EVIDENCE_BYTES = 512 * 1024,
    /* one reference manifest; genuine ones have about 25 KiB. */
    LIMIT_RIM_BYTES = 256 * 1024,
    /* reference manifests given to one verification: two per device and some spare. */
    LIMIT_RIMS = 48,
    /* alternative values of one measurement; 4 is the most seen. */
    LIMIT_RIM_ALTERNATIVES = 16,
    /* an OCSP answer with its responder's certificate; genuine ones have about 1.3 KiB. */
    LIMIT_OCSP_BYTES = 16 * 1024,
    /* OCSP answers given to one verification: three per device and per manifest, and spare. */
    LIMIT_OCSP_ANSWERS = 160,
    /* an answer of NRAS and the service's keys; 8 GPUs are about 20 KiB, 36 keys 100 KiB. */
    LIMIT_NRAS_BYTES = 256 * 1024,
    LIMIT_JWKS_BYTES = 512 * 1024,
    LIMIT_JWKS_KEYS = 128,
    /* attest: a dstack log; real ones have 30 entries and 20 KB. */
    LIMIT_EVENT_LOG_EVENTS = 1024,
    LIMIT_EVENT_LOG_BYTES = 1024 * 1024,
    /* a whole attestation report; 8 GPUs twice are 350 KB. */
    LIMIT_REPORT_BYTES = 4 * 1024 * 1024,
    LIMIT_REPORT_ARENA = 16 * 1024 * 1024,
    LIMIT_REPLICAS = 16,
    /* compose-manager's log of actions, as canonical text; the longest seen has 42, 9 KB. */
    LIMIT_ACTIONS_BYTES = 1024 * 1024,
    /* an Arm CCA token; real ones have about 2.5 KB. */
    LIMIT_CCA_TOKEN_BYTES = 64 * 1024,
};

#endif
