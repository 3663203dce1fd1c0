/* Hexadecimal for known answers in the tests of this folder. */
#ifndef TEST_CRYPTO_HEX_TEST_H
#define TEST_CRYPTO_HEX_TEST_H

#include "base/bytes.h"

/* Decodes exactly `len` octets of a literal; fails the test if the literal has another length. */
static inline void unhex(uint8_t *out, size_t len, const char *hex)
{
    assert_int_equal(strlen(hex), 2 * len);
    for (size_t i = 0; i < len; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        char *end;

        out[i] = (uint8_t)strtoul(pair, &end, 16);
        assert_true(*end == 0);
    }
}

static inline void assert_hex(const uint8_t *got, size_t len, const char *wanted)
{
    char text[513];

    assert_true(len <= 256);
    for (size_t i = 0; i < len; i++)
        snprintf(text + 2 * i, 3, "%02x", got[i]);
    text[2 * len] = 0;
    assert_string_equal(text, wanted);
}

#endif
