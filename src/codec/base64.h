/* Base64 (RFC 4648), strict: only the canonical text of some octets is accepted, so that two texts
 * never stand for the same octets. Not for secrets: table look-ups are not constant-time. */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include "base/buf.h"

enum base64_kind {
    BASE64_STD, /* "+/" with padding (RFC 4648 section 4) */
    BASE64_URL, /* "-_" without padding (section 5, as JWTs have it) */
};

/* Append the octets that `in` encodes.
 *
 * out       takes at most base64_decoded_max(in.len) octets; untouched on failure
 * in        untrusted text, any length; empty is valid and gives nothing
 *
 * Returns   TACIT_OK; TACIT_FORMAT for a character outside the alphabet (white space included),
 *           missing or needless padding, or bits that an encoder would have left zero; TACIT_NOMEM
 *           if `out` is full or already failed.
 * Threads   pure, any thread. */
MUST_CHECK enum tacit_err base64_decode(struct buf *out, struct bytes in, enum base64_kind kind);

/* BASE64_STD as in PEM bodies: ASCII space, tab, CR and LF are skipped wherever they stand. */
MUST_CHECK enum tacit_err base64_decode_spaced(struct buf *out, struct bytes in);

/* Append the text of `in`. Fails the buffer when it does not fit. */
void base64_encode(struct buf *out, struct bytes in, enum base64_kind kind);

/* Upper bound of the octets that a text of `text_len` characters can give. */
size_t base64_decoded_max(size_t text_len);

#endif
