/* Everything a peer can grow has a limit, named here with its reason. One section per folder. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

enum {
    /* codec: deepest nesting of any JSON we read; real documents stay below 12. */
    LIMIT_JSON_DEPTH = 32,
    /* members of one object; logit_bias and schemas stay below. Bounds the duplicate check. */
    LIMIT_JSON_MEMBERS = 2048,

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

    /* openai: request bodies, as NEAR's node and gateway. */
    LIMIT_BODY_BYTES = 10 * 1024 * 1024,
    /* one SSE event of an engine; a chunk with full logprobs stays below 64 KiB. */
    LIMIT_SSE_EVENT_BYTES = 1024 * 1024,
    /* a whole non-streamed reply. */
    LIMIT_REPLY_BYTES = 32 * 1024 * 1024,
};

#endif
