/* Shared by conf.c (file, sections, keys) and conf_value.c (one value by its kind). */
#ifndef CODEC_CONF_PRIV_H
#define CODEC_CONF_PRIV_H

#include "codec/conf.h"

/* Checks `text` against the key's kind and range and gives its number (0 for text kinds).
 * Returns NULL, or why not: a static sentence part that follows "must be ". */
const char *conf_value_parse(uint64_t *num, const struct conf_key *key, struct bytes text);

#endif
