/* Claims about RTMR3 and its log: extended first, logged then, and the log replays. */
#include "cmocka_all.h"

#include <errno.h>
#include <unistd.h>

#include "attest/event_log.h"
#include "base/file.h"
#include "tee/rtlog_priv.h"

static uint8_t device_rtmr[48];
static int device_fails, device_errno;

static int device_control(int fd, unsigned long request, void *arg)
{
    const uint8_t *digest = arg;

    UNUSED(fd);
    assert_int_equal(request & 0xff, 3);
    if (device_fails > 0) {
        device_fails--;
        errno = device_errno;
        return -1;
    }
    assert_int_equal(digest[48], 3);
    event_log_extend(device_rtmr, digest);
    return 0;
}

static struct rtmr_paths device_paths(void)
{
    return (struct rtmr_paths){NULL, "/dev/null", NULL, device_control};
}

static void the_log_replays_to_the_register(void **state)
{
    struct rtlog *log = rtlog_new(device_paths());
    struct buf json = buf_make(1 << 16);
    struct arena arena = arena_make(1 << 20);
    struct event_log read;

    UNUSED(state);
    memset(device_rtmr, 0, sizeof(device_rtmr));
    device_fails = 3;
    device_errno = EINTR;
    assert_ok(rtlog_event(log, "config", BYTES_LIT("\x01\x02")));
    assert_ok(rtlog_event(log, "model", BYTES_LIT("")));
    assert_ok(rtlog_json(log, &json));
    assert_ok(event_log_read(&read, buf_bytes(&json), &arena));
    assert_int_equal(read.runtime_count, 2);
    assert_memory_equal(read.rtmr[3], device_rtmr, 48);
    arena_done(&arena);
    buf_done(&json);
    rtlog_free(log);
}

static void what_no_register_took_is_not_logged(void **state)
{
    struct rtlog *log = rtlog_new(device_paths());
    struct rtlog *nowhere = rtlog_new((struct rtmr_paths){NULL, NULL, NULL, NULL});
    struct buf json = buf_make(1 << 16);

    UNUSED(state);
    device_fails = 1;
    device_errno = EIO;
    assert_err(rtlog_event(log, "config", BYTES_LIT("x")), TACIT_IO);
    device_fails = 1;
    device_errno = ENOTTY;
    assert_err(rtlog_event(log, "config", BYTES_LIT("x")), TACIT_UNSUPPORTED);
    device_fails = 0;
    assert_err(rtlog_event(nowhere, "config", BYTES_LIT("x")), TACIT_UNSUPPORTED);
    assert_ok(rtlog_json(log, &json));
    assert_string_equal(buf_cstr(&json), "[]");
    buf_done(&json);
    rtlog_free(log);
    rtlog_free(nowhere);
}

static void names_that_could_be_misread_are_refused(void **state)
{
    static const char *const names[] = {"", "a:b", "a\"b", "a\\b", "a b", "a\n", "\x80"};
    struct rtlog *log = rtlog_new(device_paths());

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_err(rtlog_event(log, names[i], BYTES_LIT("x")), TACIT_FORMAT);
    rtlog_free(log);
}

static void the_kernels_own_register_comes_first(void **state)
{
    char dir[] = "/tmp/tacit-rtmr-XXXXXX";
    char path[64];
    struct rtmr_paths paths = device_paths();
    struct buf written = buf_make(64);
    uint8_t digest[48] = {5, 6, 7};

    UNUSED(state);
    assert_non_null(mkdtemp(dir));
    paths.sysfs = dir;
    memset(device_rtmr, 0, sizeof(device_rtmr));
    assert_ok(rtmr_extend(&paths, digest));
    assert_false(bytes_is_zero(BYTES_ARRAY(device_rtmr)));
    memset(device_rtmr, 0, sizeof(device_rtmr));
    snprintf(path, sizeof(path), "%s/rtmr3:sha384", dir);
    assert_ok(file_write(path, BYTES_LIT(""), 0600));
    assert_ok(rtmr_extend(&paths, digest));
    assert_true(bytes_is_zero(BYTES_ARRAY(device_rtmr)));
    assert_ok(file_read(&written, path));
    assert_true(bytes_eq(buf_bytes(&written), BYTES_ARRAY(digest)));
    unlink(path);
    rmdir(dir);
    buf_done(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_replays_to_the_register),
        cmocka_unit_test(what_no_register_took_is_not_logged),
        cmocka_unit_test(names_that_could_be_misread_are_refused),
        cmocka_unit_test(the_kernels_own_register_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
