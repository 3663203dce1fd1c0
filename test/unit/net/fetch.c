/* The blocking client against a small Python server: what is sent, what comes back, and every way
 * in which it must give up. */
#include "net/fetch.h"

#include "base/clock.h"
#include "base/file.h"
#include "codec/hex.h"
#include "crypto/spki.h"
#include "fakes/child.h"

#include "cmocka_all.h"

#define FAKE "fakes/web_server.py"

struct fixture {
    char dir[64], cert[96], key[96], other_cert[96], other_key[96], socket_path[96];
    struct child plain, tls, tls12, unix_sock;
    uint8_t spki[32];
};

static void make_cert(char *cert, char *key)
{
    char *const argv[] = {
        "openssl", "req",   "-x509",    "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes",  "-subj", "/CN=test", "-days",   "2",  "-out",     cert,
        "-keyout", key,     NULL};

    assert_int_equal(child_run(argv), 0);
}

static void start(struct child *c, char *option, char *a, char *b, char *last)
{
    char script[] = TEST_SOURCE_DIR "/" FAKE;
    char *argv[8] = {"python3", script};
    char *const given[] = {option, a, b, last};
    size_t n = 2;

    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        if (given[i] != NULL)
            argv[n++] = given[i];
    assert_true(child_start(c, argv));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct buf pem = buf_make(8192);

    assert_non_null(f);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/tacit-fetch-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->cert, sizeof(f->cert), "%s/cert.pem", f->dir);
    (void)snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
    (void)snprintf(f->socket_path, sizeof(f->socket_path), "%s/web.sock", f->dir);
    make_cert(f->cert, f->key);
    start(&f->plain, NULL, NULL, NULL, NULL);
    start(&f->tls, "--tls", f->cert, f->key, NULL);
    start(&f->tls12, "--tls", f->cert, f->key, "--tls12");
    start(&f->unix_sock, "--unix", f->socket_path, NULL, NULL);
    assert_int_equal(file_read(&pem, f->cert), TACIT_OK);
    assert_int_equal(spki_of_cert_pem(f->spki, buf_bytes(&pem)), TACIT_OK);
    buf_done(&pem);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char *const argv[] = {"rm", "-rf", f->dir, NULL};

    child_stop(&f->plain);
    child_stop(&f->tls);
    child_stop(&f->tls12);
    child_stop(&f->unix_sock);
    (void)child_run(argv);
    free(f);
    return 0;
}

static struct fetch_request request(const char *method, char *url, size_t cap, const char *scheme,
                                    const struct child *server, const char *path)
{
    (void)snprintf(url, cap, "%s://127.0.0.1:%s%s", scheme, server->first_line, path);
    return (struct fetch_request){.method = method, .url = url, .body_limit = 4096};
}

static void gets_a_body_and_its_headers(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct fetch_request req = request("GET", url, sizeof(url), "http", &f->plain, "/ok");
    struct fetch_reply r;

    assert_int_equal(fetch(&r, &req), TACIT_OK);
    assert_int_equal(r.status, 200);
    assert_true(bytes_eq_cstr(buf_bytes(&r.body), "hello"));
    assert_true(bytes_eq_cstr(fetch_header(&r, "x-TEST"), "padded value"));
    assert_null(fetch_header(&r, "absent").ptr);
    assert_false(r.has_spki);
    fetch_reply_done(&r);
}

static void posts_exact_bytes_and_headers(void **state)
{
    struct fixture *f = *state;
    const char *const headers[] = {"x-sent: yes", "content-type: application/json", NULL};
    char url[128];
    struct fetch_request req = request("POST", url, sizeof(url), "http", &f->plain, "/echo");
    struct fetch_reply r;

    req.headers = headers;
    req.body = BYTES_LIT("{\"a\" : 1}");
    assert_int_equal(fetch(&r, &req), TACIT_OK);
    assert_true(bytes_eq_cstr(buf_bytes(&r.body), "POST /echo|yes|{\"a\" : 1}"));
    fetch_reply_done(&r);
}

static void an_http_error_is_a_reply(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct fetch_request req = request("GET", url, sizeof(url), "http", &f->plain, "/status/503");
    struct fetch_reply r;

    assert_int_equal(fetch(&r, &req), TACIT_OK);
    assert_int_equal(r.status, 503);
    fetch_reply_done(&r);
}

static void does_not_follow_a_redirect(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct fetch_request req = request("GET", url, sizeof(url), "http", &f->plain, "/redirect");
    struct fetch_reply r;

    assert_int_equal(fetch(&r, &req), TACIT_OK);
    assert_int_equal(r.status, 302);
    assert_true(bytes_eq_cstr(buf_bytes(&r.body), "elsewhere"));
    fetch_reply_done(&r);
}

static void ignores_a_proxy_in_the_environment(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct fetch_request req = request("GET", url, sizeof(url), "http", &f->plain, "/ok");
    struct fetch_reply r;

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    assert_int_equal(fetch(&r, &req), TACIT_OK);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    fetch_reply_done(&r);
}

static void refuses_a_body_over_the_limit(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct fetch_request req = request("GET", url, sizeof(url), "http", &f->plain, "/big");
    struct fetch_reply r;

    assert_int_equal(fetch(&r, &req), TACIT_LIMIT);
    assert_string_not_equal(r.why, "");
    fetch_reply_done(&r);
}

static bool count_body(struct bytes chunk, unsigned status, void *ctx)
{
    size_t *total = ctx;

    assert_int_equal(status, 200);
    *total += chunk.len;
    return *total < 100 * 1024;
}

static void streams_to_a_callback_that_may_stop_it(void **state)
{
    struct fixture *f = *state;
    char url[128];
    size_t total = 0;
    struct fetch_request req = request("GET", url, sizeof(url), "http", &f->plain, "/big");
    struct fetch_reply r;

    req.on_body = count_body;
    req.ctx = &total;
    assert_int_equal(fetch(&r, &req), TACIT_CLOSED);
    assert_true(total >= 100 * 1024 && total < 1024 * 1024);
    fetch_reply_done(&r);
}

static void gives_up_on_a_stalled_transfer(void **state)
{
    struct fixture *f = *state;
    char url[128];
    uint64_t start_ms = clock_mono_ms();
    struct fetch_request req = request("GET", url, sizeof(url), "http", &f->plain, "/stall");
    struct fetch_reply r;

    req.stall_timeout_ms = 300;
    assert_int_equal(fetch(&r, &req), TACIT_TIMEOUT);
    assert_true(clock_mono_ms() - start_ms < 5000);
    fetch_reply_done(&r);
}

static void gives_up_after_the_total_time(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct fetch_request req = request("GET", url, sizeof(url), "http", &f->plain, "/silent");
    struct fetch_reply r;

    req.total_timeout_ms = 300;
    assert_int_equal(fetch(&r, &req), TACIT_TIMEOUT);
    fetch_reply_done(&r);
}

static void learns_the_key_of_a_peer_it_does_not_know(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct fetch_request req = request("GET", url, sizeof(url), "https", &f->tls, "/ok");
    struct fetch_reply r;

    req.trust = FETCH_TRUST_ANY;
    assert_int_equal(fetch(&r, &req), TACIT_OK);
    assert_true(r.has_spki);
    assert_memory_equal(r.spki, f->spki, 32);
    fetch_reply_done(&r);
}

static void accepts_the_pinned_key_and_no_other(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct fetch_request req = request("GET", url, sizeof(url), "https", &f->tls, "/ok");
    struct fetch_reply r;

    req.trust = FETCH_TRUST_PIN;
    memcpy(req.pin, f->spki, 32);
    assert_int_equal(fetch(&r, &req), TACIT_OK);
    assert_int_equal(r.status, 200);
    fetch_reply_done(&r);
    req.pin[31] ^= 1;
    assert_int_equal(fetch(&r, &req), TACIT_MISMATCH);
    assert_string_not_equal(r.why, "");
    fetch_reply_done(&r);
}

static void refuses_a_certificate_that_no_ca_signed(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct fetch_request req = request("GET", url, sizeof(url), "https", &f->tls, "/ok");
    struct fetch_reply r;

    req.trust = FETCH_TRUST_SYSTEM;
    assert_int_equal(fetch(&r, &req), TACIT_UNTRUSTED);
    fetch_reply_done(&r);
}

static void refuses_tls_1_2_where_keys_are_attested(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct fetch_request req = request("GET", url, sizeof(url), "https", &f->tls12, "/ok");
    struct fetch_reply r;

    req.trust = FETCH_TRUST_ANY;
    assert_int_equal(fetch(&r, &req), TACIT_IO);
    fetch_reply_done(&r);
}

static void speaks_over_a_unix_socket(void **state)
{
    struct fixture *f = *state;
    struct fetch_request req = {.method = "GET",
                                .url = "http://localhost/ok",
                                .unix_path = f->socket_path,
                                .body_limit = 64};
    struct fetch_reply r;

    assert_int_equal(fetch(&r, &req), TACIT_OK);
    assert_true(bytes_eq_cstr(buf_bytes(&r.body), "hello"));
    fetch_reply_done(&r);
}

static void refuses_other_schemes_and_methods(void **state)
{
    struct fetch_request req = {.method = "GET", .url = "file:///etc/passwd", .body_limit = 4096};
    struct fetch_reply r;

    UNUSED(state);
    assert_int_equal(fetch(&r, &req), TACIT_USAGE);
    assert_int_equal(r.body.len, 0);
    fetch_reply_done(&r);
    req.url = "http://127.0.0.1:1/";
    req.method = "DELETE";
    assert_int_equal(fetch(&r, &req), TACIT_USAGE);
    fetch_reply_done(&r);
    req.method = "GET";
    req.url = "not a url";
    assert_int_equal(fetch(&r, &req), TACIT_USAGE);
    fetch_reply_done(&r);
}

static void says_when_nobody_listens(void **state)
{
    struct fetch_request req = {.method = "GET", .url = "http://127.0.0.1:1/", .body_limit = 4096};
    struct fetch_reply r;

    UNUSED(state);
    assert_int_equal(fetch(&r, &req), TACIT_IO);
    assert_string_not_equal(r.why, "");
    fetch_reply_done(&r);
}

static void names_a_key_only_from_a_whole_certificate(void **state)
{
    struct fixture *f = *state;
    struct buf pem = buf_make(8192);
    uint8_t spki[32];

    assert_int_equal(file_read(&pem, f->cert), TACIT_OK);
    for (size_t len = 0; len + 2 < pem.len; len += 7) {
        assert_int_equal(spki_of_cert_pem(spki, bytes_make(pem.ptr, len)), TACIT_FORMAT);
        assert_true(bytes_is_zero(BYTES_ARRAY(spki)));
    }
    buf_done(&pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gets_a_body_and_its_headers),
        cmocka_unit_test(posts_exact_bytes_and_headers),
        cmocka_unit_test(an_http_error_is_a_reply),
        cmocka_unit_test(does_not_follow_a_redirect),
        cmocka_unit_test(ignores_a_proxy_in_the_environment),
        cmocka_unit_test(refuses_a_body_over_the_limit),
        cmocka_unit_test(streams_to_a_callback_that_may_stop_it),
        cmocka_unit_test(gives_up_on_a_stalled_transfer),
        cmocka_unit_test(gives_up_after_the_total_time),
        cmocka_unit_test(learns_the_key_of_a_peer_it_does_not_know),
        cmocka_unit_test(accepts_the_pinned_key_and_no_other),
        cmocka_unit_test(refuses_a_certificate_that_no_ca_signed),
        cmocka_unit_test(refuses_tls_1_2_where_keys_are_attested),
        cmocka_unit_test(speaks_over_a_unix_socket),
        cmocka_unit_test(refuses_other_schemes_and_methods),
        cmocka_unit_test(says_when_nobody_listens),
        cmocka_unit_test(names_a_key_only_from_a_whole_certificate),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
