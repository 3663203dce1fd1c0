/* UTF-8 by RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF. Pure, any thread. */
#ifndef CODEC_UTF8_H
#define CODEC_UTF8_H

#include "base/bytes.h"

/* Octets of the one character at the start of `in` (1 to 4), or 0 if there is no valid one. */
size_t utf8_char_len(struct bytes in);
/* Whether all of `text` is valid; empty is. */
bool utf8_is_valid(struct bytes text);
/* Writes the UTF-8 form of a code point (no surrogate, at most U+10FFFF: asserted); its length. */
size_t utf8_encode(uint8_t out[static 4], uint32_t code_point);

#endif
