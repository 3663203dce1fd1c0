/* A JSON writer over struct buf for hot paths: compact text whose JSON.parse + JSON.stringify in
 * JavaScript gives the same bytes (near.md 10, trap 19), given that member names are no
 * integers and each stands once, which is the caller's business. Failure (no room, invalid UTF-8,
 * nesting beyond LIMIT_JSON_DEPTH) is sticky in the buffer: write a straight list and ask
 * buf_err once. Wrong order of calls is our own bug and asserted.
 *
 *     struct jw w = jw_make(out);
 *     jw_object(&w);
 *     jw_key(&w, "id"), jw_str(&w, id);
 *     jw_key(&w, "tokens"), jw_u64(&w, 3);
 *     jw_end(&w);
 *
 * Threads: the writer belongs to one thread. Memory: only the buffer's. */
#ifndef CODEC_JWRITE_H
#define CODEC_JWRITE_H

#include "base/buf.h"
#include "base/limits.h"

struct jw {
    struct buf *out;
    uint64_t object_bits;   /* bit d: level d is an object */
    uint64_t nonempty_bits; /* bit d: level d has something in it */
    unsigned depth;
    bool has_key; /* a key waits for its value */
};

struct jw jw_make(struct buf *out);
/* Open a container; jw_end closes the innermost one. */
void jw_object(struct jw *w);
void jw_array(struct jw *w);
void jw_end(struct jw *w);
/* Name of the next member. */
void jw_key(struct jw *w, const char *name);
void jw_key_bytes(struct jw *w, struct bytes name);
/* Values. Text is UTF-8; what JSON.stringify escapes is escaped, nothing else. */
void jw_str(struct jw *w, struct bytes text);
void jw_cstr(struct jw *w, const char *text);
void jw_hex(struct jw *w, struct bytes octets);
void jw_u64(struct jw *w, uint64_t v);
void jw_i64(struct jw *w, int64_t v);
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
/* One value that is JSON already; copied as it is, not checked. */
void jw_raw(struct jw *w, struct bytes json);

/* Shorthands: key and value. */
void jw_key_str(struct jw *w, const char *name, struct bytes text);
void jw_key_cstr(struct jw *w, const char *name, const char *text);
void jw_key_u64(struct jw *w, const char *name, uint64_t v);
void jw_key_raw(struct jw *w, const char *name, struct bytes json);

/* Append `text` as a JSON string with its quotes. Fails the buffer if it is no UTF-8. */
void jw_put_str(struct buf *out, struct bytes text);

/* Append the number that `literal` (a valid JSON number) denotes as JavaScript prints it: the
 * shortest digits that give the same double. What is no finite double fails the buffer.
 *
 * Spec      ECMA-262 Number::toString */
void jw_put_js_number(struct buf *out, struct bytes literal);

#endif
