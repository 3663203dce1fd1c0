/* A cursor over untrusted wire bytes. It goes bad on the first short read and from then on yields
 * zeros and empty views, so that a parser is a straight list of reads and asks once at the end. */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/bytes.h"

struct reader {
    struct bytes rest;
    bool is_bad;
};

struct reader reader_over(struct bytes in);
uint8_t read_u8(struct reader *r);
uint16_t read_u16le(struct reader *r);
uint32_t read_u24le(struct reader *r);
uint32_t read_u32le(struct reader *r);
uint64_t read_u64le(struct reader *r);
uint16_t read_u16be(struct reader *r);
uint32_t read_u32be(struct reader *r);
/* Next `len` bytes, borrowed from the input; empty and bad if fewer are left. */
struct bytes read_bytes(struct reader *r, size_t len);
/* Copies `len` bytes; zeros `out` if fewer are left. */
void read_into(struct reader *r, uint8_t *out, size_t len);
size_t reader_left(const struct reader *r);
/* Nothing went wrong so far. */
bool reader_ok(const struct reader *r);
/* Nothing went wrong and nothing is left over. */
bool reader_finished(const struct reader *r);
/* Mark bad by the parser's own judgement: an impossible value. */
void reader_fail(struct reader *r);

#endif
