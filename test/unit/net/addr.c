/* Addresses and URLs: what is accepted, how it is split, and that all else is refused. */
#include "net/addr.h"

#include "cmocka_all.h"

static struct net_addr addr_ok(const char *text)
{
    struct net_addr a;

    assert_int_equal(addr_parse(&a, bytes_of(text)), TACIT_OK);
    return a;
}

static void splits_host_and_port(void **state)
{
    struct net_addr a = addr_ok("127.0.0.1:8443");

    UNUSED(state);
    assert_false(a.is_unix);
    assert_string_equal(a.host, "127.0.0.1");
    assert_int_equal(a.port, 8443);
    a = addr_ok("[::1]:0");
    assert_string_equal(a.host, "::1");
    assert_int_equal(a.port, 0);
    a = addr_ok("node-1.example.org:65535");
    assert_string_equal(a.host, "node-1.example.org");
    assert_int_equal(a.port, 65535);
}

static void takes_a_unix_socket_path(void **state)
{
    struct net_addr a = addr_ok("unix:/run/tacit/engine.sock");

    UNUSED(state);
    assert_true(a.is_unix);
    assert_string_equal(a.host, "/run/tacit/engine.sock");
    assert_int_equal(a.port, 0);
}

static void refuses_what_is_not_an_address(void **state)
{
    static const char *const bad[] = {
        "",          ":",       "host",        "host:",       ":80",        "host:65536",
        "host:08",   "host:+8", "host:8x",     "[::1]",       "[::1:80",    "[::g]:80",
        "::1:80",    "a b:80",  "host/:80",    "http://h:80", "a..b:80",    ".a:80",
        "a.:80",     "-a:80",   "unix:",       "unix:/",      "unix:a",     "unix:/a\nb",
        "user@h:80", "h:80/x",  "h\xc3\xa9:1", "[]:1",        "[1.2.3.4]:1"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct net_addr a;

        memset(&a, 1, sizeof(a));
        assert_int_equal(addr_parse(&a, bytes_of(bad[i])), TACIT_FORMAT);
        assert_int_equal(a.host[0], 0);
    }
}

static void refuses_a_path_too_long_for_a_socket(void **state)
{
    char text[5 + 108 + 1] = "unix:/";
    struct net_addr a;

    UNUSED(state);
    memset(text + 6, 'a', sizeof(text) - 7);
    text[sizeof(text) - 1] = 0;
    assert_int_equal(addr_parse(&a, bytes_of(text)), TACIT_FORMAT);
    text[sizeof(text) - 2] = 0;
    assert_int_equal(addr_parse(&a, bytes_of(text)), TACIT_OK);
}

static void refuses_a_nul_inside(void **state)
{
    struct net_addr a;

    UNUSED(state);
    assert_int_equal(addr_parse(&a, bytes_make("h\0x:80", 6)), TACIT_FORMAT);
    assert_int_equal(addr_parse(&a, bytes_make("unix:/a\0b", 9)), TACIT_FORMAT);
}

static void splits_urls_and_knows_the_usual_ports(void **state)
{
    struct net_url u;

    UNUSED(state);
    assert_int_equal(url_parse(&u, bytes_of("https://h.example/v1/")), TACIT_OK);
    assert_true(u.is_tls);
    assert_string_equal(u.addr.host, "h.example");
    assert_int_equal(u.addr.port, 443);
    assert_string_equal(u.base, "/v1");
    assert_int_equal(url_parse(&u, bytes_of("http://[::1]:8000")), TACIT_OK);
    assert_false(u.is_tls);
    assert_string_equal(u.addr.host, "::1");
    assert_int_equal(u.addr.port, 8000);
    assert_string_equal(u.base, "");
    assert_int_equal(url_parse(&u, bytes_of("http://h/")), TACIT_OK);
    assert_int_equal(u.addr.port, 80);
    assert_string_equal(u.base, "");
    assert_int_equal(url_parse(&u, bytes_of("unix:/tmp/e.sock")), TACIT_OK);
    assert_true(u.addr.is_unix);
}

static void refuses_what_is_not_a_url(void **state)
{
    static const char *const bad[] = {
        "",           "h",           "ftp://h",       "https:/h",    "https://",   "https:///v1",
        "http://h:0", "http://h:x/", "http://h/?a=1", "http://h/#f", "http://h/ ", "http://u@h/",
        "http://h?q", "HTTPS://h",   "unix://",       "http://h:"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct net_url u;

        if (url_parse(&u, bytes_of(bad[i])) != TACIT_FORMAT)
            fail_msg("accepted: %s", bad[i]);
    }
}

static void every_prefix_of_an_address_is_judged_without_harm(void **state)
{
    static const char text[] = "https://[2001:db8::1]:8443/base/path";

    UNUSED(state);
    for (size_t len = 0; len < sizeof(text); len++) {
        struct net_url u;
        enum tacit_err err = url_parse(&u, bytes_make(text, len));

        assert_true(err == TACIT_OK || err == TACIT_FORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_host_and_port),
        cmocka_unit_test(takes_a_unix_socket_path),
        cmocka_unit_test(refuses_what_is_not_an_address),
        cmocka_unit_test(refuses_a_path_too_long_for_a_socket),
        cmocka_unit_test(refuses_a_nul_inside),
        cmocka_unit_test(splits_urls_and_knows_the_usual_ports),
        cmocka_unit_test(refuses_what_is_not_a_url),
        cmocka_unit_test(every_prefix_of_an_address_is_judged_without_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
