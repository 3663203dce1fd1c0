/* Bounded reads and atomic writes of whole files. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_CHUNK = 65536 };

static enum tacit_err read_all(struct buf *out, int fd)
{
    for (;;) {
        size_t room = out->limit - out->len;
        uint8_t *to = buf_reserve(out, room < FILE_CHUNK ? room : FILE_CHUNK);
        uint8_t extra;
        ssize_t n;

        if (to == NULL)
            return TACIT_NOMEM;
        n = room == 0 ? read(fd, &extra, 1) : read(fd, to, room < FILE_CHUNK ? room : FILE_CHUNK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return TACIT_IO;
        if (n == 0)
            return TACIT_OK;
        if (room == 0)
            return TACIT_LIMIT;
        buf_commit(out, (size_t)n);
    }
}

enum tacit_err file_read(struct buf *out, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum tacit_err err;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? TACIT_NOT_FOUND : TACIT_IO;
    err = read_all(out, fd);
    close(fd);
    return err;
}

static enum tacit_err write_all(int fd, struct bytes content)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.ptr, content.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return TACIT_IO;
        content = bytes_slice(content, (size_t)n, content.len - (size_t)n);
    }
    return fsync(fd) == 0 ? TACIT_OK : TACIT_IO;
}

enum tacit_err file_write(const char *path, struct bytes content, mode_t mode)
{
    char *tmp = NULL;
    enum tacit_err err;
    int fd;

    if (asprintf(&tmp, "%s.XXXXXX", path) < 0)
        return TACIT_NOMEM;
    fd = mkostemp(tmp, O_CLOEXEC);
    if (fd < 0) {
        free(tmp);
        return TACIT_IO;
    }
    err = fchmod(fd, mode) == 0 ? write_all(fd, content) : TACIT_IO;
    if (close(fd) != 0)
        err = TACIT_IO;
    if (err == TACIT_OK && rename(tmp, path) != 0)
        err = TACIT_IO;
    if (err != TACIT_OK)
        unlink(tmp);
    free(tmp);
    return err;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool make_one(const char *path, mode_t mode)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return true;
    return errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum tacit_err dir_make(const char *path, mode_t mode)
{
    char *copy = strdup(path);
    bool ok = copy != NULL;

    if (copy == NULL)
        return TACIT_NOMEM;
    for (char *p = copy + 1; ok && *p != 0; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        ok = make_one(copy, mode);
        *p = '/';
    }
    ok = ok && make_one(copy, mode);
    free(copy);
    return ok ? TACIT_OK : TACIT_IO;
}
