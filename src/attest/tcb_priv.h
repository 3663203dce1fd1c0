/* Pieces of reading that TCB info and QE identity share. Each goes on `w` and makes it bad when the
 * value is not what it should be. */
#ifndef ATTEST_TCB_PRIV_H
#define ATTEST_TCB_PRIV_H

#include "attest/tcb_info.h"
#include "codec/jwalk.h"

void jwalk_fail(struct jwalk *w);
/* Hex string of exactly `len` octets. */
void jwalk_hex(struct jwalk *w, uint8_t *out, size_t len);
/* YYYY-MM-DDThh:mm:ssZ. */
int64_t jwalk_date(struct jwalk *w);
/* Takes tcbDate, tcbStatus or advisoryIDs; false if `name` is none of them. */
bool verdict_member(struct tcb_verdict *v, struct jwalk *w, struct bytes name);
/* Status and date are there. */
bool verdict_is_complete(const struct tcb_verdict *v);

#endif
