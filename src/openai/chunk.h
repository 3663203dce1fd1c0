/* The final bytes of a streamed reply: what an engine said, chunk by chunk, brought into the one
 * form that survives JSON.parse and JSON.stringify byte for byte (near.md 10, trap 19), without
 * vendor fields, with usage as the client asked for it. These bytes are hashed, signed and sent;
 * nobody changes them afterwards. One stream, one thread. */
#ifndef OPENAI_CHUNK_H
#define OPENAI_CHUNK_H

#include "openai/request.h"

enum { OPENAI_ID_MAX = 128 };

struct openai_usage {
    bool is_present;
    bool has_cached;    /* the engine said cached_tokens */
    bool has_reasoning; /* the engine said reasoning_tokens */
    uint64_t prompt_tokens, completion_tokens, total_tokens;
    uint64_t cached_tokens;    /* of the prompt; at most prompt_tokens */
    uint64_t reasoning_tokens; /* of the completion */
};

/* Facts read from one chunk or one whole reply. Views borrow from the bytes read. */
struct chunk_facts {
    struct bytes id;   /* empty if missing or not [A-Za-z0-9._:-]{1,OPENAI_ID_MAX} */
    struct jval error; /* the error object or string, absent if there is none */
    struct jval choices;
    bool has_choices; /* at least one */
    bool is_finished; /* some choice has a finish_reason */
    struct openai_usage usage;
};

/* Read facts, for routing, billing and ids; changes nothing.
 *
 * Returns   TACIT_OK; TACIT_FORMAT, TACIT_LIMIT if `data` is no JSON object. Pure. */
MUST_CHECK enum tacit_err chunk_read(struct chunk_facts *out, struct bytes data);
/* Usage object alone; is_present false if `usage` is no object with both token counts. */
void openai_usage_read(struct openai_usage *out, struct jval usage);

/* "<prefix>-<24 hex>" with prefix chatcmpl or cmpl, from 12 random octets (near.md 2.3). */
void openai_id_mint(char out[static OPENAI_ID_MAX + 1], enum openai_kind kind,
                    const uint8_t random[static 12]);

struct chunk_opts {
    enum openai_kind kind;
    const char *model; /* model to show, borrowed for the stream's life; NULL: as the engine says */
    bool wants_usage;  /* of the request */
    bool wants_continuous_usage; /* of the request */
    uint8_t random[12];          /* for an id, should the engine give none */
    int64_t created_unix_s;      /* should the engine say none */
};

enum chunk_result {
    CHUNK_BAD = 0, /* the engine's bytes are no chunk: end the stream with an error event */
    CHUNK_DATA,    /* a frame was appended */
    CHUNK_DROPPED, /* nothing to send */
    CHUNK_ERROR,   /* the engine reports an error: `error` is set, nothing was appended */
    CHUNK_DONE,    /* the terminator was appended: the stream is complete */
};

struct chunk_stream {
    struct chunk_opts opts;
    char id[OPENAI_ID_MAX + 1];          /* of the whole stream; "" before the first chunk */
    char model[OPENAI_MODEL_MAX + 1];    /* as shown */
    char fingerprint[OPENAI_ID_MAX + 1]; /* system_fingerprint of the engine, or "" */
    int64_t created_unix_s;
    struct openai_usage usage; /* last one seen: for billing */
    uint64_t frame_count;      /* frames appended */
    bool is_usage_sent;
    bool is_over;              /* DONE, ERROR or BAD was returned */
    struct openai_error error; /* set with CHUNK_ERROR */
};

void chunk_stream_init(struct chunk_stream *s, const struct chunk_opts *opts);
/* Take the data of one engine event and append to `out` the frames for the client: none, one, or
 * at the end the usage chunk (if wanted and not sent yet) and "data: [DONE]\n\n".
 *
 * out       must take 2 * data.len + 1024 octets; CHUNK_BAD when it fails
 * data      payload of an SSE event
 *
 * Every frame shows the id, model and creation time of the first one. After DONE, ERROR or BAD the
 * stream takes nothing more (CHUNK_BAD).
 *
 * Spec      near.md 1.3.1, 2.3 */
enum chunk_result chunk_stream_event(struct chunk_stream *s, struct buf *out, struct bytes data);

#endif
