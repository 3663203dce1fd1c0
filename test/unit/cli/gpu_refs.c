/* Claims about collecting references for GPU evidence, against NVIDIA's services as the simulator
 * plays them, on a socket, with a clock that the test turns and faults of the way in between. Here
 * and not beside net/, because the services are in cli/. */
#include "cmocka_all.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attest/verdict.h"
#include "cli/sim_cli.h"
#include "net/gpu_refs.h"

enum { START = 1767225600, DOC_MAX = 1024 * 1024, DAY = 24 * 3600 };

static const uint8_t seed[SIM_SEED_LEN] = {3, 1, 4};
static const uint8_t nonce[32] = {0x5b, 1, 2, 3};

/* What the way does to answers whose path or body has `hits`. */
enum mischief { HONEST, STATUS, OTHER_BODY, REPLACE };

static struct {
    pthread_mutex_t lock;
    int64_t now;
    enum mischief mischief;
    const char *on;        /* part of the path it strikes; NULL: all */
    unsigned status;       /* STATUS */
    unsigned retry_after;  /* with it, if not 0 */
    const char *from, *to; /* REPLACE in the body, same length; OTHER_BODY: to */
    unsigned delay_ms;
    unsigned rims, ocsps, jwks, nras; /* requests seen */
    struct sim *sim;
    struct sim_gpu *g; /* the machine of the scene */
    int fd;
    pthread_t thread;
    char url[64];
} way = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t way_now(void)
{
    int64_t now;

    pthread_mutex_lock(&way.lock);
    now = way.now;
    pthread_mutex_unlock(&way.lock);
    return now;
}

static void count_path(struct bytes path)
{
    way.rims += bytes_starts_with(path, BYTES_LIT("/v1/rim/")) ? 1 : 0;
    way.ocsps += bytes_eq_cstr(path, "/") ? 1 : 0;
    way.jwks += bytes_starts_with(path, BYTES_LIT("/.well-known/")) ? 1 : 0;
    way.nras += bytes_starts_with(path, BYTES_LIT("/v3/")) ? 1 : 0;
}

static void answer_make(struct sim_answer *answer, const struct sim_ask *ask)
{
    bool strikes = way.mischief != HONEST &&
                   (way.on == NULL || bytes_find(ask->path, bytes_of(way.on)) != SIZE_MAX);
    size_t at;

    if (!sim_nvidia_service(answer, ask, way.g))
        answer->status = 404;
    if (!strikes)
        return;
    if (way.mischief == STATUS)
        answer->status = way.status;
    if (way.mischief == OTHER_BODY) {
        buf_reset(&answer->body);
        buf_puts(&answer->body, way.to);
    }
    if (way.mischief == REPLACE) {
        at = bytes_find(buf_bytes(&answer->body), bytes_of(way.from));
        assert_true(at != SIZE_MAX);
        memcpy(answer->body.ptr + at, way.to, strlen(way.to));
    }
}

/* A whole request: head, and as much body as content-length says. */
static bool request_read(struct buf *in, struct sim_ask *ask, int fd)
{
    static const char length[] = "content-length: ";
    size_t end = SIZE_MAX;
    uint64_t body_len = 0;

    for (;;) {
        uint8_t *room = buf_reserve(in, 65536);
        ssize_t n = room == NULL ? 0 : recv(fd, room, 65536, 0);

        if (n <= 0)
            return false;
        buf_commit(in, (size_t)n);
        end = bytes_find(buf_bytes(in), BYTES_LIT("\r\n\r\n"));
        if (end == SIZE_MAX)
            continue;
        for (size_t i = 0; i < end; i++) {
            struct bytes line = bytes_slice(buf_bytes(in), i, sizeof(length) - 1);

            if (bytes_eq_nocase(line, bytes_of(length)))
                body_len = strtoull((const char *)in->ptr + i + sizeof(length) - 1, NULL, 10);
        }
        if (in->len >= end + 4 + body_len)
            break;
    }
    ask->method = bytes_slice(buf_bytes(in), 0, bytes_find_byte(buf_bytes(in), ' '));
    ask->path = bytes_slice(buf_bytes(in), ask->method.len + 1, SIZE_MAX);
    ask->path = bytes_slice(ask->path, 0, bytes_find_byte(ask->path, ' '));
    ask->body = bytes_slice(buf_bytes(in), end + 4, SIZE_MAX);
    return true;
}

static void serve(int fd)
{
    struct sim_answer answer = {
        .status = 404, .header_value = buf_make(1024), .body = buf_make(DOC_MAX)};
    struct buf in = buf_make(DOC_MAX), out = buf_make(2 * DOC_MAX);
    struct sim_ask ask = {0};
    unsigned delay_ms;

    if (request_read(&in, &ask, fd)) {
        pthread_mutex_lock(&way.lock);
        ask.now_unix_s = way.now;
        count_path(ask.path);
        answer_make(&answer, &ask);
        delay_ms = way.delay_ms;
        buf_putf(&out, "HTTP/1.1 %u X\r\nconnection: close\r\ncontent-length: %zu\r\n",
                 answer.status, answer.body.len);
        if (way.retry_after != 0)
            buf_putf(&out, "retry-after: %u\r\n", way.retry_after);
        pthread_mutex_unlock(&way.lock);
        buf_puts(&out, "\r\n");
        buf_put(&out, buf_bytes(&answer.body));
        usleep(delay_ms * 1000);
        for (size_t sent = 0; sent < out.len;) {
            ssize_t n = send(fd, out.ptr + sent, out.len - sent, MSG_NOSIGNAL);

            if (n <= 0)
                break;
            sent += (size_t)n;
        }
    }
    buf_done(&in);
    buf_done(&out);
    buf_done(&answer.body);
    buf_done(&answer.header_value);
}

static void *way_main(void *ctx)
{
    UNUSED(ctx);
    for (;;) {
        int fd = accept(way.fd, NULL, NULL);

        if (fd < 0)
            return NULL;
        serve(fd);
        close(fd);
    }
}

static int way_open(void **state)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(addr);

    UNUSED(state);
    if (sim_open_seed(&way.sim, seed) != TACIT_OK)
        return -1;
    way.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(way.fd, (const struct sockaddr *)&addr, len) != 0 || listen(way.fd, 16) != 0 ||
        getsockname(way.fd, (struct sockaddr *)&addr, &len) != 0)
        return -1;
    snprintf(way.url, sizeof(way.url), "http://127.0.0.1:%u", ntohs(addr.sin_port));
    return pthread_create(&way.thread, NULL, way_main, NULL);
}

static int way_close(void **state)
{
    UNUSED(state);
    shutdown(way.fd, SHUT_RDWR);
    pthread_join(way.thread, NULL);
    close(way.fd);
    sim_gpu_free(way.g);
    sim_free(way.sim);
    return 0;
}

static void way_reset(void)
{
    pthread_mutex_lock(&way.lock);
    way.now = START;
    way.mischief = HONEST;
    way.on = way.from = way.to = NULL;
    way.status = way.retry_after = way.delay_ms = 0;
    way.rims = way.ocsps = way.jwks = way.nras = 0;
    pthread_mutex_unlock(&way.lock);
}

static void way_spoil(enum mischief mischief, const char *on)
{
    pthread_mutex_lock(&way.lock);
    way.mischief = mischief;
    way.on = on;
    pthread_mutex_unlock(&way.lock);
}

static void clock_turn(int64_t seconds)
{
    pthread_mutex_lock(&way.lock);
    way.now += seconds;
    pthread_mutex_unlock(&way.lock);
}

static void way_set(unsigned *member, unsigned value)
{
    pthread_mutex_lock(&way.lock);
    *member = value;
    pthread_mutex_unlock(&way.lock);
}

static void way_text(const char **member, const char *text)
{
    pthread_mutex_lock(&way.lock);
    *member = text;
    pthread_mutex_unlock(&way.lock);
}

static unsigned seen(const unsigned *counter)
{
    unsigned n;

    pthread_mutex_lock(&way.lock);
    n = *counter;
    pthread_mutex_unlock(&way.lock);
    return n;
}

/* Evidence and roots of a machine, and refs that ask the services about it. */
struct scene {
    struct buf payload, device_root, rim_root, nras_root;
    struct gpu_refs_opts opts;
    struct gpu_refs *refs;
    struct gpu_refs_set set;
};

static void scene_refs(struct scene *s)
{
    gpu_refs_free(s->refs);
    assert_ok(gpu_refs_new(&s->refs, &s->opts));
}

static void scene_make(struct scene *s, unsigned count)
{
    way_reset();
    *s = (struct scene){.payload = buf_make(DOC_MAX),
                        .device_root = buf_make(DOC_MAX),
                        .rim_root = buf_make(DOC_MAX),
                        .nras_root = buf_make(DOC_MAX)};
    pthread_mutex_lock(&way.lock);
    sim_gpu_free(way.g);
    assert_ok(sim_gpu_open(&way.g, way.sim, count, START));
    assert_ok(sim_gpu_payload(way.g, &s->payload, nonce));
    assert_ok(sim_gpu_root(way.g, &s->device_root, SIM_GPU_ROOT_DEVICE));
    assert_ok(sim_gpu_root(way.g, &s->rim_root, SIM_GPU_ROOT_RIM));
    assert_ok(sim_gpu_root(way.g, &s->nras_root, SIM_GPU_ROOT_NRAS));
    pthread_mutex_unlock(&way.lock);
    s->opts = (struct gpu_refs_opts){.rim_url = way.url,
                                     .ocsp_url = way.url,
                                     .device_root = buf_bytes(&s->device_root),
                                     .rim_root = buf_bytes(&s->rim_root),
                                     .nras_root = buf_bytes(&s->nras_root),
                                     .nras_issuer = SIM_GPU_ISSUER,
                                     .now_unix_s = way_now};
    scene_refs(s);
}

static void scene_done(struct scene *s)
{
    gpu_refs_set_done(&s->set);
    gpu_refs_free(s->refs);
    buf_done(&s->payload);
    buf_done(&s->device_root);
    buf_done(&s->rim_root);
    buf_done(&s->nras_root);
}

static enum tacit_err collect(struct scene *s)
{
    struct gpu_refs_need need = {.evidence = buf_bytes(&s->payload)};

    gpu_refs_set_done(&s->set);
    return gpu_refs_collect(s->refs, &s->set, &need);
}

/* Whether the evidence is trusted with what was collected, revocation demanded. */
static bool is_trusted(struct scene *s, bool wants_nras)
{
    struct tacit_verdict *v = calloc(1, sizeof(*v));
    struct tacit_gpu_policy policy = {.is_ocsp_required = true, .is_nras_required = wants_nras};
    struct tacit_gpu_opts opts = {.now_unix_s = way_now(),
                                  .device_root = buf_bytes(&s->device_root),
                                  .rim_root = buf_bytes(&s->rim_root),
                                  .policy = &policy};
    bool is;

    memcpy(opts.nonce, nonce, sizeof(nonce));
    gpu_refs_apply(&s->set, &opts);
    assert_ok(tacit_gpu_verify(v, NULL, buf_bytes(&s->payload), &opts));
    is = tacit_verdict_is_trusted(v);
    assert_true(v->is_simulated);
    free(v);
    return is;
}

static void what_is_collected_makes_evidence_trusted(void **state)
{
    struct scene s;

    UNUSED(state);
    scene_make(&s, 1);
    assert_ok(collect(&s));
    assert_string_equal(s.set.why, "");
    assert_int_equal(s.set.rim_count, 2);
    assert_true(s.set.ocsp_count >= 6);
    assert_true(is_trusted(&s, false));
    scene_done(&s);
}

static void eight_devices_share_what_they_have_in_common(void **state)
{
    struct scene s;
    size_t for_one;

    UNUSED(state);
    scene_make(&s, 1);
    assert_ok(collect(&s));
    for_one = s.set.ocsp_count;
    scene_done(&s);
    scene_make(&s, 8);
    assert_ok(collect(&s));
    assert_int_equal(s.set.rim_count, 2);
    assert_int_equal(s.set.ocsp_count, for_one + 7);
    assert_int_equal(seen(&way.rims), 2);
    assert_int_equal(seen(&way.ocsps), s.set.ocsp_count);
    assert_true(is_trusted(&s, false));
    scene_done(&s);
}

static void a_second_collection_asks_nobody(void **state)
{
    struct scene s;
    unsigned rims, ocsps;

    UNUSED(state);
    scene_make(&s, 1);
    assert_ok(collect(&s));
    rims = seen(&way.rims), ocsps = seen(&way.ocsps);
    clock_turn(3600);
    assert_ok(collect(&s));
    assert_int_equal(seen(&way.rims), rims);
    assert_int_equal(seen(&way.ocsps), ocsps);
    assert_true(is_trusted(&s, false));
    scene_done(&s);
}

static void tells_no_such_manifest_from_no_answer(void **state)
{
    struct scene s;

    UNUSED(state);
    scene_make(&s, 1);
    way_spoil(STATUS, "NV_GPU_VBIOS");
    way_set(&way.status, 404);
    assert_err(collect(&s), TACIT_NOT_FOUND);
    assert_non_null(strstr(s.set.why, "manifest NV_GPU_VBIOS"));
    assert_non_null(strstr(s.set.why, "404"));
    assert_int_equal(s.set.rim_count, 1);
    assert_false(is_trusted(&s, false));
    scene_done(&s);

    scene_make(&s, 1);
    way_spoil(STATUS, "/v1/rim/");
    way_set(&way.status, 500);
    assert_err(collect(&s), TACIT_IO);
    assert_non_null(strstr(s.set.why, "500"));
    scene_done(&s);

    scene_make(&s, 1);
    s.opts.rim_url = "http://127.0.0.1:1";
    scene_refs(&s);
    assert_err(collect(&s), TACIT_IO);
    assert_non_null(strstr(s.set.why, "manifest NV_GPU_DRIVER"));
    scene_done(&s);
}

static void obeys_a_busy_service(void **state)
{
    struct scene s;
    unsigned rims;

    UNUSED(state);
    scene_make(&s, 1);
    way_spoil(STATUS, "/v1/rim/");
    way_set(&way.status, 503);
    way_set(&way.retry_after, 600);
    assert_err(collect(&s), TACIT_BUSY);
    rims = seen(&way.rims);
    way_spoil(HONEST, NULL);
    way_set(&way.retry_after, 0);
    clock_turn(599);
    assert_err(collect(&s), TACIT_BUSY);
    assert_int_equal(seen(&way.rims), rims);
    clock_turn(1);
    assert_ok(collect(&s));
    scene_done(&s);
}

static void takes_no_manifest_under_a_wrong_name_or_digest_or_form(void **state)
{
    static const struct {
        const char *from, *to, *named;
        enum tacit_err err;
    } cases[] = {
        {"\"id\":\"NV_GPU", "\"id\":\"NV_XPU", "another manifest", TACIT_MISMATCH},
        {"\"sha256\":\"", "\"sha256\":\"zz", "sha256", TACIT_MISMATCH},
        {"\"rim_format\":\"TCG\"", "\"rim_format\":\"XCG\"", "rim_format", TACIT_FORMAT},
        {"\"rim\":\"PFNv", "\"rim\":\"?!Nv", "base64", TACIT_FORMAT},
        {"\"rim\":\"PFNv", "\"rim\":\"PFNw", "sha256", TACIT_MISMATCH},
        {"{\"id\"", "[\"id\"", "JSON", TACIT_FORMAT},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s;

        scene_make(&s, 1);
        way_text(&way.from, cases[i].from);
        way_text(&way.to, cases[i].to);
        way_spoil(REPLACE, "NV_GPU_DRIVER");
        assert_err(collect(&s), cases[i].err);
        assert_non_null(strstr(s.set.why, cases[i].named));
        assert_int_equal(s.set.rim_count, 1);
        scene_done(&s);
    }
}

static void takes_no_manifest_of_another_root(void **state)
{
    struct scene s;

    UNUSED(state);
    scene_make(&s, 1);
    s.opts.rim_root = buf_bytes(&s.device_root);
    scene_refs(&s);
    assert_err(collect(&s), TACIT_UNTRUSTED);
    assert_int_equal(s.set.rim_count, 0);
    scene_done(&s);
}

static void evidence_of_strangers_makes_no_requests(void **state)
{
    struct scene s;

    UNUSED(state);
    scene_make(&s, 1);
    s.opts.device_root = buf_bytes(&s.rim_root);
    s.opts.nras_url = way.url;
    scene_refs(&s);
    assert_ok(collect(&s));
    assert_int_equal(s.set.rim_count + s.set.ocsp_count, 0);
    assert_int_equal(seen(&way.rims) + seen(&way.ocsps) + seen(&way.nras) + seen(&way.jwks), 0);
    scene_done(&s);
}

static void takes_no_page_for_an_ocsp_answer(void **state)
{
    static const char *const pages[] = {"", "<html>please log in</html>"};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        struct scene s;

        scene_make(&s, 1);
        way_text(&way.to, pages[i]);
        way_spoil(OTHER_BODY, NULL);
        s.opts.rim_url = NULL;
        scene_refs(&s);
        assert_err(collect(&s), TACIT_FORMAT);
        assert_int_equal(s.set.ocsp_count, 0);
        assert_false(is_trusted(&s, false));
        scene_done(&s);
    }
}

/* One fault of the responder each; what it says wrongly is not kept, a revocation is. */
static void keeps_revocations_and_refuses_answers_that_do_not_hold(void **state)
{
    static const struct {
        const char *fault;
        enum tacit_err err;
    } cases[] = {
        {"gpu-ocsp-stale", TACIT_EXPIRED},       {"gpu-ocsp-nonce", TACIT_MISMATCH},
        {"gpu-ocsp-no-nonce", TACIT_MISMATCH},   {"gpu-ocsp-future", TACIT_EXPIRED},
        {"gpu-ocsp-other-cert", TACIT_MISMATCH}, {"gpu-ocsp-revoked", TACIT_OK},
        {"gpu-ocsp-unknown", TACIT_OK},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s;

        scene_make(&s, 1);
        pthread_mutex_lock(&way.lock);
        assert_ok(sim_gpu_set_fault(way.g, cases[i].fault));
        pthread_mutex_unlock(&way.lock);
        assert_err(collect(&s), cases[i].err);
        assert_false(is_trusted(&s, false));
        scene_done(&s);
    }
}

static void stale_answers_serve_while_new_ones_come_but_not_past_their_end(void **state)
{
    struct scene s;

    UNUSED(state);
    scene_make(&s, 1);
    assert_ok(collect(&s));
    way_spoil(STATUS, NULL);
    way_set(&way.status, 500);
    clock_turn(DAY - 3601); /* answers were made an hour ago, for a day */
    assert_ok(collect(&s));
    assert_true(is_trusted(&s, false));
    clock_turn(3700);
    assert_err(collect(&s), TACIT_IO);
    assert_int_equal(s.set.ocsp_count, 0);
    assert_int_equal(s.set.rim_count, 2); /* these live longer */
    assert_false(is_trusted(&s, false));
    clock_turn(GPU_REFS_RIM_LIFE_S);
    assert_err(collect(&s), TACIT_IO);
    assert_int_equal(s.set.rim_count, 0);
    scene_done(&s);
}

static void the_disk_serves_offline(void **state)
{
    char dir[] = "/tmp/tacit-refs-XXXXXX";
    struct scene s;
    unsigned asked;

    UNUSED(state);
    assert_non_null(mkdtemp(dir));
    scene_make(&s, 1);
    s.opts.cache_dir = dir;
    scene_refs(&s);
    assert_ok(collect(&s));
    asked = seen(&way.rims) + seen(&way.ocsps);
    s.opts.is_offline = true;
    scene_refs(&s);
    assert_ok(collect(&s));
    assert_true(is_trusted(&s, false));
    assert_int_equal(seen(&way.rims) + seen(&way.ocsps), asked);
    clock_turn(2 * DAY);
    assert_err(collect(&s), TACIT_NOT_FOUND);
    s.opts.is_offline = false;
    s.opts.cache_dir = NULL;
    scene_done(&s);
    if (fork() == 0) {
        execlp("rm", "rm", "-r", dir, (char *)NULL);
        _exit(127);
    }
}

static void the_attestation_service_is_asked_and_its_keys_are_kept(void **state)
{
    struct scene s;

    UNUSED(state);
    scene_make(&s, 2);
    s.opts.nras_url = way.url;
    scene_refs(&s);
    assert_ok(collect(&s));
    assert_true(s.set.has_nras);
    assert_true(is_trusted(&s, true));
    assert_ok(collect(&s));
    assert_int_equal(seen(&way.nras), 2);
    assert_int_equal(seen(&way.jwks), 1);
    scene_done(&s);
}

static void keys_are_fetched_again_once_for_an_unknown_one(void **state)
{
    struct scene s;

    UNUSED(state);
    scene_make(&s, 1);
    s.opts.nras_url = way.url;
    scene_refs(&s);
    way_text(&way.from, "\"kid\":\"");
    way_text(&way.to, "\"kid\":\"zzzz");
    way_spoil(REPLACE, "jwks.json");
    assert_ok(collect(&s)); /* all keys renamed: unknown, and asked a moment ago */
    assert_int_equal(seen(&way.jwks), 1);
    assert_false(is_trusted(&s, true));
    clock_turn(KEEP_PAUSE_S);
    way_spoil(HONEST, NULL);
    assert_ok(collect(&s));
    assert_int_equal(seen(&way.jwks), 2);
    assert_true(is_trusted(&s, true));
    scene_done(&s);
}

struct caller {
    struct scene *s;
    enum tacit_err err;
};

static void *call(void *ctx)
{
    struct caller *c = ctx;
    struct gpu_refs_need need = {.evidence = buf_bytes(&c->s->payload)};
    struct gpu_refs_set *set = calloc(1, sizeof(*set));

    c->err = set == NULL ? TACIT_NOMEM : gpu_refs_collect(c->s->refs, set, &need);
    if (set != NULL)
        gpu_refs_set_done(set);
    free(set);
    return NULL;
}

static void concurrent_collections_share_fetches(void **state)
{
    struct scene s;
    struct caller callers[6];
    pthread_t threads[6];

    UNUSED(state);
    scene_make(&s, 1);
    way_set(&way.delay_ms, 20);
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        callers[i] = (struct caller){&s, TACIT_IO};
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        pthread_join(threads[i], NULL);
        assert_ok(callers[i].err);
    }
    assert_int_equal(seen(&way.rims), 2);
    assert_ok(collect(&s));
    assert_int_equal(seen(&way.ocsps), s.set.ocsp_count);
    scene_done(&s);
}

static void a_collection_ends_at_its_deadline(void **state)
{
    struct scene s;

    UNUSED(state);
    scene_make(&s, 1);
    way_set(&way.delay_ms, 150);
    s.opts.deadline_ms = 200;
    scene_refs(&s);
    assert_err(collect(&s), TACIT_TIMEOUT);
    scene_done(&s);
}

static void a_root_that_is_no_certificate_is_refused(void **state)
{
    struct gpu_refs_opts opts = {.device_root = BYTES_LIT("no")};
    struct gpu_refs *refs;

    UNUSED(state);
    assert_err(gpu_refs_new(&refs, &opts), TACIT_USAGE);
    assert_null(refs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_collected_makes_evidence_trusted),
        cmocka_unit_test(eight_devices_share_what_they_have_in_common),
        cmocka_unit_test(a_second_collection_asks_nobody),
        cmocka_unit_test(tells_no_such_manifest_from_no_answer),
        cmocka_unit_test(obeys_a_busy_service),
        cmocka_unit_test(takes_no_manifest_under_a_wrong_name_or_digest_or_form),
        cmocka_unit_test(takes_no_manifest_of_another_root),
        cmocka_unit_test(evidence_of_strangers_makes_no_requests),
        cmocka_unit_test(takes_no_page_for_an_ocsp_answer),
        cmocka_unit_test(keeps_revocations_and_refuses_answers_that_do_not_hold),
        cmocka_unit_test(stale_answers_serve_while_new_ones_come_but_not_past_their_end),
        cmocka_unit_test(the_disk_serves_offline),
        cmocka_unit_test(the_attestation_service_is_asked_and_its_keys_are_kept),
        cmocka_unit_test(keys_are_fetched_again_once_for_an_unknown_one),
        cmocka_unit_test(concurrent_collections_share_fetches),
        cmocka_unit_test(a_collection_ends_at_its_deadline),
        cmocka_unit_test(a_root_that_is_no_certificate_is_refused),
    };

    return cmocka_run_group_tests(tests, way_open, way_close);
}
