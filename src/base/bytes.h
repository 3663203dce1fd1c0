/* Helpers over borrowed views. Nothing here allocates. None of the comparisons is constant-time:
 * secrets are compared with ct_equal (crypto/ct.h). */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <string.h>

#include <tacit/bytes.h>

#include "base/attr.h"

#define BYTES_LIT(literal) ((struct bytes){(const uint8_t *)("" literal), sizeof(literal) - 1})
#define BYTES_ARRAY(array) ((struct bytes){(array), sizeof(array)})
/* For printf's "%.*s": only for bytes known to be text without NUL. */
#define BYTES_FMT(b) (int)(b).len, (const char *)(b).ptr

/* View over a C string without its NUL; NULL gives an empty view. */
struct bytes bytes_of(const char *cstr);
struct bytes bytes_make(const void *ptr, size_t len);
/* Part of `b` from `from`, at most `len` long; clamped to what is there, never out of bounds. */
struct bytes bytes_slice(struct bytes b, size_t from, size_t len);
bool bytes_eq(struct bytes a, struct bytes b);
bool bytes_eq_cstr(struct bytes a, const char *cstr);
/* ASCII case only; bytes above 127 compare as they are. */
bool bytes_eq_nocase(struct bytes a, struct bytes b);
bool bytes_starts_with(struct bytes b, struct bytes prefix);
bool bytes_ends_with(struct bytes b, struct bytes suffix);
/* Offset of the first occurrence, or SIZE_MAX. */
size_t bytes_find(struct bytes b, struct bytes needle);
size_t bytes_find_byte(struct bytes b, uint8_t byte);
bool bytes_is_zero(struct bytes b);
/* ASCII space, tab, CR and LF removed at both ends. */
struct bytes bytes_trim(struct bytes b);
/* Order as memcmp, then by length: for sorting and maps. */
int bytes_cmp(struct bytes a, struct bytes b);

/* Value of a hexadecimal digit of either case, or -1. */
int bytes_hex_digit(uint8_t c);

/* Overflow-checked sums and products of untrusted sizes; false when the result does not fit. */
MUST_CHECK bool size_add(size_t *out, size_t a, size_t b);
MUST_CHECK bool size_mul(size_t *out, size_t a, size_t b);

/* Decimal digits only, no sign, no leading zero except "0" itself, at most `max`.
 * Returns false (and 0) for anything else, empty included. */
MUST_CHECK bool bytes_to_u64(uint64_t *out, struct bytes b, uint64_t max);

#endif
