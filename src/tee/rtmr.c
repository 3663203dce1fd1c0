/* Extending RTMR3: the kernel's measurement registers, or the ioctl of out-of-tree kernels. Never
 * emulated: an event that no register took is no event. */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tee/rtlog_priv.h"

enum { RTMR_INDEX = 3, DIGEST_LEN = 48, TRIES = 100 };

struct extend_request {
    uint8_t data[DIGEST_LEN];
    uint8_t index;
};

#define TDX_CMD_EXTEND_RTMR _IOR('T', 3, struct extend_request)

static int control_real(int fd, unsigned long request, void *arg)
{
    return ioctl(fd, request, arg);
}

struct rtmr_paths rtmr_usual(void)
{
    return (struct rtmr_paths){
        .sysfs = "/sys/devices/virtual/misc/tdx_guest/measurements",
        .device = "/dev/tdx_guest",
        .ccel = "/sys/firmware/acpi/tables/data/CCEL",
        .control = control_real,
    };
}

/* An interrupted write of a register has not happened: sysfs stores are all or nothing. */
static enum tacit_err sysfs_extend(const char *folder, const uint8_t digest[static DIGEST_LEN])
{
    char path[256];
    ssize_t n = -1;
    int fd;

    if ((size_t)snprintf(path, sizeof(path), "%s/rtmr%d:sha384", folder, RTMR_INDEX) >=
        sizeof(path))
        return TACIT_LIMIT;
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? TACIT_UNSUPPORTED : TACIT_IO;
    for (int i = 0; i < TRIES; i++) {
        n = write(fd, digest, DIGEST_LEN);
        if (n >= 0 || errno != EINTR)
            break;
    }
    close(fd);
    return n == DIGEST_LEN ? TACIT_OK : TACIT_IO;
}

static enum tacit_err device_extend(const struct rtmr_paths *paths,
                                    const uint8_t digest[static DIGEST_LEN])
{
    struct extend_request request = {.index = RTMR_INDEX};
    int fd = open(paths->device, O_RDWR | O_CLOEXEC);
    int result = -1;

    if (fd < 0)
        return errno == ENOENT ? TACIT_UNSUPPORTED : TACIT_IO;
    memcpy(request.data, digest, DIGEST_LEN);
    for (int i = 0; i < TRIES; i++) {
        result = paths->control(fd, TDX_CMD_EXTEND_RTMR, &request);
        if (result == 0 || errno != EINTR)
            break;
    }
    if (result != 0)
        result = errno == ENOTTY || errno == EINVAL ? 1 : -1;
    close(fd);
    return result == 0 ? TACIT_OK : result > 0 ? TACIT_UNSUPPORTED : TACIT_IO;
}

enum tacit_err rtmr_extend(const struct rtmr_paths *paths, const uint8_t digest[static DIGEST_LEN])
{
    enum tacit_err err = TACIT_UNSUPPORTED;

    if (paths->sysfs != NULL)
        err = sysfs_extend(paths->sysfs, digest);
    if (err == TACIT_UNSUPPORTED && paths->device != NULL && paths->control != NULL)
        err = device_extend(paths, digest);
    return err;
}
