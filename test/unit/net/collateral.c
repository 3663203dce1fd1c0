/* Claims about the collateral source, against a PCS played on a socket with Intel's real replies of
 * one day and a clock that the test turns. */
#include "cmocka_all.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attest/collateral_check.h"
#include "net/collateral.h"
#include "unit/attest/capture.h"

enum document { TCB, QE, PCK_CRL, ROOT_CRL, DOCUMENTS };

struct pcs_fake {
    int fd;
    pthread_t thread;
    char url[64];
    struct buf files[DOCUMENTS];
    struct buf meta;
    struct jval root;
    pthread_mutex_t lock;
    unsigned hits[DOCUMENTS];
    unsigned status;      /* instead of 200 */
    unsigned retry_after; /* with it */
    unsigned delay_ms;
    int broken; /* document of which a bit is flipped, or -1 */
    bool is_root_crl_hex;
    char last_target[256];
};

static int64_t fake_now;

static int64_t fake_clock(void)
{
    return fake_now;
}

static const struct {
    const char *in_target, *file, *header;
} documents[DOCUMENTS] = {
    [TCB] = {"/tdx/certification/v4/tcb", "intel-tcb-info-a.json", "Tcb-Info-Issuer-Chain"},
    [QE] = {"/qe/identity", "intel-qe-identity-a.json", "Sgx-Enclave-Identity-Issuer-Chain"},
    [PCK_CRL] = {"/pckcrl", "intel-pck-crl-a.der", "Sgx-Pck-Crl-Issuer-Chain"},
    [ROOT_CRL] = {"/rootcacrl", "intel-root-ca-crl-a.der", NULL},
};

static void header_put(struct buf *out, struct pcs_fake *f, int which)
{
    struct jval value;
    struct bytes text;

    if (documents[which].header == NULL)
        return;
    value = jscan_item(
        jscan_member(jscan_member(jscan_member(f->root, documents[which].file), "headers"),
                     documents[which].header),
        0);
    assert_true(jscan_str_view(&text, value));
    buf_putf(out, "%s: ", documents[which].header);
    buf_put(out, text);
    buf_puts(out, "\r\n");
}

static void document_send(int fd, struct pcs_fake *f, int which)
{
    struct buf out = buf_make(1 << 20);
    struct buf body = buf_make(1 << 20);

    if (which == ROOT_CRL && f->is_root_crl_hex)
        buf_hex(&body, buf_bytes(&f->files[which]));
    else
        buf_put(&body, buf_bytes(&f->files[which]));
    if (f->broken == which)
        body.ptr[body.len - 10] ^= 1;
    buf_puts(&out, "HTTP/1.1 200 OK\r\nconnection: close\r\n");
    header_put(&out, f, which);
    buf_putf(&out, "content-length: %zu\r\n\r\n", body.len);
    buf_put(&out, buf_bytes(&body));
    assert_int_equal(send(fd, out.ptr, out.len, MSG_NOSIGNAL), out.len);
    buf_done(&out);
    buf_done(&body);
}

static void serve(int fd, struct pcs_fake *f)
{
    char head[4096];
    char out[256];
    ssize_t n = recv(fd, head, sizeof(head) - 1, 0);
    int which = -1;

    if (n <= 0)
        return;
    head[n] = 0;
    for (int i = 0; i < DOCUMENTS; i++)
        if (strstr(head, documents[i].in_target) != NULL)
            which = i;
    assert_true(which >= 0);
    usleep(f->delay_ms * 1000);
    pthread_mutex_lock(&f->lock);
    f->hits[which]++;
    if (which == TCB)
        snprintf(f->last_target, sizeof(f->last_target), "%.*s", (int)strcspn(head + 4, " "),
                 head + 4);
    if (f->status == 200) {
        document_send(fd, f, which);
    } else {
        n = snprintf(out, sizeof(out),
                     "HTTP/1.1 %u X\r\nretry-after: %u\r\ncontent-length: 0\r\nconnection: "
                     "close\r\n\r\n",
                     f->status, f->retry_after);
        send(fd, out, (size_t)n, MSG_NOSIGNAL);
    }
    pthread_mutex_unlock(&f->lock);
}

static void *fake_main(void *ctx)
{
    struct pcs_fake *f = ctx;

    for (;;) {
        int fd = accept(f->fd, NULL, NULL);

        if (fd < 0)
            return NULL;
        serve(fd, f);
        close(fd);
    }
}

static bool fake_start(struct pcs_fake *f)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(addr);

    *f = (struct pcs_fake){.status = 200, .broken = -1, .meta = buf_make(CAPTURE_FILE_MAX)};
    pthread_mutex_init(&f->lock, NULL);
    if (!capture_file(&f->meta, "gateway-20260629", "capture-meta.json")) {
        print_message("skipped: no shared vectors at " TEST_VECTORS_DIR "\n");
        return false;
    }
    assert_ok(jscan_object(&f->root, buf_bytes(&f->meta)));
    for (int i = 0; i < DOCUMENTS; i++) {
        f->files[i] = buf_make(1 << 20);
        assert_true(capture_file(&f->files[i], "gateway-20260629", documents[i].file));
    }
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->fd, (const struct sockaddr *)&addr, len), 0);
    assert_int_equal(listen(f->fd, 16), 0);
    assert_int_equal(getsockname(f->fd, (struct sockaddr *)&addr, &len), 0);
    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u", ntohs(addr.sin_port));
    assert_int_equal(pthread_create(&f->thread, NULL, fake_main, f), 0);
    fake_now = capture_now;
    return true;
}

static void fake_stop(struct pcs_fake *f)
{
    shutdown(f->fd, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->fd);
    for (int i = 0; i < DOCUMENTS; i++)
        buf_done(&f->files[i]);
    buf_done(&f->meta);
}

static const struct tacit_collateral_need need = {{0x90, 0xc0, 0x6f}, true, true};

static struct collateral_source *source_make(struct pcs_fake *f, const char *dir, bool is_offline)
{
    struct collateral_source_opts opts = {.pcs = {.base_url = f->url, .timeout_ms = 5000},
                                          .cache_dir = dir,
                                          .is_offline = is_offline,
                                          .now_unix_s = fake_clock};
    struct collateral_source *s = NULL;

    assert_ok(collateral_source_new(&s, &opts));
    return s;
}

static enum tacit_err get(struct collateral_source *s, char *why)
{
    struct buf json = buf_make(1 << 20);
    char own[PCS_WHY_LEN];
    enum tacit_err err = collateral_source_get(s, &json, &need, why == NULL ? own : why);

    assert_int_equal(err == TACIT_OK, json.len > 0);
    buf_done(&json);
    return err;
}

static void fetches_once_and_serves_what_verifies(void **state)
{
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct buf json = buf_make(1 << 20);
    struct collateral_facts facts;
    struct collateral_source *s;
    struct pcs_fake f;
    char why[PCS_WHY_LEN];

    UNUSED(state);
    if (!fake_start(&f)) {
        free(v);
        skip();
    }
    s = source_make(&f, NULL, false);
    assert_ok(collateral_source_get(s, &json, &need, why));
    assert_ok(
        collateral_check(v, &facts, buf_bytes(&json), (struct bytes){NULL, 0}, &need, capture_now));
    assert_true(tacit_verdict_is_trusted(v));
    assert_true(facts.until_unix_s > capture_now && facts.from_unix_s <= capture_now);
    assert_string_equal(f.last_target, "/tdx/certification/v4/tcb?fmspc=90c06f000000");
    assert_ok(get(s, NULL));
    assert_int_equal(f.hits[TCB], 1);
    assert_int_equal(f.hits[ROOT_CRL], 1);
    buf_done(&json);
    free(v);
    collateral_source_free(s);
    fake_stop(&f);
}

static void a_pccs_root_crl_in_hex_is_understood(void **state)
{
    struct collateral_source *s;
    struct pcs_fake f;

    UNUSED(state);
    if (!fake_start(&f))
        skip();
    f.is_root_crl_hex = true;
    s = source_make(&f, NULL, false);
    assert_ok(get(s, NULL));
    collateral_source_free(s);
    fake_stop(&f);
}

static void what_does_not_verify_is_neither_given_nor_kept(void **state)
{
    static const char *const names[DOCUMENTS] = {"tcb_info", "qe_identity", "pck_crl", "root_crl"};
    char dir[] = "/tmp/tacit-collateral-XXXXXX";
    struct collateral_source *s;
    struct pcs_fake f;
    char why[PCS_WHY_LEN];

    UNUSED(state);
    if (!fake_start(&f))
        skip();
    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < DOCUMENTS; i++) {
        f.broken = i;
        s = source_make(&f, dir, false);
        assert_int_not_equal(get(s, why), TACIT_OK);
        assert_non_null(strstr(why, "90c06f000000"));
        assert_non_null(strstr(why, names[i]));
        collateral_source_free(s);
    }
    assert_int_equal(rmdir(dir), 0);
    fake_stop(&f);
}

static void the_disk_serves_the_next_process(void **state)
{
    char dir[] = "/tmp/tacit-collateral-XXXXXX";
    char path[128];
    struct collateral_source *s;
    struct pcs_fake f;
    struct buf file = buf_make(1 << 20);

    UNUSED(state);
    if (!fake_start(&f))
        skip();
    assert_non_null(mkdtemp(dir));
    s = source_make(&f, dir, false);
    assert_ok(get(s, NULL));
    collateral_source_free(s);
    s = source_make(&f, dir, true);
    assert_ok(get(s, NULL));
    assert_int_equal(f.hits[TCB], 1);
    collateral_source_free(s);
    /* a changed file is not believed */
    snprintf(path, sizeof(path), "%s/tdx-90c06f000000-platform-standard.json", dir);
    assert_ok(file_read(&file, path));
    file.ptr[file.len - 100] ^= 1;
    assert_ok(file_write(path, buf_bytes(&file), 0600));
    s = source_make(&f, dir, true);
    assert_err(get(s, NULL), TACIT_NOT_FOUND);
    collateral_source_free(s);
    unlink(path);
    rmdir(dir);
    buf_done(&file);
    fake_stop(&f);
}

static void a_failed_refresh_keeps_the_old_until_its_end(void **state)
{
    struct collateral_source *s;
    struct pcs_fake f;
    char why[PCS_WHY_LEN];

    UNUSED(state);
    if (!fake_start(&f))
        skip();
    s = source_make(&f, NULL, false);
    assert_ok(get(s, NULL));
    f.status = 500;
    fake_now += 20 * 24 * 3600; /* past half of its life */
    assert_ok(get(s, NULL));
    assert_int_equal(f.hits[PCK_CRL], 2);
    assert_ok(get(s, NULL));
    assert_int_equal(f.hits[PCK_CRL], 2); /* not again within a minute */
    fake_now += 61;
    assert_ok(get(s, NULL));
    assert_int_equal(f.hits[PCK_CRL], 3);
    fake_now += 20 * 24 * 3600; /* past its end */
    assert_err(get(s, why), TACIT_IO);
    assert_non_null(strstr(why, "PCK CRL of platform 90c06f000000 (TDX)"));
    assert_non_null(strstr(why, "status 500"));
    collateral_source_free(s);
    fake_stop(&f);
}

static void retry_after_is_obeyed(void **state)
{
    struct collateral_source *s;
    struct pcs_fake f;

    UNUSED(state);
    if (!fake_start(&f))
        skip();
    f.status = 429;
    f.retry_after = 600;
    s = source_make(&f, NULL, false);
    assert_err(get(s, NULL), TACIT_BUSY);
    f.status = 200;
    fake_now += 599;
    assert_err(get(s, NULL), TACIT_BUSY);
    assert_int_equal(f.hits[PCK_CRL], 1);
    fake_now += 2;
    assert_ok(get(s, NULL));
    collateral_source_free(s);
    fake_stop(&f);
}

static void an_unknown_platform_is_not_found(void **state)
{
    struct collateral_source *s;
    struct pcs_fake f;

    UNUSED(state);
    if (!fake_start(&f))
        skip();
    f.status = 404;
    s = source_make(&f, NULL, false);
    assert_err(get(s, NULL), TACIT_NOT_FOUND);
    collateral_source_free(s);
    fake_stop(&f);
}

static void *getter(void *ctx)
{
    return get(ctx, NULL) == TACIT_OK ? ctx : NULL;
}

static void many_that_ask_at_once_cost_one_fetch(void **state)
{
    pthread_t threads[8];
    struct collateral_source *s;
    struct pcs_fake f;

    UNUSED(state);
    if (!fake_start(&f))
        skip();
    f.delay_ms = 20;
    s = source_make(&f, NULL, false);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, getter, s), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *result;

        pthread_join(threads[i], &result);
        assert_ptr_equal(result, s);
    }
    assert_int_equal(f.hits[TCB], 1);
    collateral_source_free(s);
    fake_stop(&f);
}

static void chains_and_lists_are_decoded_strictly(void **state)
{
    struct buf out = buf_make(1024);

    UNUSED(state);
    assert_ok(pcs_chain_decode(&out, BYTES_LIT("a%20b%0A")));
    assert_string_equal(buf_cstr(&out), "a b\n");
    assert_err(pcs_chain_decode(&out, BYTES_LIT("a%2")), TACIT_FORMAT);
    assert_err(pcs_chain_decode(&out, BYTES_LIT("%00")), TACIT_FORMAT);
    assert_err(pcs_chain_decode(&out, BYTES_LIT("")), TACIT_FORMAT);
    buf_reset(&out);
    assert_ok(pcs_crl_decode(&out, BYTES_LIT("3003020101\n")));
    assert_int_equal(out.len, 5);
    buf_reset(&out);
    assert_ok(pcs_crl_decode(
        &out, BYTES_LIT("-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----\n")));
    assert_int_equal(out.len, 5);
    assert_err(pcs_crl_decode(&out, BYTES_LIT("-----BEGIN X509 CRL-----\nMAMCAQE=\n")),
               TACIT_FORMAT);
    assert_err(pcs_crl_decode(&out, BYTES_LIT("<html>")), TACIT_FORMAT);
    assert_err(pcs_crl_decode(&out, BYTES_LIT("")), TACIT_FORMAT);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetches_once_and_serves_what_verifies),
        cmocka_unit_test(a_pccs_root_crl_in_hex_is_understood),
        cmocka_unit_test(what_does_not_verify_is_neither_given_nor_kept),
        cmocka_unit_test(the_disk_serves_the_next_process),
        cmocka_unit_test(a_failed_refresh_keeps_the_old_until_its_end),
        cmocka_unit_test(retry_after_is_obeyed),
        cmocka_unit_test(an_unknown_platform_is_not_found),
        cmocka_unit_test(many_that_ask_at_once_cost_one_fetch),
        cmocka_unit_test(chains_and_lists_are_decoded_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
