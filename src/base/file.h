/* Whole files in and out. Reading is bounded; writing is atomic, so that a reader or a crash sees
 * the old content or the new one, never a part. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"

/* Appends the file to `out`, whose limit bounds it. TACIT_NOT_FOUND if there is none, TACIT_LIMIT
 * if it is larger than the buffer's limit, TACIT_IO otherwise (errno is kept). */
MUST_CHECK enum tacit_err file_read(struct buf *out, const char *path);
/* Writes through a temporary file in the same folder, fsyncs and renames. `mode` e.g. 0600. */
MUST_CHECK enum tacit_err file_write(const char *path, struct bytes content, mode_t mode);
bool file_exists(const char *path);
/* Creates the folder and its missing parents. An existing folder is no error. */
MUST_CHECK enum tacit_err dir_make(const char *path, mode_t mode);

#endif
