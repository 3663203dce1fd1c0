/* Claims about configuration files: typed, closed, and every complaint has its line. */
#include <stdlib.h>
#include <unistd.h>

#include "cmocka_all.h"

#include "base/file.h"
#include "codec/conf.h"

static const char *const colours[] = {"red", "green", NULL};
static const struct conf_key main_keys[] = {
    {.key = "name", .kind = CONF_STRING, .is_required = true},
    {.key = "file", .kind = CONF_PATH},
    {.key = "workers", .kind = CONF_U64, .fallback = "2", .min = 1, .max = 64},
    {.key = "fast", .kind = CONF_BOOL, .fallback = "true"},
    {.key = "idle", .kind = CONF_DURATION, .fallback = "60s", .max = 3600000},
    {.key = "body", .kind = CONF_SIZE, .fallback = "10MiB"},
    {.key = "colour", .kind = CONF_ENUM, .fallback = "green", .choices = colours},
};
static const struct conf_key node_keys[] = {
    {.key = "url", .kind = CONF_STRING, .is_required = true},
};
static const struct conf_section sections[] = {
    {.name = "main", .is_required = true, .keys = main_keys, .key_count = ARRAY_LEN(main_keys)},
    {.name = "node", .is_repeated = true, .keys = node_keys, .key_count = ARRAY_LEN(node_keys)},
    {.name = "extra", .keys = main_keys, .key_count = ARRAY_LEN(main_keys)},
};
static const struct conf_schema schema = {sections, ARRAY_LEN(sections)};

static const char good[] = "# a comment\n"
                           "; another = one\n"
                           "[main]\n"
                           "name = a b = c\n"
                           "file=/x/y\r\n"
                           "idle = 2m\n"
                           "body = 4KiB\n"
                           "colour = red\n"
                           "\n"
                           "[node alpha]\n"
                           "url = http://a\n"
                           "[node beta]\n"
                           "url = http://b";

static void reads_typed_values_and_fallbacks(void **state)
{
    char message[CONF_MESSAGE_MAX];
    struct conf *c;

    UNUSED(state);
    assert_int_equal(conf_parse(&c, message, bytes_of(good), "f", &schema), TACIT_OK);
    assert_string_equal(message, "");
    assert_string_equal(conf_str(c, "main", 0, "name"), "a b = c");
    assert_string_equal(conf_str(c, "main", 0, "file"), "/x/y");
    assert_int_equal(conf_u64(c, "main", 0, "workers"), 2);
    assert_true(conf_bool(c, "main", 0, "fast"));
    assert_int_equal(conf_u64(c, "main", 0, "idle"), 120000);
    assert_int_equal(conf_u64(c, "main", 0, "body"), 4096);
    assert_int_equal(conf_u64(c, "main", 0, "colour"), 0);
    assert_string_equal(conf_str(c, "main", 0, "colour"), "red");
    assert_int_equal(conf_count(c, "node"), 2);
    assert_string_equal(conf_instance_name(c, "node", 1), "beta");
    assert_string_equal(conf_str(c, "node", 1, "url"), "http://b");
    assert_int_equal(conf_count(c, "extra"), 0);
    assert_null(conf_str(c, "extra", 0, "file"));
    assert_int_equal(conf_u64(c, "extra", 0, "idle"), 60000);
    assert_true(conf_is_set(c, "main", 0, "idle"));
    assert_false(conf_is_set(c, "main", 0, "fast"));
    assert_true(bytes_eq_cstr(conf_raw(c), good));
    conf_free(c);
    conf_free(NULL);
}

static void every_mistake_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"[main]\nname = x\nadress = y\n", "f:3: unknown key 'adress' in [main]"},
        {"[mian]\nname = x\n", "f:1: unknown section [mian]"},
        {"name = x\n", "f:1: a key needs a section before it"},
        {"[main]\nname = x\nname = y\n", "f:3: 'name' is set twice in [main]"},
        {"[main]\nname = x\n[main]\n", "f:3: section [main] is there twice"},
        {"[main]\nname = x\n[node a]\nurl = u\n[node a]\n", "f:5: section [node a] is there twice"},
        {"[main]\nname =\n", "f:2: 'name' must be given a value"},
        {"[main]\nname = x\nworkers = 0\n", "f:3: 'workers' must be between 1 and 64"},
        {"[main]\nname = x\nworkers = 65\n", "f:3: 'workers' must be between 1 and 64"},
        {"[main]\nname = x\nworkers = 1x\n", "f:3: 'workers' must be a whole number"},
        {"[main]\nname = x\nfast = yes\n", "f:3: 'fast' must be true or false"},
        {"[main]\nname = x\nidle = 30\n",
         "f:3: 'idle' must be a duration such as 250ms, 30s, 5m, 2h or 1d"},
        {"[main]\nname = x\nidle = 2h\n", "f:3: 'idle' must be between 0 and 3600000 milliseconds"},
        {"[main]\nname = x\nidle = 99999999999999999999d\n",
         "f:3: 'idle' must be a duration such as 250ms, 30s, 5m, 2h or 1d"},
        {"[main]\nname = x\nbody = 10MB\n",
         "f:3: 'body' must be a size such as 512, 10KiB, 10MiB or 1GiB"},
        {"[main]\nname = x\ncolour = blue\n", "f:3: 'colour' must be one of red, green"},
        {"[node a]\nurl = u\n", "f: section [main] is missing"},
        {"[main]\nfile = x\n", "f: [main] needs 'name'"},
        {"[main]\nname = x\n[node a]\n", "f: [node a] needs 'url'"},
        {"[main]\nname = x\n[node]\n", "f:3: section [node NAME] needs a name"},
        {"[main x]\nname = x\n", "f:1: section [main] takes no name"},
        {"[main] x\nname = x\n",
         "f:1: a section is written [name] or [name NAME], nothing behind it"},
        {"[main\nname = x\n", "f:1: a section is written [name] or [name NAME], nothing behind it"},
        {"[main]\nname = x\n  more\n",
         "f:3: the line is indented; values do not continue on the next line"},
        {"[main]\nname = x ; y\n", "f:2: comments stand on lines of their own"},
        {"[main]\nname: x\n", "f:2: 'key = value' or '[section]' expected"},
        {"[main]\nname\n", "f:2: 'key = value' or '[section]' expected"},
        {"[main]\n= x\n", "f:2: malformed key"},
        {"[main]\nna me = x\n", "f:2: malformed key"},
        {"[main]\nname = \x01\n", "f:2: the line holds control characters or is no UTF-8"},
        {"[main]\nname = \xff\n", "f:2: the line holds control characters or is no UTF-8"},
        {"\xef\xbb\xbf[main]\nname = x\n", "f:1: 'key = value' or '[section]' expected"},
    };
    char message[CONF_MESSAGE_MAX];
    struct conf *c;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(conf_parse(&c, message, bytes_of(bad[i].text), "f", &schema),
                         TACIT_CONFIG);
        assert_null(c);
        assert_string_equal(message, bad[i].message);
    }
}

static void long_lines_are_refused_and_never_cut(void **state)
{
    char message[CONF_MESSAGE_MAX];
    struct buf b = buf_make(4096);
    struct conf *c;

    UNUSED(state);
    for (size_t len = CONF_LINE_MAX; len <= CONF_LINE_MAX + 1; len++) {
        buf_reset(&b);
        buf_puts(&b, "[main]\nname = ");
        buf_fill(&b, 'x', len - 7);
        buf_puts(&b, "\r\n");
        if (len == CONF_LINE_MAX) {
            assert_int_equal(conf_parse(&c, message, buf_bytes(&b), "f", &schema), TACIT_OK);
            assert_int_equal(strlen(conf_str(c, "main", 0, "name")), len - 7);
            conf_free(c);
        } else {
            assert_int_equal(conf_parse(&c, message, buf_bytes(&b), "f", &schema), TACIT_CONFIG);
            assert_string_equal(message, "f:2: the line is longer than 190 octets");
        }
    }
    assert_int_equal(conf_parse(&c, message, BYTES_LIT("[main]\nname = x\0y\n"), "f", &schema),
                     TACIT_CONFIG);
    buf_done(&b);
    b = buf_make(CONF_FILE_MAX + 1);
    buf_fill(&b, '\n', CONF_FILE_MAX + 1);
    assert_int_equal(conf_parse(&c, message, buf_bytes(&b), "f", &schema), TACIT_LIMIT);
    assert_string_equal(message, "f: the file is too large for a configuration");
    buf_done(&b);
}

static void every_prefix_and_bit_flip_is_handled(void **state)
{
    char message[CONF_MESSAGE_MAX];
    uint8_t copy[sizeof(good)];
    struct conf *c;

    UNUSED(state);
    for (size_t i = 0; i < (sizeof(good) - 1) * 9; i++) {
        size_t len = i < sizeof(good) - 1 ? i : sizeof(good) - 1;

        memcpy(copy, good, sizeof(good));
        if (i >= sizeof(good) - 1)
            copy[i / 8 - (sizeof(good) - 1) / 8] ^= (uint8_t)(1U << i % 8);
        if (conf_parse(&c, message, bytes_make(copy, len), "f", &schema) == TACIT_OK)
            assert_non_null(conf_str(c, "main", 0, "name"));
        else
            assert_true(strlen(message) > 0);
        conf_free(c);
    }
}

static void loads_files_and_says_what_is_wrong_with_them(void **state)
{
    char message[CONF_MESSAGE_MAX];
    char path[] = "/tmp/tacit-conf-XXXXXX";
    int fd = mkstemp(path);
    struct conf *c;

    UNUSED(state);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(file_write(path, bytes_of(good), 0600), TACIT_OK);
    assert_int_equal(conf_load(&c, message, path, &schema), TACIT_OK);
    conf_free(c);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(conf_load(&c, message, path, &schema), TACIT_NOT_FOUND);
    assert_non_null(strstr(message, "there is no such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_typed_values_and_fallbacks),
        cmocka_unit_test(every_mistake_is_named_with_its_line),
        cmocka_unit_test(long_lines_are_refused_and_never_cut),
        cmocka_unit_test(every_prefix_and_bit_flip_is_handled),
        cmocka_unit_test(loads_files_and_says_what_is_wrong_with_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
