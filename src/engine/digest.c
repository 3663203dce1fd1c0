/* Digest of large files, read once in pieces, without the page cache thrown away. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "crypto/sha2.h"
#include "engine/engine.h"

enum { DIGEST_PIECE = 256 * 1024 };

static enum tacit_err add_all(struct sha256 *hash, int fd, uint8_t *piece)
{
    for (;;) {
        ssize_t n = read(fd, piece, DIGEST_PIECE);

        if (n == 0)
            return TACIT_OK;
        if (n < 0 && errno != EINTR)
            return TACIT_IO;
        if (n > 0)
            sha256_add(hash, bytes_make(piece, (size_t)n));
    }
}

enum tacit_err engine_file_digest(uint8_t out[static 32], const char *path)
{
    struct buf piece = buf_make(DIGEST_PIECE);
    struct sha256 hash;
    enum tacit_err err = TACIT_NOMEM;
    uint8_t *mem;
    int fd = -1;

    memset(out, 0, 32);
    mem = buf_reserve(&piece, DIGEST_PIECE);
    if (mem == NULL)
        goto out;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    err = errno == ENOENT ? TACIT_NOT_FOUND : TACIT_IO;
    if (fd < 0)
        goto out;
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    sha256_init(&hash);
    err = add_all(&hash, fd, mem);
    if (err == TACIT_OK)
        sha256_final(&hash, out);
out:
    if (fd >= 0)
        close(fd);
    buf_done(&piece);
    return err;
}
