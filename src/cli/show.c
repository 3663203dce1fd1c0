/* Verdicts as tables: see show.h. Texts in rows are printable ASCII by contract. */
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attest/verdict.h"
#include "base/buf.h"
#include "cli/args.h"

enum { ID_WIDTH = 30, SUBJECT_WIDTH = 10, JSON_LIMIT = 1024 * 1024 };

const char *show_colour(FILE *f, char kind)
{
    if (!isatty(fileno(f)) || getenv("NO_COLOR") != NULL)
        return "";
    switch (kind) {
    case 'r':
        return "\033[1;31m";
    case 'g':
        return "\033[32m";
    case 'y':
        return "\033[33m";
    case 'b':
        return "\033[1m";
    default:
        return "\033[0m";
    }
}

static void show_row(FILE *f, const struct tacit_row *row)
{
    bool is_bad = row->is_required && row->result != TACIT_ROW_PASSED;
    char kind = is_bad ? 'r' : row->result == TACIT_ROW_PASSED ? 'g' : 'y';
    const char *word = row->result == TACIT_ROW_PASSED   ? "passed"
                       : row->result == TACIT_ROW_FAILED ? "FAILED"
                                                         : "not run";

    (void)fprintf(f, "  %s%-7s%s %-*s %-*s", show_colour(f, kind), word, show_colour(f, '0'),
                  SUBJECT_WIDTH, row->subject, ID_WIDTH, row->id);
    if (row->result != TACIT_ROW_PASSED && row->cause != TACIT_CAUSE_NONE)
        (void)fprintf(f, " [%s]", tacit_row_cause_name(row->cause));
    if (row->reason[0] != '\0')
        (void)fprintf(f, " %s", row->reason);
    else if (row->authority[0] != '\0')
        (void)fprintf(f, " by %s", row->authority);
    (void)fputc('\n', f);
}

/* In brief form, the passed rows of one subject become one line, printed at its first row; those of
 * the reply stay, because they are few and what the user came for. */
static void show_passed(FILE *f, const struct tacit_verdict *v, size_t first)
{
    const char *subject = v->rows[first].subject;
    size_t count = 0;

    if (strcmp(subject, "reply") == 0) {
        show_row(f, &v->rows[first]);
        return;
    }
    for (size_t i = 0; i < v->count; i++) {
        if (strcmp(v->rows[i].subject, subject) != 0 || v->rows[i].result != TACIT_ROW_PASSED)
            continue;
        if (count == 0 && i != first)
            return;
        count++;
    }
    (void)fprintf(f, "  %spassed%s  %-*s %zu check%s\n", show_colour(f, 'g'), show_colour(f, '0'),
                  SUBJECT_WIDTH, subject, count, count == 1 ? "" : "s");
}

void show_verdict(FILE *f, const struct tacit_verdict *v, bool is_brief)
{
    const struct tacit_row *refusal = tacit_verdict_first_refusal(v);

    for (size_t i = 0; i < v->count; i++) {
        if (is_brief && v->rows[i].result == TACIT_ROW_PASSED)
            show_passed(f, v, i);
        else
            show_row(f, &v->rows[i]);
    }
    if (tacit_verdict_is_trusted(v)) {
        (void)fprintf(f, "%sTRUSTED%s%s\n", show_colour(f, 'g'), show_colour(f, '0'),
                      v->is_simulated
                          ? "  SIMULATED: the root is a simulator's; no hardware stands "
                            "behind this"
                          : "");
        return;
    }
    (void)fprintf(f, "%sREFUSED%s%s", show_colour(f, 'r'), v->is_simulated ? " (SIMULATED)" : "",
                  show_colour(f, '0'));
    if (refusal != NULL)
        (void)fprintf(f, " by %s (%s): %s", refusal->id, refusal->subject, refusal->reason);
    else
        (void)fprintf(f, ": %s", v->is_overflowed ? "more rows than fit" : "nothing was checked");
    (void)fputc('\n', f);
}

int show_verdict_json(FILE *f, const struct tacit_verdict *v)
{
    struct buf text = buf_make(JSON_LIMIT);
    bool is_written;

    verdict_json(&text, v, false);
    is_written = !text.failed && fwrite(text.ptr, 1, text.len, f) == text.len;
    (void)fputc('\n', f);
    buf_done(&text);
    return is_written ? show_exit_code(v) : EXIT_UNKNOWN;
}

int show_exit_code(const struct tacit_verdict *v)
{
    return tacit_verdict_is_trusted(v) ? EXIT_TRUSTED : EXIT_REFUSED;
}

void show_text(FILE *f, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool is_c1 = c == 0xC2 && i + 1 < text.len && text.ptr[i + 1] < 0xA0; /* U+0080…U+009F */

        if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7F || is_c1) {
            (void)fputc('?', f);
            i += is_c1 ? 1 : 0;
        } else {
            (void)fputc(c, f);
        }
    }
}
