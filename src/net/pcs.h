/* Fetching one platform's collateral from Intel's PCS (API v4) or a cache server with the same
 * paths (PCCS), and putting it into one compact file. Verifies nothing: attest/collateral_check.h
 * does, before anything is kept. */
#ifndef NET_PCS_H
#define NET_PCS_H

#include <tacit/report.h>

#include "base/buf.h"
#include "net/fetch.h"

enum { PCS_WHY_LEN = 256, PCS_DOCUMENT_MAX = 1024 * 1024 };

struct pcs {
    const char *base_url;     /* "https://host", without a path; NULL: Intel's PCS */
    const char *root_crl_url; /* NULL: Intel's, or base_url's /sgx/certification/v4/rootcacrl */
    const char *proxy;        /* NULL: none */
    bool is_any_tls;          /* do not check the server's certificate (self-signed PCCS); what it
                               * says is verified to Intel's root in any case */
    bool is_early;            /* update channel "early" instead of "standard" */
    uint64_t timeout_ms;      /* per document; 0: 30 s */
};

/* Fetch TCB info, QE identity, PCK CRL and root CRL and append the compact JSON (tdx.md 3.2).
 *
 * retry_after_s   set when a server asked to wait, else 0
 * why             on failure a sentence that names the document and the platform
 *
 * Returns   TACIT_OK; TACIT_NOT_FOUND (404, 410); TACIT_BUSY (429, 503); TACIT_IO; TACIT_TIMEOUT;
 *           TACIT_FORMAT for replies that are not what they should be; TACIT_NOMEM.
 * Threads   any; blocks. Spec tdx.md 3.1, 3.2 */
MUST_CHECK enum tacit_err pcs_fetch(struct buf *json, const struct pcs *pcs,
                                    const struct tacit_collateral_need *need,
                                    uint64_t *retry_after_s, char why[static PCS_WHY_LEN]);

/* Percent-decodes a header value that holds PEM. TACIT_FORMAT for bad escapes and NUL. */
MUST_CHECK enum tacit_err pcs_chain_decode(struct buf *out, struct bytes value);
/* A CRL as DER from DER, PEM or hex text (PCCS). TACIT_FORMAT; TACIT_NOMEM. */
MUST_CHECK enum tacit_err pcs_crl_decode(struct buf *der, struct bytes body);

#endif
