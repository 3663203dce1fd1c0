/* Claims about configfs-tsm, with a kernel played in memory: generations, busy, signals, oversize,
 * and somebody else writing all the time. */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "fake_server.h"
#include "tee/configfs_priv.h"

enum { ENTRIES = 4 };

struct entry {
    char name[TSM_NAME_LEN];
    bool is_used;
    unsigned generation;
    uint8_t inblob[64];
};

/* The kernel: counts attribute writes, makes a quote of the inblob when the outblob is read. */
struct kernel {
    pthread_mutex_t lock;
    struct entry entries[ENTRIES];
    int fail_make, fail_put, fail_get; /* errno to answer with */
    unsigned fail_times;
    unsigned bump_times; /* somebody writes between our write and our read */
    size_t quote_len;
    unsigned made, dropped, pauses;
    bool is_slow; /* leaves room for a race */
    bool is_over;
};

static struct entry *entry_find(struct kernel *k, const char *name)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (k->entries[i].is_used && strcmp(k->entries[i].name, name) == 0)
            return &k->entries[i];
    return NULL;
}

static int fails(struct kernel *k, int errnum)
{
    if (errnum == 0 || k->fail_times == 0)
        return 0;
    k->fail_times--;
    return -errnum;
}

static int fake_make(void *ctx, const char *name)
{
    struct kernel *k = ctx;
    int err;

    pthread_mutex_lock(&k->lock);
    err = fails(k, k->fail_make);
    for (size_t i = 0; err == 0 && i < ENTRIES; i++)
        if (!k->entries[i].is_used) {
            k->entries[i] = (struct entry){.is_used = true};
            snprintf(k->entries[i].name, TSM_NAME_LEN, "%s", name);
            k->made++;
            break;
        }
    pthread_mutex_unlock(&k->lock);
    return err;
}

static int fake_drop(void *ctx, const char *name)
{
    struct kernel *k = ctx;
    struct entry *e;

    pthread_mutex_lock(&k->lock);
    e = entry_find(k, name);
    if (e != NULL) {
        e->is_used = false;
        k->dropped++;
    }
    pthread_mutex_unlock(&k->lock);
    return e == NULL ? -ENOENT : 0;
}

static long text_get(uint8_t *out, size_t cap, const char *text)
{
    size_t len = strlen(text);

    if (len > cap)
        return -EFBIG;
    memcpy(out, text, len);
    return (long)len;
}

static long quote_get(struct kernel *k, const struct entry *e, uint8_t *out, size_t cap)
{
    uint8_t quote[FAKE_QUOTE_LEN];

    if (k->quote_len > cap)
        return -EFBIG;
    fake_quote(quote, e->inblob);
    memset(out, 0, k->quote_len);
    memcpy(out, quote, k->quote_len < sizeof(quote) ? k->quote_len : sizeof(quote));
    return (long)k->quote_len;
}

static long fake_get(void *ctx, const char *name, const char *attr, uint8_t *out, size_t cap)
{
    struct kernel *k = ctx;
    struct entry *e;
    char text[24];
    long n = -ENOENT;

    if (k->is_slow)
        usleep(30);
    pthread_mutex_lock(&k->lock);
    e = entry_find(k, name);
    if (e != NULL && strcmp(attr, "provider") == 0) {
        n = text_get(out, cap, "tdx_guest\n");
    } else if (e != NULL && strcmp(attr, "generation") == 0) {
        snprintf(text, sizeof(text), "%u\n", e->generation);
        n = text_get(out, cap, text);
    } else if (e != NULL) {
        n = fails(k, k->fail_get);
        if (n == 0)
            n = quote_get(k, e, out, cap);
    }
    pthread_mutex_unlock(&k->lock);
    return n;
}

static int fake_put(void *ctx, const char *name, const char *attr, struct bytes value)
{
    struct kernel *k = ctx;
    struct entry *e;
    int err = -EINVAL;

    pthread_mutex_lock(&k->lock);
    e = entry_find(k, name);
    if (e != NULL && strcmp(attr, "inblob") == 0 && value.len == 64) {
        err = fails(k, k->fail_put);
        if (err == 0) {
            memcpy(e->inblob, value.ptr, 64);
            e->generation++;
        }
        if (err == 0 && k->bump_times > 0) {
            k->bump_times--;
            e->generation++;
            e->inblob[0] ^= 0xff;
        }
    }
    pthread_mutex_unlock(&k->lock);
    return err;
}

static void fake_pause(void *ctx, unsigned ms)
{
    struct kernel *k = ctx;

    assert_true(ms > 0 && ms <= 10U << TSM_ATTEMPTS);
    k->pauses++;
}

static struct kernel kernel_make(void)
{
    struct kernel k = {.quote_len = FAKE_QUOTE_LEN};

    pthread_mutex_init(&k.lock, NULL);
    return k;
}

static struct tsm_fs kernel_fs(struct kernel *k)
{
    return (struct tsm_fs){k, fake_make, fake_drop, fake_get, fake_put, fake_pause};
}

static const uint8_t data[64] = {1, 2, 3, 4};

static enum tacit_err report(struct kernel *k, struct buf *out)
{
    struct tsm_fs fs = kernel_fs(k);
    char why[TEE_WHY_LEN];
    enum tacit_err err = tsm_report(&fs, out, data, why);

    assert_int_equal(err == TACIT_OK, why[0] == 0);
    if (err != TACIT_OK)
        assert_int_equal(out->len, 0);
    /* no entry is left behind */
    assert_int_equal(k->made, k->dropped);
    return err;
}

static void gives_a_report_over_the_data(void **state)
{
    struct kernel k = kernel_make();
    struct buf out = buf_make(1 << 20);

    UNUSED(state);
    assert_ok(report(&k, &out));
    assert_int_equal(out.len, FAKE_QUOTE_LEN);
    assert_memory_equal(out.ptr + 48 + 520, data, 64);
    assert_int_equal(k.made, 1);
    buf_done(&out);
}

static void tries_again_when_busy_or_interrupted(void **state)
{
    static const int errnos[] = {EBUSY, EINTR, EAGAIN, EEXIST};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(errnos); i++)
        for (int where = 0; where < 3; where++) {
            struct kernel k = kernel_make();
            struct buf out = buf_make(1 << 20);

            *(where == 0 ? &k.fail_make : where == 1 ? &k.fail_put : &k.fail_get) = errnos[i];
            k.fail_times = 3;
            assert_ok(report(&k, &out));
            assert_int_equal(k.pauses, 3);
            buf_done(&out);
        }
}

static void gives_up_after_a_bounded_number_of_tries(void **state)
{
    struct kernel k = kernel_make();
    struct buf out = buf_make(1 << 20);

    UNUSED(state);
    k.fail_get = EBUSY;
    k.fail_times = 1000;
    assert_err(report(&k, &out), TACIT_BUSY);
    assert_int_equal(k.made, TSM_ATTEMPTS);
    buf_done(&out);
}

static void names_other_failures_at_once(void **state)
{
    static const struct {
        int errnum;
        enum tacit_err err;
    } cases[] = {{ETIMEDOUT, TACIT_TIMEOUT},  {EFBIG, TACIT_LIMIT},
                 {EINVAL, TACIT_UNSUPPORTED}, {EOPNOTSUPP, TACIT_UNSUPPORTED},
                 {ENXIO, TACIT_UNSUPPORTED},  {EIO, TACIT_IO},
                 {EACCES, TACIT_IO}};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kernel k = kernel_make();
        struct buf out = buf_make(1 << 20);

        k.fail_get = cases[i].errnum;
        k.fail_times = 1;
        assert_err(report(&k, &out), cases[i].err);
        assert_int_equal(k.pauses, 0);
        buf_done(&out);
    }
}

static void a_report_that_is_too_long_is_refused(void **state)
{
    struct kernel k = kernel_make();
    struct buf out = buf_make(1 << 20);

    UNUSED(state);
    k.quote_len = TSM_QUOTE_MAX;
    assert_ok(report(&k, &out));
    buf_reset(&out);
    k.quote_len = TSM_QUOTE_MAX + 1;
    assert_err(report(&k, &out), TACIT_LIMIT);
    k.quote_len = 0;
    assert_err(report(&k, &out), TACIT_IO);
    buf_done(&out);
}

static void a_foreign_write_is_noticed_by_the_generation(void **state)
{
    struct kernel k = kernel_make();
    struct buf out = buf_make(1 << 20);

    UNUSED(state);
    k.bump_times = 2;
    assert_ok(report(&k, &out));
    assert_memory_equal(out.ptr + 48 + 520, data, 64);
    buf_reset(&out);
    k.bump_times = 1000;
    assert_err(report(&k, &out), TACIT_BUSY);
    buf_done(&out);
}

static void *race(void *ctx)
{
    struct kernel *k = ctx;
    bool is_over = false;

    while (!is_over) {
        pthread_mutex_lock(&k->lock);
        is_over = k->is_over;
        for (size_t i = 0; i < ENTRIES; i++)
            if (k->entries[i].is_used) {
                memset(k->entries[i].inblob, 0xee, 64);
                k->entries[i].generation++;
            }
        pthread_mutex_unlock(&k->lock);
        usleep(100);
    }
    return NULL;
}

/* Whoever wins, a report over somebody else's data never comes out. */
static void a_racing_writer_never_gets_its_data_quoted(void **state)
{
    struct kernel k = kernel_make();
    pthread_t racer;
    unsigned good = 0;

    UNUSED(state);
    k.is_slow = true;
    assert_int_equal(pthread_create(&racer, NULL, race, &k), 0);
    for (int i = 0; i < 200; i++) {
        struct buf out = buf_make(1 << 20);
        enum tacit_err err = report(&k, &out);

        assert_true(err == TACIT_OK || err == TACIT_BUSY);
        if (err == TACIT_OK) {
            assert_memory_equal(out.ptr + 48 + 520, data, 64);
            good++;
        }
        buf_done(&out);
    }
    pthread_mutex_lock(&k.lock);
    k.is_over = true;
    pthread_mutex_unlock(&k.lock);
    pthread_join(racer, NULL);
    print_message("# %u of 200 reports got through\n", good);
}

static void the_real_calls_read_and_write_whole_attributes(void **state)
{
    char dir[] = "/tmp/tacit-tsm-XXXXXX";
    char path[64];
    uint8_t out[64];
    struct tsm_fs fs;
    int fd;

    UNUSED(state);
    assert_non_null(mkdtemp(dir));
    fs = tsm_fs_real(dir);
    assert_int_equal(fs.make(fs.ctx, "e"), 0);
    assert_int_equal(fs.make(fs.ctx, "e"), -EEXIST);
    assert_int_equal(fs.get(fs.ctx, "e", "outblob", out, 64), -ENOENT);
    assert_int_equal(fs.put(fs.ctx, "e", "inblob", BYTES_LIT("x")), -ENOENT);
    snprintf(path, sizeof(path), "%s/e/inblob", dir);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(fs.put(fs.ctx, "e", "inblob", BYTES_LIT("12345678")), 0);
    assert_int_equal(fs.get(fs.ctx, "e", "inblob", out, 64), 8);
    assert_memory_equal(out, "12345678", 8);
    assert_int_equal(fs.get(fs.ctx, "e", "inblob", out, 8), 8);
    assert_int_equal(fs.get(fs.ctx, "e", "inblob", out, 7), -EFBIG);
    assert_int_equal(fs.drop(fs.ctx, "e"), -ENOTEMPTY);
    unlink(path);
    assert_int_equal(fs.drop(fs.ctx, "e"), 0);
    rmdir(dir);
}

static void a_missing_or_empty_folder_says_what_is_missing(void **state)
{
    char dir[] = "/tmp/tacit-tsm-XXXXXX";
    struct tee_opts opts = {.kind = TEE_CONFIGFS_TSM, .path = "/nowhere/tsm/report"};
    struct tee *tee = NULL;
    char why[256];

    UNUSED(state);
    assert_err(tee_open(&tee, &opts, why), TACIT_NOT_FOUND);
    assert_null(tee);
    assert_non_null(strstr(why, "/nowhere/tsm/report"));
    assert_non_null(mkdtemp(dir));
    opts.path = dir;
    assert_int_not_equal(tee_open(&tee, &opts, why), TACIT_OK);
    assert_non_null(strstr(why, "provider"));
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_a_report_over_the_data),
        cmocka_unit_test(tries_again_when_busy_or_interrupted),
        cmocka_unit_test(gives_up_after_a_bounded_number_of_tries),
        cmocka_unit_test(names_other_failures_at_once),
        cmocka_unit_test(a_report_that_is_too_long_is_refused),
        cmocka_unit_test(a_foreign_write_is_noticed_by_the_generation),
        cmocka_unit_test(a_racing_writer_never_gets_its_data_quoted),
        cmocka_unit_test(the_real_calls_read_and_write_whole_attributes),
        cmocka_unit_test(a_missing_or_empty_folder_says_what_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
