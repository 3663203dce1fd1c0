/* The generation protocol of configfs-tsm. Invariant: a report is handed out only if between our
 * write and our read nobody else wrote, so that it is over our report data. */
#include <errno.h>
#include <stdio.h>

#include "base/bytes.h"
#include "codec/hex.h"
#include "crypto/random.h"
#include "tee/configfs_priv.h"

/* What one try came to. */
enum outcome { DONE, AGAIN, GIVE_UP };

struct attempt {
    const struct tsm_fs *fs;
    char entry[TSM_NAME_LEN];
    enum tacit_err err;
    const char *what; /* what was being done, for the sentence */
    int errnum;
};

static enum tacit_err err_of(int errnum)
{
    switch (errnum) {
    case EBUSY:
    case EINTR:
    case EAGAIN:
    case EEXIST:
        return TACIT_BUSY;
    case ETIMEDOUT:
        return TACIT_TIMEOUT;
    case EFBIG:
        return TACIT_LIMIT;
    case EOPNOTSUPP:
    case EINVAL:
    case ENXIO:
        return TACIT_UNSUPPORTED;
    case ENOENT:
        return TACIT_NOT_FOUND;
    default:
        return TACIT_IO;
    }
}

static enum outcome stumble(struct attempt *a, const char *what, long result)
{
    a->what = what;
    a->errnum = (int)-result;
    a->err = err_of(a->errnum);
    return a->err == TACIT_BUSY ? AGAIN : GIVE_UP;
}

static enum outcome entry_make(struct attempt *a)
{
    uint8_t random[8];
    char hex[17];
    int result;

    if (random_fill(random, sizeof(random)) != TACIT_OK)
        return stumble(a, "taking random octets", -EIO);
    hex_encode(hex, sizeof(hex), BYTES_ARRAY(random));
    snprintf(a->entry, sizeof(a->entry), "tacit-%s", hex);
    result = a->fs->make(a->fs->ctx, a->entry);
    return result == 0 ? DONE : stumble(a, "making a report entry", result);
}

static long attr_get(struct attempt *a, const char *attr, uint8_t *out, size_t cap)
{
    return a->fs->get(a->fs->ctx, a->entry, attr, out, cap);
}

static enum outcome generation_read(struct attempt *a, uint64_t *out)
{
    uint8_t text[24];
    long n = attr_get(a, "generation", text, sizeof(text));

    if (n < 0)
        return stumble(a, "reading generation", n);
    if (!bytes_to_u64(out, bytes_trim(bytes_make(text, (size_t)n)), UINT64_MAX))
        return stumble(a, "reading generation", -EIO);
    return DONE;
}

static enum outcome blob_read(struct attempt *a, struct buf *out)
{
    uint8_t *room = buf_reserve(out, TSM_QUOTE_MAX);
    long n;

    if (room == NULL) {
        a->err = TACIT_NOMEM;
        a->what = "reading outblob";
        return GIVE_UP;
    }
    n = attr_get(a, "outblob", room, TSM_QUOTE_MAX);
    if (n < 0)
        return stumble(a, "reading outblob", n);
    if (n == 0)
        return stumble(a, "reading outblob", -EIO);
    buf_commit(out, (size_t)n);
    return DONE;
}

static enum outcome exchange(struct attempt *a, struct buf *out, struct bytes inblob)
{
    size_t before = out->len;
    uint64_t first = 0;
    uint64_t last = 0;
    enum outcome got = generation_read(a, &first);
    int result;

    if (got != DONE)
        return got;
    result = a->fs->put(a->fs->ctx, a->entry, "inblob", inblob);
    if (result != 0)
        return stumble(a, "writing inblob", result);
    got = blob_read(a, out);
    if (got == DONE)
        got = generation_read(a, &last);
    if (got == DONE && last == first + 1)
        return DONE;
    out->len = before;
    return got == DONE ? stumble(a, "comparing generations", -EBUSY) : got;
}

static void sentence(const struct attempt *a, unsigned tries, char why[static TEE_WHY_LEN])
{
    if (a->errnum != 0)
        snprintf(why, TEE_WHY_LEN, "configfs-tsm: %s failed after %u tries (errno %d)", a->what,
                 tries, a->errnum);
    else
        snprintf(why, TEE_WHY_LEN, "configfs-tsm: %s failed: %s", a->what, tacit_err_text(a->err));
}

enum tacit_err tsm_report(const struct tsm_fs *fs, struct buf *out,
                          const uint8_t report_data[static TEE_REPORT_DATA_LEN],
                          char why[static TEE_WHY_LEN])
{
    struct attempt a = {.fs = fs};
    enum outcome got = AGAIN;
    unsigned tries = 0;

    why[0] = 0;
    while (got == AGAIN && tries < TSM_ATTEMPTS) {
        if (tries > 0)
            fs->pause_ms(fs->ctx, 10U << tries);
        tries++;
        got = entry_make(&a);
        if (got != DONE)
            continue;
        got = exchange(&a, out, bytes_make(report_data, TEE_REPORT_DATA_LEN));
        fs->drop(fs->ctx, a.entry);
    }
    if (got == DONE)
        return TACIT_OK;
    sentence(&a, tries, why);
    return a.err;
}

enum tacit_err tsm_provider(const struct tsm_fs *fs, char *out, size_t cap,
                            char why[static TEE_WHY_LEN])
{
    struct attempt a = {.fs = fs};
    uint8_t text[32];
    struct bytes name;
    long n;

    out[0] = 0;
    if (entry_make(&a) != DONE) {
        sentence(&a, 1, why);
        return a.err;
    }
    n = attr_get(&a, "provider", text, sizeof(text));
    fs->drop(fs->ctx, a.entry);
    name = bytes_trim(bytes_make(text, n > 0 ? (size_t)n : 0));
    if (n <= 0 || name.len == 0 || name.len >= cap) {
        stumble(&a, "reading provider", n < 0 ? n : -EIO);
        sentence(&a, 1, why);
        return a.err;
    }
    memcpy(out, name.ptr, name.len);
    out[name.len] = 0;
    return TACIT_OK;
}
