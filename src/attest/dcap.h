/* DCAP verification for code inside the project: the public header is the interface. */
#ifndef ATTEST_DCAP_H
#define ATTEST_DCAP_H

#include <tacit/quote.h>
#include <tacit/report.h>

#include "base/attr.h"

#endif
