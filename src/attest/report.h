/* Verification of a whole attestation report for code inside the project: the public header plus
 * what other folders need to build such reports. */
#ifndef ATTEST_REPORT_H
#define ATTEST_REPORT_H

#include <tacit/report.h>

#include "base/attr.h"

#endif
