/* The only place where the machine's clocks are read. Protocol code never calls these: it takes
 * time as an argument. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Wall clock, seconds and milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_unix_s(void);
int64_t clock_unix_ms(void);
/* Monotonic clock for intervals; the origin means nothing. */
uint64_t clock_mono_ms(void);
uint64_t clock_mono_ns(void);

#endif
