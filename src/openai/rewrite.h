/* The engine's copy of a request: the client's bytes with a few top-level members replaced, added
 * or removed, and everything else byte for byte as it came. The client's own bytes stay what is
 * hashed. */
#ifndef OPENAI_REWRITE_H
#define OPENAI_REWRITE_H

#include "openai/request.h"

/* One change of a top-level member. */
struct rewrite_edit {
    const char *name;
    struct bytes json; /* its new value; empty: the member is removed */
};

/* Write `root` (an object of a validated text) with `edits` applied: a member that is there gets
 * the new value in its place, one that is not is added at the end.
 *
 * Returns   TACIT_OK; TACIT_USAGE if root is no object; TACIT_NOMEM.
 * Threads   pure, any thread. */
MUST_CHECK enum tacit_err rewrite_members(struct buf *out, struct jval root,
                                          const struct rewrite_edit *edits, size_t count);

struct rewrite_opts {
    const char *engine_model; /* replaces model; NULL: as the client wrote it */
    const char *engine_id;    /* our id for the engine (rid and request_id); NULL: none */
    const char *cache_salt;   /* vLLM, SGLang; NULL: none */
    bool is_llama_server;     /* adds cache_prompt:false, maps the developer role to system */
};

/* The body for the engine: stream:true and stream_options.include_usage:true always, priority and
 * unknown fields (OPENAI_FIELD_UNKNOWN) left out, tools left out if tool_choice is "none", empty
 * tool_calls of history messages left out and arguments of others repaired
 * (openai/tool_calls.h), and what `opts` says.
 *
 * out       appended to; at most 2 * req->root.raw.len + 1024 octets more
 *
 * Returns   TACIT_OK; TACIT_NOMEM. Threads: pure. Spec: near.md 1.3, 2.3, engine.md 8 */
MUST_CHECK enum tacit_err rewrite_for_engine(struct buf *out, const struct openai_request *req,
                                             const struct rewrite_opts *opts);

#endif
