/* Civil time in UTC without libc's time zone machinery: pure, proleptic Gregorian, years 1..9999.
 */
#ifndef BASE_UTC_H
#define BASE_UTC_H

#include "base/bytes.h"
#include "base/err.h"

enum { UTC_TEXT_LEN = 20 }; /* "YYYY-MM-DDThh:mm:ssZ" without NUL */

struct utc {
    int year, month, day, hour, minute, second;
};

/* Whether every member is in range for its month and year (no leap seconds). */
bool utc_is_valid(const struct utc *t);
/* Seconds since 1970 of a valid civil time. */
int64_t utc_to_unix(const struct utc *t);
struct utc utc_from_unix(int64_t unix_s);
/* Exactly YYYY-MM-DDThh:mm:ssZ, nothing else: TACIT_FORMAT otherwise, and *unix_s is 0. */
MUST_CHECK enum tacit_err utc_parse(int64_t *unix_s, struct bytes text);
/* Writes UTC_TEXT_LEN characters and a NUL; years outside 1..9999 give "invalid-time". */
void utc_format(char out[static UTC_TEXT_LEN + 1], int64_t unix_s);

#endif
