/* Hexadecimal text, strict: an even number of digits of either case and nothing else. Encoding is
 * lower-case; into a growing buffer it is buf_hex (base/buf.h). */
#ifndef CODEC_HEX_H
#define CODEC_HEX_H

#include "base/buf.h"

/* Append the octets that `in` spells.
 *
 * out       takes in.len / 2 octets; untouched on failure
 * in        untrusted text, any length; empty is valid and gives nothing
 *
 * Returns   TACIT_OK; TACIT_FORMAT for an odd length or another character; TACIT_NOMEM if `out` is
 *           full or already failed.
 * Threads   pure, any thread. */
MUST_CHECK enum tacit_err hex_decode(struct buf *out, struct bytes in);

/* The same into an array of known size: TACIT_FORMAT unless `in` is exactly 2 * out_len digits.
 * `out` is zeroed on failure. */
MUST_CHECK enum tacit_err hex_decode_fixed(uint8_t *out, size_t out_len, struct bytes in);

/* Write 2 * in.len lower-case digits and a NUL. `out` must have room for that (asserted). */
void hex_encode(char *out, size_t out_size, struct bytes in);

/* Whether `in` consists of exactly `digits` hexadecimal digits of either case. */
bool hex_is(struct bytes in, size_t digits);

#endif
