/* Shared by jwrite.c and jnormal.c. */
#ifndef CODEC_JWRITE_PRIV_H
#define CODEC_JWRITE_PRIV_H

#include "base/buf.h"

/* Append UTF-8 text as the inside of a JSON string, without quotes and without checking it. */
void jw_put_content(struct buf *out, struct bytes text);

#endif
