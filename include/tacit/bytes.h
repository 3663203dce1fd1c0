/* A borrowed view of bytes: who holds a `struct bytes` does not own what it points at. */
#ifndef TACIT_BYTES_H
#define TACIT_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *ptr; /* may be NULL when len is 0 */
    size_t len;         /* octets */
};

#endif
