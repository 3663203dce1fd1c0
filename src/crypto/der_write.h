/* DER writer over struct buf: straight lists of puts, nested by open and close. Failure is the
 * buffer's, sticky; ask buf_err once. For documents that we make ourselves: object identifiers are
 * literals of ours and asserted, not judged. The tags are those of crypto/der.h. */
#ifndef CRYPTO_DER_WRITE_H
#define CRYPTO_DER_WRITE_H

#include "base/buf.h"
#include "crypto/der.h"

/* Begin a constructed element (or an OCTET or BIT STRING around others); the result is handed to
 * der_close, which puts the length where it belongs. Closes in the reverse order of opens. */
size_t der_open(struct buf *b, uint8_t tag);
void der_close(struct buf *b, size_t mark);

/* One element with this content. */
void der_put(struct buf *b, uint8_t tag, struct bytes content);
/* INTEGER from a magnitude, big-endian; leading zeros are dropped, a sign octet added if needed. */
void der_put_unsigned(struct buf *b, struct bytes magnitude);
/* INTEGER or ENUMERATED, by `tag`. */
void der_put_u64(struct buf *b, uint8_t tag, uint64_t v);
void der_put_bool(struct buf *b, bool v);
void der_put_null(struct buf *b);
/* OBJECT IDENTIFIER from dotted text such as "2.5.29.19". */
void der_put_oid(struct buf *b, const char *dotted);
/* BIT STRING without unused bits. */
void der_put_bits(struct buf *b, struct bytes content);
/* UTCTime up to 2049, GeneralizedTime from 2050 on, as RFC 5280 wants it. */
void der_put_time(struct buf *b, int64_t unix_s);
/* GeneralizedTime always, as OCSP wants it. */
void der_put_generalized_time(struct buf *b, int64_t unix_s);

#endif
