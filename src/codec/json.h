/* JSON documents that we build, and small trusted ones that we read, as trees: the only door to
 * jansson. Untrusted bytes are read with codec/jscan.h instead, which copies nothing; streams and
 * other hot paths are written with codec/jwrite.h. */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include "base/buf.h"

/* A node of a document. Owned by who made it until handed to a parent (json_set, json_append),
 * which owns it from then on, also when the call fails. One thread at a time. */
struct json;

/* New containers and scalars; NULL when out of memory or, for strings, when `text` is no UTF-8.
 * NULL may be handed on: json_set and json_append then report TACIT_NOMEM. */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_str(struct bytes text);
struct json *json_new_i64(int64_t v);
struct json *json_new_bool(bool v);
struct json *json_new_null(void);
/* Releases the node and everything below it; accepts NULL. */
void json_free(struct json *j);

/* Puts `child` under a name that is not there yet (members keep the order in which they were
 * added), or at the end of an array. Always takes ownership of `child`.
 *
 * Returns   TACIT_OK; TACIT_EXISTS if the name is taken; TACIT_USAGE if the parent is another type;
 *           TACIT_NOMEM. TACIT_OK is 0, so calls chain with ||. */
MUST_CHECK enum tacit_err json_set(struct json *object, const char *name, struct json *child);
MUST_CHECK enum tacit_err json_append(struct json *array, struct json *child);
/* Shorthands for json_set of a fresh scalar. */
MUST_CHECK enum tacit_err json_set_str(struct json *object, const char *name, struct bytes text);
MUST_CHECK enum tacit_err json_set_cstr(struct json *object, const char *name, const char *text);
MUST_CHECK enum tacit_err json_set_i64(struct json *object, const char *name, int64_t v);
MUST_CHECK enum tacit_err json_set_bool(struct json *object, const char *name, bool v);

/* Reads a document into a tree. As strict as jscan_validate (which it runs first).
 *
 * out       owned by the caller; NULL on failure
 * Returns   TACIT_OK; TACIT_FORMAT; TACIT_LIMIT; TACIT_NOMEM. */
MUST_CHECK enum tacit_err json_parse(struct json **out, struct bytes in);

/* Borrowed parts of a tree, valid while it lives; NULL when absent or when the node is of another
 * type. NULL may be handed on. */
const struct json *json_get(const struct json *object, const char *name);
const struct json *json_at(const struct json *array, size_t index);
size_t json_len(const struct json *container);
MUST_CHECK bool json_str(struct bytes *out, const struct json *j);
MUST_CHECK bool json_i64(int64_t *out, const struct json *j);
MUST_CHECK bool json_bool(bool *out, const struct json *j);

/* Appends the compact text: no white space, UTF-8 as it is, members in order of insertion, or
 * sorted by name in octet order (near.md 7.4). Without slashes escaped.
 *
 * Returns   TACIT_OK; TACIT_NOMEM. */
MUST_CHECK enum tacit_err json_write(struct buf *out, const struct json *j, bool is_sorted);

#endif
