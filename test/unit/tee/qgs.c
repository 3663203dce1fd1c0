/* Claims about /dev/tdx_guest with QGS: the test is the kernel (ioctl) and the service (socket). */
#include "cmocka_all.h"

#include <errno.h>

#include "fake_server.h"
#include "tee/qgs_priv.h"

enum answer { GOOD, SERVICE_ERROR, OTHER_DATA, TOO_LONG, CUT, LYING_SIZE, SILENT, SLOW, STRAY };

struct service {
    enum answer answer;
    uint8_t report[TDREPORT_LEN]; /* as asked */
};

static int kernel_fails;
static int kernel_errno;

static int kernel_control(int fd, unsigned long request, void *arg)
{
    uint8_t *report = (uint8_t *)arg + 64;

    UNUSED(fd);
    assert_int_equal(request & 0xff, 1);
    if (kernel_fails > 0) {
        kernel_fails--;
        errno = kernel_errno;
        return -1;
    }
    memset(report, 0x77, TDREPORT_LEN);
    memcpy(report + 128, arg, 64);
    return 0;
}

static bool request_receive(int fd, struct service *s)
{
    uint8_t frame[4 + 24 + TDREPORT_LEN];
    size_t have = 0;

    while (have < sizeof(frame)) {
        ssize_t n = recv(fd, frame + have, sizeof(frame) - have, 0);

        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    assert_memory_equal(frame,
                        "\0\0\x04\x18\x01\0\0\0\0\0\0\0\x18\x04\0\0\0\0\0\0\0\x04\0\0\0\0\0\0", 28);
    memcpy(s->report, frame + 28, TDREPORT_LEN);
    return true;
}

static void response_make(struct buf *out, const struct service *s)
{
    uint8_t quote[FAKE_QUOTE_LEN];
    uint32_t size = 16 + 8 + 3 + FAKE_QUOTE_LEN + (s->answer == STRAY);

    fake_quote(quote, s->report + 128);
    if (s->answer == OTHER_DATA)
        quote[48 + 520] ^= 1;
    buf_u32be(out, s->answer == TOO_LONG ? QGS_MESSAGE_MAX + 1 : size);
    buf_u16le(out, 1);
    buf_u16le(out, 0);
    buf_u32le(out, 1);
    buf_u32le(out, s->answer == LYING_SIZE ? size + 1 : size);
    buf_u32le(out, s->answer == SERVICE_ERROR ? 0x12001 : 0);
    buf_u32le(out, 3);
    buf_u32le(out, FAKE_QUOTE_LEN);
    buf_puts(out, "id!");
    buf_put(out, BYTES_ARRAY(quote));
    if (s->answer == STRAY)
        buf_putc(out, 0);
}

static void serve(int fd, void *ctx)
{
    struct service *s = ctx;
    struct buf out = buf_make(1 << 16);

    if (request_receive(fd, s) && s->answer != SILENT) {
        response_make(&out, s);
        if (s->answer == CUT)
            out.len -= 5;
        for (size_t i = 0; s->answer == SLOW && i < out.len; i++)
            fake_send(fd, out.ptr + i, 1);
        if (s->answer != SLOW)
            fake_send(fd, out.ptr, out.len);
    }
    if (s->answer == SILENT)
        usleep(300000);
    buf_done(&out);
}

static enum tacit_err quote_with(enum answer answer, struct buf *out, const uint8_t *data)
{
    struct service s = {.answer = answer};
    struct fake_server server;
    struct qgs_env env = {.device = "/dev/null", .timeout_ms = 100, .control = kernel_control};
    struct rtmr_paths rtmr = {NULL, NULL, NULL, NULL};
    struct tee tee = {0};
    char why[TEE_WHY_LEN];
    enum tacit_err err;

    fake_server_start(&server, serve, &s);
    env.unix_path = server.path;
    if (answer != SILENT)
        env.timeout_ms = 10000;
    assert_ok(qgs_open_in(&tee, &env, rtmr, why));
    fake_interrupts(500);
    err = tee.ops->quote(tee.self, out, data);
    fake_interrupts(0);
    tee.ops->close(tee.self);
    fake_server_stop(&server);
    return err;
}

static const uint8_t data[64] = {9, 8, 7};

static void a_quote_comes_back_whatever_interrupts(void **state)
{
    static const enum answer answers[] = {GOOD, SLOW};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct buf out = buf_make(1 << 16);

        assert_ok(quote_with(answers[i], &out, data));
        assert_int_equal(out.len, FAKE_QUOTE_LEN);
        assert_memory_equal(out.ptr + 48 + 520, data, 64);
        buf_done(&out);
    }
}

static void a_bad_answer_is_named_and_gives_nothing(void **state)
{
    static const struct {
        enum answer answer;
        enum tacit_err err;
    } cases[] = {{SERVICE_ERROR, TACIT_IO}, {OTHER_DATA, TACIT_MISMATCH}, {TOO_LONG, TACIT_LIMIT},
                 {CUT, TACIT_CLOSED},       {LYING_SIZE, TACIT_FORMAT},   {SILENT, TACIT_TIMEOUT},
                 {STRAY, TACIT_FORMAT}};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = buf_make(1 << 16);

        assert_err(quote_with(cases[i].answer, &out, data), cases[i].err);
        assert_int_equal(out.len, 0);
        buf_done(&out);
    }
}

static void a_busy_or_interrupted_kernel_is_asked_again(void **state)
{
    struct buf out = buf_make(1 << 16);

    UNUSED(state);
    kernel_fails = 5;
    kernel_errno = EINTR;
    assert_ok(quote_with(GOOD, &out, data));
    kernel_fails = 5;
    kernel_errno = EBUSY;
    assert_ok(quote_with(GOOD, &out, data));
    kernel_fails = 1;
    kernel_errno = EIO;
    assert_err(quote_with(GOOD, &out, data), TACIT_IO);
    kernel_fails = 0;
    buf_done(&out);
}

static void the_port_is_read_from_the_configuration(void **state)
{
    UNUSED(state);
    assert_int_equal(qgs_port(BYTES_LIT("")), QGS_PORT_DEFAULT);
    assert_int_equal(qgs_port(BYTES_LIT("# x\nport=4051\n")), 4051);
    assert_int_equal(qgs_port(BYTES_LIT(" port= 77 ")), 77);
    assert_int_equal(qgs_port(BYTES_LIT("port=-1")), QGS_PORT_DEFAULT);
    assert_int_equal(qgs_port(BYTES_LIT("port=0\n")), QGS_PORT_DEFAULT);
}

static void every_prefix_of_a_response_is_refused(void **state)
{
    struct service s = {.answer = GOOD};
    struct buf out = buf_make(1 << 16);
    struct bytes quote;
    uint32_t error;

    UNUSED(state);
    response_make(&out, &s);
    buf_consume(&out, 4);
    assert_ok(qgs_response_read(&quote, &error, buf_bytes(&out)));
    for (size_t len = 0; len < out.len; len++)
        assert_err(qgs_response_read(&quote, &error, bytes_make(out.ptr, len)), TACIT_FORMAT);
    buf_done(&out);
}

static void without_the_device_nothing_is_here(void **state)
{
    struct qgs_env env = {.device = "/nowhere/tdx_guest", .control = kernel_control};
    struct rtmr_paths rtmr = {NULL, NULL, NULL, NULL};
    struct tee tee = {0};
    char why[TEE_WHY_LEN];

    UNUSED(state);
    assert_err(qgs_open_in(&tee, &env, rtmr, why), TACIT_NOT_FOUND);
    assert_non_null(strstr(why, "/nowhere/tdx_guest"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quote_comes_back_whatever_interrupts),
        cmocka_unit_test(a_bad_answer_is_named_and_gives_nothing),
        cmocka_unit_test(a_busy_or_interrupted_kernel_is_asked_again),
        cmocka_unit_test(the_port_is_read_from_the_configuration),
        cmocka_unit_test(every_prefix_of_a_response_is_refused),
        cmocka_unit_test(without_the_device_nothing_is_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
