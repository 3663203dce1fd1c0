/* Strict CBOR (RFC 8949) over untrusted bytes, as attestation tokens use it: definite lengths and
 * shortest encodings only, so that one value has one spelling. The reader goes bad on the first
 * mistake and then yields nothing; a parser is a straight list and asks once. */
#ifndef CODEC_CBOR_H
#define CODEC_CBOR_H

#include "base/bytes.h"
#include "base/err.h"

enum cbor_type {
    CBOR_UINT = 0,
    CBOR_NINT = 1, /* -1 - argument */
    CBOR_BYTES = 2,
    CBOR_TEXT = 3,
    CBOR_ARRAY = 4,
    CBOR_MAP = 5,
    CBOR_TAG = 6,
    CBOR_SIMPLE = 7, /* false, true, null only */
};

struct cbor {
    struct bytes rest;
    bool is_bad;
};

struct cbor cbor_over(struct bytes in);
/* Type of the next item, or -1 at the end and when bad. */
int cbor_peek(const struct cbor *c);
/* The head of the next item, which must have this type: its argument (value, length, count, tag).
 */
uint64_t cbor_head(struct cbor *c, enum cbor_type type);
/* A whole byte or text string; text must be valid UTF-8. Borrowed. */
struct bytes cbor_bytes(struct cbor *c);
struct bytes cbor_text(struct cbor *c);
/* An integer that fits; bad otherwise. */
int64_t cbor_int(struct cbor *c);
/* Passes over one whole item of any kind, nested at most LIMIT_CBOR_DEPTH deep, and returns its
 * bytes. */
struct bytes cbor_skip(struct cbor *c);
bool cbor_ok(const struct cbor *c);
/* Nothing went wrong and nothing is left over. */
bool cbor_finished(const struct cbor *c);
void cbor_fail(struct cbor *c);

/* The value under an integer key of the map that `item` is, as its bytes; empty if there is none.
 * False if `item` is no map of integer or text keys, each once. Items are found by walking. */
MUST_CHECK bool cbor_map_get(struct bytes *value, struct bytes item, int64_t key);

#endif
