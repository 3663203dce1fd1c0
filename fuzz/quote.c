/* Quotes: what is accepted lies inside the input, part by part and without a gap; and whatever the
 * input, nothing is trusted without collateral that is genuine. */
#include <assert.h>
#include <stdlib.h>

#include "attest/dcap.h"
#include "attest/quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct bytes part, struct bytes whole)
{
    assert(part.len == 0 ||
           (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void parts_check(const struct tacit_quote *q, struct bytes in)
{
    assert(q->signed_part.len + 4 + q->auth.len + q->trailing.len == in.len);
    inside(q->signed_part, in);
    inside(q->auth, in);
    inside(q->trailing, in);
    inside(q->qe_auth_data, q->auth);
    inside(q->cert_data, q->auth);
    assert(q->signature.len == 64 && q->att_key.len == 64 && q->qe.whole.len == 384);
    if (q->body == TACIT_BODY_SGX)
        assert(q->sgx.report_data.len == 64);
    else
        assert(q->td.report_data.len == 64 && q->td.rtmr[3].len == 48);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char collateral[] = "{}";
    struct bytes in = {data, size};
    struct tacit_quote_input input = {.quote = in, .now_unix_s = 1750000000};
    struct tacit_collateral_need need;
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct tacit_quote_result *r = calloc(1, sizeof(*r));
    struct tdreport report;
    struct tacit_quote q;
    const char *why;

    if (v == NULL || r == NULL)
        abort();
    if (tacit_quote_parse(&q, in, &why) == TACIT_OK)
        parts_check(&q, in);
    else
        assert(why != NULL && q.version == 0);
    (void)!tacit_quote_need(&need, in);
    (void)!tdreport_parse(&report, in);
    input.collateral = bytes_of(collateral);
    (void)!tacit_quote_verify(v, r, &input);
    assert(!tacit_verdict_is_trusted(v) && !r->is_genuine);
    free(v);
    free(r);
    return 0;
}
