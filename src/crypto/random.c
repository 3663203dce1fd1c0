/* getrandom(2), repeated until everything is there. */
#include "crypto/random.h"

#include <errno.h>
#include <sys/random.h>

enum tacit_err random_fill(uint8_t *out, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = getrandom(out + done, len - done, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            explicit_bzero(out, len);
            return TACIT_IO;
        }
        done += (size_t)n;
    }
    return TACIT_OK;
}
