/* The one spelling of a JSON value that JavaScript's JSON.parse followed by JSON.stringify gives
 * back byte for byte: compact, shortest numbers, minimal escapes, integer-like names first and in
 * ascending order (near.md 10, trap 19). */
#ifndef CODEC_JNORMAL_H
#define CODEC_JNORMAL_H

#include "codec/jscan.h"

/* Append `v` (of a validated text) in that spelling. Fails the buffer when a number is no finite
 * double or an object has more than 256 integer-like names. Absent gives nothing.
 *
 * out       takes at most 2 * v.raw.len + 64 octets, most often fewer than v.raw.len
 * Memory    only the buffer's. Threads: pure. Spec: ECMA-262 JSON.stringify,
 * OrdinaryOwnPropertyKeys */
void jnormal_put(struct buf *out, struct jval v);

#endif
