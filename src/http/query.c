/* Reading parameters out of a query string. */
#include "http/query.h"

static bool percent_decode(char *out, size_t cap, struct bytes in)
{
    size_t n = 0;

    for (size_t i = 0; i < in.len; i++) {
        int c = in.ptr[i];

        if (c == '%') {
            int high = i + 2 < in.len ? bytes_hex_digit(in.ptr[i + 1]) : -1;
            int low = i + 2 < in.len ? bytes_hex_digit(in.ptr[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = high * 16 + low;
            i += 2;
        }
        if (c == 0 || n + 1 >= cap)
            return false;
        out[n++] = (char)c;
    }
    out[n] = 0;
    return true;
}

bool query_get(char *out, size_t cap, bool *is_bad, struct bytes query, const char *name)
{
    bool is_found = false;

    out[0] = 0;
    while (query.len > 0) {
        size_t end = bytes_find_byte(query, '&');
        struct bytes pair = bytes_slice(query, 0, end);
        size_t eq = bytes_find_byte(pair, '=');
        struct bytes value =
            eq == SIZE_MAX ? bytes_slice(pair, pair.len, 0) : bytes_slice(pair, eq + 1, SIZE_MAX);

        if (bytes_eq_cstr(bytes_slice(pair, 0, eq), name)) {
            if (is_found || !percent_decode(out, cap, value))
                *is_bad = true;
            is_found = true;
        }
        query = end == SIZE_MAX ? bytes_slice(query, 0, 0) : bytes_slice(query, end + 1, SIZE_MAX);
    }
    return is_found;
}
