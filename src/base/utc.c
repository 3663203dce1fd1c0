/* Days are counted by the 400-year cycle, with March as the first month, so that leap days come
 * last. */
#include "base/utc.h"

#include <stdio.h>

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool utc_is_valid(const struct utc *t)
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (t->year < 1 || t->year > 9999 || t->month < 1 || t->month > 12 || t->day < 1)
        return false;
    if (t->day > days[t->month - 1] + (t->month == 2 && is_leap(t->year)))
        return false;
    return t->hour >= 0 && t->hour < 24 && t->minute >= 0 && t->minute < 60 && t->second >= 0 &&
           t->second < 60;
}

int64_t utc_to_unix(const struct utc *t)
{
    int64_t y = t->month <= 2 ? t->year - 1 : t->year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (t->month + (t->month > 2 ? -3 : 9)) + 2) / 5 + t->day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    int64_t days = era * 146097 + doe - 719468;

    return ((days * 24 + t->hour) * 60 + t->minute) * 60 + t->second;
}

struct utc utc_from_unix(int64_t unix_s)
{
    int64_t days = unix_s / 86400 - (unix_s % 86400 < 0);
    int64_t left = unix_s - days * 86400;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    struct utc t;

    t.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    t.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    t.year = (int)(yoe + era * 400 + (t.month <= 2));
    t.hour = (int)(left / 3600);
    t.minute = (int)(left / 60 % 60);
    t.second = (int)(left % 60);
    return t;
}

static int digits(struct bytes text, size_t from, size_t count)
{
    int value = 0;

    for (size_t i = from; i < from + count; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        value = value * 10 + (text.ptr[i] - '0');
    }
    return value;
}

enum tacit_err utc_parse(int64_t *unix_s, struct bytes text)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    struct utc t;

    *unix_s = 0;
    if (text.len != UTC_TEXT_LEN)
        return TACIT_FORMAT;
    for (size_t i = 0; i < UTC_TEXT_LEN; i++)
        if (shape[i] != 'd' && text.ptr[i] != (uint8_t)shape[i])
            return TACIT_FORMAT;
    t.year = digits(text, 0, 4);
    t.month = digits(text, 5, 2);
    t.day = digits(text, 8, 2);
    t.hour = digits(text, 11, 2);
    t.minute = digits(text, 14, 2);
    t.second = digits(text, 17, 2);
    if (!utc_is_valid(&t))
        return TACIT_FORMAT;
    *unix_s = utc_to_unix(&t);
    return TACIT_OK;
}

void utc_format(char out[static UTC_TEXT_LEN + 1], int64_t unix_s)
{
    struct utc t = utc_from_unix(unix_s);

    if (!utc_is_valid(&t)) {
        memcpy(out, "invalid-time", sizeof("invalid-time"));
        return;
    }
    snprintf(out, UTC_TEXT_LEN + 1, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)t.year % 10000,
             (unsigned)t.month % 100, (unsigned)t.day % 100, (unsigned)t.hour % 100,
             (unsigned)t.minute % 100, (unsigned)t.second % 100);
}
