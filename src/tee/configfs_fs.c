/* The five operations of configfs-tsm over a real folder. Invariant: attributes are read whole or
 * not at all, and written in one write(2). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tee/configfs_priv.h"

enum { PATH_LEN = 512 };

static int path_join(char out[static PATH_LEN], const char *root, const char *entry,
                     const char *attr)
{
    int n = attr == NULL ? snprintf(out, PATH_LEN, "%s/%s", root, entry)
                         : snprintf(out, PATH_LEN, "%s/%s/%s", root, entry, attr);

    return n < 0 || n >= PATH_LEN ? -ENAMETOOLONG : 0;
}

static int real_make(void *ctx, const char *entry)
{
    char path[PATH_LEN];
    int err = path_join(path, ctx, entry, NULL);

    if (err != 0)
        return err;
    return mkdir(path, 0700) == 0 ? 0 : -errno;
}

static int real_drop(void *ctx, const char *entry)
{
    char path[PATH_LEN];
    int err = path_join(path, ctx, entry, NULL);

    if (err != 0)
        return err;
    return rmdir(path) == 0 ? 0 : -errno;
}

static int attr_open(void *ctx, const char *entry, const char *attr, int flags)
{
    char path[PATH_LEN];
    int err = path_join(path, ctx, entry, attr);
    int fd;

    if (err != 0)
        return err;
    fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

static long real_get(void *ctx, const char *entry, const char *attr, uint8_t *out, size_t cap)
{
    int fd = attr_open(ctx, entry, attr, O_RDONLY);
    size_t len = 0;
    long result = fd;

    while (fd >= 0) {
        uint8_t spare;
        ssize_t n = len < cap ? read(fd, out + len, cap - len) : read(fd, &spare, 1);

        if (n > 0 && len == cap) {
            result = -EFBIG;
            break;
        }
        if (n <= 0) {
            result = n == 0 ? (long)len : -errno;
            break;
        }
        len += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    return result;
}

static int real_put(void *ctx, const char *entry, const char *attr, struct bytes value)
{
    int fd = attr_open(ctx, entry, attr, O_WRONLY);
    int result = fd;
    ssize_t n;

    if (fd < 0)
        return result;
    n = write(fd, value.ptr, value.len);
    result = n < 0 ? -errno : (size_t)n == value.len ? 0 : -EIO;
    close(fd);
    return result;
}

static void real_pause(void *ctx, unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    UNUSED(ctx);
    nanosleep(&t, NULL);
}

struct tsm_fs tsm_fs_real(const char *path)
{
    union {
        const char *in;
        void *out;
    } ctx = {path};

    return (struct tsm_fs){ctx.out, real_make, real_drop, real_get, real_put, real_pause};
}
