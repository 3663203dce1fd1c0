/* Options are read as the table says, and nothing else is let through. */
#include "cli/args.h"

#include "cmocka_all.h"

struct parsed {
    bool flag;
    const char *value;
    struct cli_list list;
    struct cli_args args;
};

static int parse(struct parsed *p, int argc, char **argv)
{
    const struct cli_opt opts[] = {
        {.name = "json", .help = "", .flag = &p->flag},
        {.name = "at", .metavar = "TIME", .help = "", .value = &p->value},
        {.name = "rim", .metavar = "FILE", .help = "", .list = &p->list},
    };
    const struct cli_usage usage = {.synopsis = "tacit try",
                                    .about = "",
                                    .opts = opts,
                                    .opt_count = 3,
                                    .min_args = 1,
                                    .max_args = 2};
    *p = (struct parsed){.value = "unset"};
    return cli_parse(&p->args, argc, argv, &usage);
}

#define PARSE(p, ...) \
    parse(p, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__, NULL})

static void reads_flags_values_lists_and_arguments(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(PARSE(&p, "try", "a", "--json", "--at=5", "--rim", "x", "--rim=y", "b"),
                     CLI_GO_ON);
    assert_true(p.flag);
    assert_string_equal(p.value, "5");
    assert_int_equal(p.list.count, 2);
    assert_string_equal(p.list.items[1], "y");
    assert_int_equal(p.args.count, 2);
    assert_string_equal(p.args.items[1], "b");
    assert_int_equal(PARSE(&p, "try", "--", "--json"), CLI_GO_ON);
    assert_false(p.flag);
    assert_string_equal(p.args.items[0], "--json");
}

static void refuses_what_the_table_does_not_have(void **state)
{
    struct parsed p;

    (void)state;
    assert_int_equal(PARSE(&p, "try", "a", "--nope"), EXIT_UNKNOWN);
    assert_int_equal(PARSE(&p, "try", "a", "-j"), EXIT_UNKNOWN);
    assert_int_equal(PARSE(&p, "try", "a", "--at"), EXIT_UNKNOWN);
    assert_int_equal(PARSE(&p, "try", "a", "--json=1"), EXIT_UNKNOWN);
    assert_int_equal(PARSE(&p, "try", "a", "--js"), EXIT_UNKNOWN);
    assert_int_equal(PARSE(&p, "try"), EXIT_UNKNOWN);
    assert_int_equal(PARSE(&p, "try", "a", "b", "c"), EXIT_UNKNOWN);
    assert_int_equal(PARSE(&p, "try", "a", "--at=1", "--at=2"), EXIT_UNKNOWN);
}

static void reads_numbers_up_to_the_limit(void **state)
{
    uint64_t n;

    (void)state;
    assert_true(cli_number(&n, "65535", 65535));
    assert_int_equal(n, 65535);
    assert_false(cli_number(&n, "65536", 65535));
    assert_false(cli_number(&n, "", 9));
    assert_false(cli_number(&n, "-1", 9));
    assert_false(cli_number(&n, "1x", 99));
    assert_true(cli_number(&n, "18446744073709551615", UINT64_MAX));
    assert_true(n == UINT64_MAX);
    assert_false(cli_number(&n, "18446744073709551616", UINT64_MAX));
    assert_false(cli_number(&n, "9", 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_flags_values_lists_and_arguments),
        cmocka_unit_test(refuses_what_the_table_does_not_have),
        cmocka_unit_test(reads_numbers_up_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
