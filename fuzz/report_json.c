/* Whole attestation reports: without collateral no text whatsoever is trusted, and every party that
 * a report names leaves rows. */
#include <assert.h>
#include <stdlib.h>

#include <tacit/report.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t spki[32];
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct tacit_report_opts opts = {.now_unix_s = 1782698820, .tls_spki = spki};
    struct tacit_report_facts facts;

    for (int form = 0; v != NULL && form < 2; form++) {
        opts.form = form == 0 ? TACIT_REPORT_NODE : TACIT_REPORT_GATEWAY;
        v->count = 0;
        assert(tacit_report_verify(v, &facts, (struct bytes){data, size}, &opts) != TACIT_USAGE);
        assert(!tacit_verdict_is_trusted(v));
        assert(!facts.node.is_trusted && !facts.gateway.is_trusted);
        assert(v->count > 0);
    }
    free(v);
    return 0;
}
