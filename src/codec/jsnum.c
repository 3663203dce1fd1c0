/* Numbers as JavaScript prints them. Invariant: what is written parses to the same double as what
 * was read, and has no more digits than that takes (ECMA-262 Number::toString). */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/jscan.h"
#include "codec/jwrite.h"

enum { EXACT_DIGITS = 15, MOST_DIGITS = 17 };

/* A number that JavaScript prints as it stands: plain decimal, at most 15 significant digits (any
 * such survives the way through a double), no trailing zero in the fraction, not too small. */
static bool is_plain(struct bytes t)
{
    size_t digits = 0;
    size_t dot = bytes_find_byte(t, '.');

    if (t.len == 0 || t.len > EXACT_DIGITS + 1 || bytes_eq_cstr(t, "-0"))
        return false;
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] >= '0' && t.ptr[i] <= '9')
            digits++;
        else if (t.ptr[i] != '.' && !(i == 0 && t.ptr[i] == '-'))
            return false;
    }
    if (digits > EXACT_DIGITS)
        return false;
    if (dot == SIZE_MAX)
        return true;
    /* "-0.0" and "0.0000001" print differently; leave small ones to the long way. */
    return t.ptr[t.len - 1] != '0' && bytes_find(t, BYTES_LIT("0.0000")) == SIZE_MAX;
}

/* Digits without point or trailing zeros, and the power of ten of the first one. */
struct decimal {
    char digits[MOST_DIGITS + 1];
    int count;
    int exponent;
};

/* "d.ddde-xx" into digits and exponent. */
static void decimal_split(struct decimal *d, const char *text)
{
    const char *e = strchr(text, 'e');

    d->exponent = e == NULL ? 0 : (int)strtol(e + 1, NULL, 10);
    d->count = 0;
    for (const char *p = text; *p != '\0' && *p != 'e' && d->count < MOST_DIGITS; p++)
        if (*p >= '0' && *p <= '9')
            d->digits[d->count++] = *p;
}

/* Next larger decimal of the same number of digits. */
static void decimal_bump(struct decimal *d)
{
    int i = d->count - 1;

    while (i >= 0 && d->digits[i] == '9')
        d->digits[i--] = '0';
    if (i >= 0) {
        d->digits[i]++;
    } else {
        d->digits[0] = '1';
        d->exponent++;
    }
}

static bool decimal_denotes(const struct decimal *d, double magnitude)
{
    char text[MOST_DIGITS + 16];

    (void)snprintf(text, sizeof(text), "%c.%.*se%d", d->digits[0], d->count - 1, d->digits + 1,
                   d->exponent);
    return strtod(text, NULL) == magnitude; /* bit-equality is the question */
}

/* The decimal of this many digits nearest to `magnitude`, if it denotes it. Just above a power of
 * two, where doubles lie closer below than above, the nearest one may not and the next one may. */
static bool decimal_of(struct decimal *d, double magnitude, int precision)
{
    char text[40];
    bool found;

    (void)snprintf(text, sizeof(text), "%.*e", precision - 1, magnitude);
    decimal_split(d, text);
    found = decimal_denotes(d, magnitude);
    if (!found) {
        decimal_bump(d);
        found = decimal_denotes(d, magnitude);
    }
    while (d->count > 1 && d->digits[d->count - 1] == '0')
        d->count--;
    return found;
}

static void put_decimal(struct buf *out, const struct decimal *d)
{
    int point = d->exponent + 1; /* digits before the point */
    struct bytes all = bytes_make(d->digits, (size_t)d->count);

    if (d->count <= point && point <= 21) {
        buf_put(out, all);
        buf_fill(out, '0', (size_t)(point - d->count));
    } else if (point > 0 && point <= 21) {
        buf_put(out, bytes_slice(all, 0, (size_t)point));
        buf_putc(out, '.');
        buf_put(out, bytes_slice(all, (size_t)point, SIZE_MAX));
    } else if (point > -6 && point <= 0) {
        buf_puts(out, "0.");
        buf_fill(out, '0', (size_t)-point);
        buf_put(out, all);
    } else {
        buf_put(out, bytes_slice(all, 0, 1));
        if (d->count > 1) {
            buf_putc(out, '.');
            buf_put(out, bytes_slice(all, 1, SIZE_MAX));
        }
        buf_putf(out, "e%c%d", d->exponent < 0 ? '-' : '+', abs(d->exponent));
    }
}

void jw_put_js_number(struct buf *out, struct bytes literal)
{
    struct decimal d = {.count = 0};
    double v;

    if (is_plain(literal)) {
        buf_put(out, literal);
        return;
    }
    if (!jscan_f64(&v, (struct jval){JVAL_NUMBER, literal})) {
        out->failed = true;
        return;
    }
    if (v == 0) {
        buf_putc(out, '0'); /* also for -0 */
        return;
    }
    /* Subnormal doubles have fewer digits than fifteen; others keep any fifteen. */
    for (int n = fabs(v) < DBL_MIN ? 1 : EXACT_DIGITS; n <= MOST_DIGITS; n++)
        if (decimal_of(&d, fabs(v), n))
            break;
    if (v < 0)
        buf_putc(out, '-');
    put_decimal(out, &d);
}
