/* Arm CCA for code inside the project: the public header is the interface. */
#ifndef ATTEST_CCA_H
#define ATTEST_CCA_H

#include <tacit/cca.h>

#include "base/attr.h"
#include "base/buf.h"

/* What a COSE_Sign1 signature covers: Sig_structure of RFC 9052 4.4 with empty external data. */
void cca_signed_put(struct buf *out, struct bytes protected_header, struct bytes payload);

#endif
