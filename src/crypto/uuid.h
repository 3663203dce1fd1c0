/* UUIDs of version 4 (random) and 5 (from a name in the DNS namespace), as text. */
#ifndef CRYPTO_UUID_H
#define CRYPTO_UUID_H

#include "base/bytes.h"
#include "base/err.h"

enum { UUID_TEXT_LEN = 36 }; /* lower-case, without NUL */

/* Version 4 from 16 random octets given by the caller; writes text and NUL. Pure. */
void uuid4_from(char out[static UUID_TEXT_LEN + 1], const uint8_t random[static 16]);
/* Version 4 from the operating system. TACIT_IO and an empty text without randomness. */
MUST_CHECK enum tacit_err uuid4_make(char out[static UUID_TEXT_LEN + 1]);
/* Version 5 of `name` in the DNS namespace, as the gateway's Inference-Id (near.md 1.1). Pure.
 *
 * Spec      RFC 9562 5.5 */
void uuid5_dns(char out[static UUID_TEXT_LEN + 1], struct bytes name);
/* Whether `text` is 8-4-4-4-12 hexadecimal digits of either case. Pure. */
bool uuid_is_text(struct bytes text);

#endif
