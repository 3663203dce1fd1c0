/* Claims about the log: one JSON line per call, nothing below the level. */
#include "cmocka_all.h"

#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"

static void writes_one_line_of_json(void **state)
{
    int fds[2];
    char line[512] = {0};
    struct log_id id = {{0xab}};

    UNUSED(state);
    assert_int_equal(pipe(fds), 0);
    log_set_fd(fds[1]);
    log_debug("hidden");
    log_info("stream_end", L_ID("req", id), L_NUM("status", -2), L_LIT("why", "a \"b\""),
             L_ERR("err", TACIT_IO));
    log_set_fd(STDERR_FILENO);
    close(fds[1]);
    assert_true(read(fds[0], line, sizeof(line) - 1) > 0);
    close(fds[0]);
    assert_true(bytes_ends_with(bytes_of(line),
                                BYTES_LIT("Z\",\"level\":\"info\",\"event\":\"stream_end\",\"req\":"
                                          "\"ab000000000000000000000000000000\",\"status\":-2,"
                                          "\"why\":\"a \\\"b\\\"\",\"err\":\"TACIT_IO\"}\n")));
    assert_true(bytes_starts_with(bytes_of(line), BYTES_LIT("{\"time\":\"20")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_line_of_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
