/* Claims about civil time: strict text, exact round trips over the calendar's corners. */
#include "cmocka_all.h"

#include "base/utc.h"

static void round_trips_corner_dates(void **state)
{
    static const struct {
        int64_t unix_s;
        const char *text;
    } known[] = {
        {0, "1970-01-01T00:00:00Z"},          {951782400, "2000-02-29T00:00:00Z"},
        {1709164800, "2024-02-29T00:00:00Z"}, {4107542400, "2100-03-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},         {253402300799, "9999-12-31T23:59:59Z"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        char text[UTC_TEXT_LEN + 1];
        int64_t back;

        utc_format(text, known[i].unix_s);
        assert_string_equal(text, known[i].text);
        assert_ok(utc_parse(&back, bytes_of(known[i].text)));
        assert_true(back == known[i].unix_s);
    }
}

static void refuses_dates_that_do_not_exist(void **state)
{
    static const char *const bad[] = {
        "",
        "2023-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:60Z",
        "2024-01-01 00:00:00Z",
        "2024-01-01T00:00:00z",
        "2024-01-01T00:00:00+",
        "2024-01-01T00:00:00ZZ",
        "0000-01-01T00:00:00Z",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t t = 5;

        assert_err(utc_parse(&t, bytes_of(bad[i])), TACIT_FORMAT);
        assert_true(t == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_corner_dates),
        cmocka_unit_test(refuses_dates_that_do_not_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
