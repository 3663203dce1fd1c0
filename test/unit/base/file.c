/* Claims about whole files: bounded in, atomic out. */
#include "cmocka_all.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static void writes_atomically_and_reads_bounded(void **state)
{
    char dir[] = "/tmp/tacit-file-XXXXXX";
    char path[64];
    struct buf b = buf_make(5);
    struct stat st;

    UNUSED(state);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/a/b", dir);
    assert_ok(dir_make(path, 0700));
    assert_ok(dir_make(path, 0700));
    snprintf(path, sizeof(path), "%s/a/b/f", dir);
    assert_err(file_read(&b, path), TACIT_NOT_FOUND);
    assert_ok(file_write(path, BYTES_LIT("12345"), 0600));
    assert_ok(file_read(&b, path));
    assert_true(bytes_eq_cstr(buf_bytes(&b), "12345"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    buf_reset(&b);
    assert_ok(file_write(path, BYTES_LIT("123456"), 0600));
    assert_err(file_read(&b, path), TACIT_LIMIT);
    assert_err(dir_make(path, 0700), TACIT_IO);
    buf_done(&b);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_atomically_and_reads_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
