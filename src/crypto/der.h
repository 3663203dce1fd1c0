/* Strict DER reader: definite, shortest lengths; tags below 31. Parsers allocate nothing. Built on
 * the same idea as base/reader.h: bad once, bad for good, and then everything read is empty. */
#ifndef CRYPTO_DER_H
#define CRYPTO_DER_H

#include "base/bytes.h"
#include "base/err.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0a,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,             /* | n: implicit, primitive */
    DER_CONTEXT_CONSTRUCTED = 0xa0, /* | n */
};

struct der {
    struct bytes rest;
    bool is_bad;
};

struct der der_over(struct bytes in);
/* Tag octet of the next element, or 0 at the end and when bad. */
uint8_t der_peek(const struct der *d);
/* Content of the next element, whose tag must be `tag`; empty and bad otherwise. */
struct bytes der_read(struct der *d, uint8_t tag);
/* The next element whatever its tag: returns its content, `*tag` (may be NULL) and `*whole` (may be
 * NULL), tag and length included. */
struct bytes der_any(struct der *d, uint8_t *tag, struct bytes *whole);
/* The same with a tag that must match; returns the whole element. */
struct bytes der_whole(struct der *d, uint8_t tag);
/* A cursor over the content of the next element; bad if the tag differs. */
struct der der_enter(struct der *d, uint8_t tag);
/* INTEGER that is not negative and shortest: its magnitude, big-endian without leading zeros (empty
 * for zero). */
struct bytes der_unsigned(struct der *d);
/* INTEGER or ENUMERATED (by `tag`) in 0..max; bad and 0 otherwise. */
uint64_t der_u64(struct der *d, uint8_t tag, uint64_t max);
/* BOOLEAN, 00 or FF. */
bool der_bool(struct der *d);
/* BIT STRING without unused bits. */
struct bytes der_bits(struct der *d);
/* UTCTime or GeneralizedTime in the only form RFC 5280 allows, as seconds since 1970. */
int64_t der_time(struct der *d);
/* Content of an OBJECT IDENTIFIER. */
struct bytes der_oid(struct der *d);
bool der_ok(const struct der *d);
/* Nothing went wrong and nothing is left over. */
bool der_finished(const struct der *d);
void der_fail(struct der *d);

#endif
