/* What verdicts look like to people: one row a check, refusals in red when the output is a
 * terminal, and a last line that says trusted or refused, and SIMULATED where it leans on a
 * simulator. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <stdio.h>

#include <tacit/verdict.h>

#include "base/bytes.h"

/* Prints the table and the closing line. Colours if f is a terminal and NO_COLOR is not set.
 * is_brief: passed rows are only counted, one line for each subject. */
void show_verdict(FILE *f, const struct tacit_verdict *v, bool is_brief);
/* Prints verdict_json with a line end. TACIT_NOMEM. */
int show_verdict_json(FILE *f, const struct tacit_verdict *v);
/* The exit code that fits: EXIT_TRUSTED or EXIT_REFUSED. */
int show_exit_code(const struct tacit_verdict *v);
/* Prints untrusted text: what would control a terminal becomes '?', so that no answer can move the
 * cursor over a verdict. */
void show_text(FILE *f, struct bytes text);
/* Escape sequences, or "" where colour does not belong. kind: 'r'ed 'g'reen 'y'ellow 'b'old '0'
 * off. */
const char *show_colour(FILE *f, char kind);

#endif
