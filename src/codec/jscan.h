/* Strict JSON over untrusted bytes, without copying: one pass validates the whole text, after that
 * values are read in place. Accepted is RFC 8259 and nothing around it: valid UTF-8, one value,
 * only white space after it, escapes that stand for whole characters (no lone surrogate), no member
 * name twice in an object (compared after unescaping), at most LIMIT_JSON_DEPTH levels and
 * LIMIT_JSON_MEMBERS members per object. No byte order mark.
 *
 * A `struct jval` is a view on one value. Its `raw` is the exact byte range of the value, without
 * white space around it: what a signature over the value covers. All functions below other than
 * jscan_validate rely on a jval that came out of a validated text; jval_none (absent) is always
 * allowed and reads as absent, so that chains need one check at the end.
 *
 * Cost: validating is one pass; a member or item is found by walking over the siblings before it.
 * Read many members of one object with jscan_fields (one walk), not with many jscan_member.
 *
 *     struct jval root, info;
 *     uint64_t version;
 *     if (jscan_validate(&root, in) != TACIT_OK) ...
 *     info = jscan_member(root, "tcbInfo");
 *     if (!jscan_u64(&version, jscan_member(info, "version"), 3)) ...
 *     verify(info.raw);
 *
 * Memory: allocates nothing (33 KiB of stack while validating). Threads: pure, any thread. */
#ifndef CODEC_JSCAN_H
#define CODEC_JSCAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

enum jval_type {
    JVAL_NONE = 0, /* absent: no such member, or asked of something that is no container */
    JVAL_NULL,
    JVAL_BOOL,
    JVAL_NUMBER,
    JVAL_STRING,
    JVAL_ARRAY,
    JVAL_OBJECT,
};

struct jval {
    enum jval_type type;
    struct bytes raw; /* exact bytes; of a string with its quotes; empty when absent */
};

#define JVAL_ABSENT ((struct jval){JVAL_NONE, {NULL, 0}})

/* Where and why a text was refused: for messages. `what` is a static sentence fragment such as
 * "duplicate member name" and never holds input. */
struct jscan_fault {
    size_t offset; /* octets from the start */
    const char *what;
};

/* Check a whole text and give its one value.
 *
 * root      the value, borrowed from `in`; absent on failure
 * fault     optional (NULL); filled on failure, zeroed otherwise
 * in        untrusted bytes, any length below 4 GiB
 *
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_LIMIT for depth, members or size.
 * Spec      RFC 8259; RFC 7493 2.1, 2.3 */
MUST_CHECK enum tacit_err jscan_validate(struct jval *root, struct jscan_fault *fault,
                                         struct bytes in);

/* Like jscan_validate for a text that must be an object: TACIT_FORMAT for any other value. */
MUST_CHECK enum tacit_err jscan_object(struct jval *root, struct bytes in);

/* The member of this name (UTF-8, unescaped), or absent; absent too if `obj` is no object. */
struct jval jscan_member(struct jval obj, const char *name);

/* Reads several members in one walk. Sets val of each field (absent if missing). Returns how many
 * members of `obj` are named by no field: 0 for a closed schema. SIZE_MAX if `obj` is no object
 * (all fields absent). */
struct jscan_field {
    const char *name;
    struct jval val;
};
size_t jscan_fields(struct jval obj, struct jscan_field *fields, size_t count);

/* Walk over a container:
 *
 *     struct jiter it = jscan_iter(arr);
 *     struct jval item;
 *     while (jscan_next(&it, NULL, &item)) ...
 *
 * For objects `name` (may be NULL) gets the member's name, a string value. Ends at once for
 * anything that is no container. */
struct jiter {
    struct bytes rest;
    bool is_object;
};
struct jiter jscan_iter(struct jval container);
bool jscan_next(struct jiter *it, struct jval *name, struct jval *val);

/* Number of items or members; 0 for anything that is no container. Walks the container. */
size_t jscan_count(struct jval container);
/* Item number `index`, or absent. Walks the array: not for loops. */
struct jval jscan_item(struct jval array, size_t index);

/* Whether the value is a string whose unescaped content is `text`. */
bool jscan_str_eq(struct jval s, struct bytes text);
bool jscan_str_eq_cstr(struct jval s, const char *cstr);
/* The content of a string that has no escapes, borrowed; false (and empty) for one that has some
 * or for another type. Identifiers, digests and dates never have escapes. */
MUST_CHECK bool jscan_str_view(struct bytes *out, struct jval s);
/* Appends the unescaped UTF-8 content. TACIT_FORMAT if it is no string; TACIT_NOMEM. */
MUST_CHECK enum tacit_err jscan_str_copy(struct buf *out, struct jval s);
/* Unescaped content in the arena with a NUL behind it; {NULL, 0} if no string or no memory. */
struct bytes jscan_str_dup(struct arena *a, struct jval s);

/* A number written as an integer (no fraction, no exponent, no sign), at most `max`. */
MUST_CHECK bool jscan_u64(uint64_t *out, struct jval v, uint64_t max);
/* The same with an optional minus; "-0" is refused. */
MUST_CHECK bool jscan_i64(int64_t *out, struct jval v);
/* Any number that is finite as a double. */
MUST_CHECK bool jscan_f64(double *out, struct jval v);
MUST_CHECK bool jscan_bool(bool *out, struct jval v);
/* Absent or null. */
bool jscan_is_nothing(struct jval v);

#endif
