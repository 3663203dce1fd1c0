/* DCAP verification for code inside the project: the public header is the interface. */
#ifndef ATTEST_DCAP_H
#define ATTEST_DCAP_H

#include <tacit/quote.h>
#include <tacit/report.h>

#include "base/attr.h"

/* Drop all platforms and keep the collateral: what a cache is when it meets a platform that it has
 * not seen. For measuring. */
void dcap_cache_forget_platforms(struct tacit_quote_cache *cache);

#endif
