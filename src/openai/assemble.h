/* One whole reply from the chunks of a stream (near.md 2.3): compact JSON that survives JSON.parse
 * and JSON.stringify byte for byte. Several choices, tool calls, reasoning, log probabilities,
 * chat and text completions. One reply, one thread. */
#ifndef OPENAI_ASSEMBLE_H
#define OPENAI_ASSEMBLE_H

#include "openai/chunk.h"

enum { ASSEMBLY_TOOL_CALLS_MAX = 128 /* of one choice */ };

struct assembly;

/* opts is copied; its wants_usage does not matter: usage is part of a whole reply.
 * Returns NULL when out of memory. */
struct assembly *assembly_new(const struct chunk_opts *opts);
/* Erases and releases; accepts NULL. */
void assembly_free(struct assembly *a);

/* Take the data of one engine event, as chunk_stream_event does.
 *
 * Returns   CHUNK_DATA; CHUNK_ERROR (assembly_error says what); CHUNK_DONE for [DONE]; CHUNK_BAD
 *           for what is no chunk, for a reply above LIMIT_REPLY_BYTES, or out of memory. After
 *           anything but DATA nothing more is taken. */
enum chunk_result assembly_event(struct assembly *a, struct bytes data);
const struct openai_error *assembly_error(const struct assembly *a);
/* Usage seen so far, for billing also when the reply broke. */
const struct openai_usage *assembly_usage(const struct assembly *a);
/* Id of the reply: the engine's, or minted. Valid after the first chunk; "" before. */
const char *assembly_id(const struct assembly *a);

/* Append the reply. Only after CHUNK_DONE with at least one choice.
 *
 * Returns   TACIT_OK; TACIT_STATE; TACIT_NOMEM. */
MUST_CHECK enum tacit_err assembly_write(struct assembly *a, struct buf *out);

/* The reply of an engine that answered plain JSON although asked for a stream: normalised, with an
 * id if it has none, without vendor fields.
 *
 * id        gets the reply's id
 * Returns   TACIT_OK; TACIT_FORMAT if it is no completion; TACIT_LIMIT; TACIT_NOMEM. Pure. */
MUST_CHECK enum tacit_err reply_normalise(struct buf *out, char id[static OPENAI_ID_MAX + 1],
                                          struct openai_usage *usage, struct bytes body,
                                          const struct chunk_opts *opts);

#endif
