/* What `tacit verify quote` prints of a result: facts for people, JSON for machines. */
#ifndef CLI_QUOTE_JSON_H
#define CLI_QUOTE_JSON_H

#include <stdio.h>

#include <tacit/quote.h>

/* The schema of docs/verdict-schema.md on one line. False when out of memory. */
bool quote_json_print(FILE *f, const struct tacit_verdict *v, const struct tacit_quote_result *r);
/* The same for what could not be evaluated: verdict "error", no rows. Why is on standard error. */
void quote_json_error(FILE *f);
/* A few lines below the table; nothing for a quote that is not genuine. */
void quote_facts_print(FILE *f, const struct tacit_quote_result *r);

#endif
