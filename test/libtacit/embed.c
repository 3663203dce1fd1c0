/* A program as somebody else would write it: public headers and the library only. Prints TAP. */
#include <stdio.h>
#include <stdlib.h>

#include <tacit/quote.h>

int main(void)
{
    static const uint8_t junk[] = {4, 0, 2, 0, 0x81};
    struct tacit_quote_input in = {.quote = {junk, sizeof(junk)}, .now_unix_s = 1750000000};
    struct tacit_verdict *verdict = calloc(1, sizeof(*verdict));
    struct tacit_quote_result *result = calloc(1, sizeof(*result));
    const struct tacit_row *row;
    int ok = 0;

    if (verdict == NULL || result == NULL)
        return 2;
    if (tacit_quote_verify(verdict, result, &in) == TACIT_OK) {
        row = tacit_verdict_first_refusal(verdict);
        ok = row != NULL && row->cause == TACIT_CAUSE_UNPARSABLE &&
             !tacit_verdict_is_trusted(verdict) && tacit_intel_root().len == 659;
    }
    printf("1..1\n%sok 1 - a program with public headers only verifies a quote\n",
           ok ? "" : "not ");
    free(verdict);
    free(result);
    return !ok;
}
