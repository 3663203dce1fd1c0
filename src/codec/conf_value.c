/* One configuration value by its kind. Invariant: what is accepted lies within min..max. */
#include <assert.h>

#include "codec/conf_priv.h"

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
static const struct unit size_units[] = {
    {"", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}};

static bool parse_scaled(uint64_t *num, struct bytes text, const struct unit *units, size_t count)
{
    size_t digits = 0;
    struct bytes suffix;

    *num = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    suffix = bytes_slice(text, digits, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        uint64_t n;

        if (!bytes_eq_cstr(suffix, units[i].suffix))
            continue;
        return bytes_to_u64(&n, bytes_slice(text, 0, digits), UINT64_MAX) &&
               !__builtin_mul_overflow(n, units[i].factor, num);
    }
    return false;
}

static bool in_range(const struct conf_key *key, uint64_t num)
{
    return num >= key->min && (key->max == 0 || num <= key->max);
}

static bool parse_choice(uint64_t *num, const struct conf_key *key, struct bytes text)
{
    for (uint64_t i = 0; key->choices[i] != NULL; i++) {
        *num = i;
        if (bytes_eq_cstr(text, key->choices[i]))
            return true;
    }
    *num = 0;
    return false;
}

const char *conf_value_parse(uint64_t *num, const struct conf_key *key, struct bytes text)
{
    *num = 0;
    switch (key->kind) {
    case CONF_STRING:
        return text.len > 0 ? NULL : "given a value";
    case CONF_PATH:
        return text.len > 0 ? NULL : "a file name";
    case CONF_BOOL:
        *num = bytes_eq_cstr(text, "true");
        return *num == 1 || bytes_eq_cstr(text, "false") ? NULL : "true or false";
    case CONF_ENUM:
        return parse_choice(num, key, text) ? NULL : "one of ";
    case CONF_U64:
        if (!bytes_to_u64(num, text, UINT64_MAX))
            return "a whole number";
        break;
    case CONF_DURATION:
        if (!parse_scaled(num, text, duration_units, ARRAY_LEN(duration_units)))
            return "a duration such as 250ms, 30s, 5m, 2h or 1d";
        break;
    case CONF_SIZE:
        if (!parse_scaled(num, text, size_units, ARRAY_LEN(size_units)))
            return "a size such as 512, 10KiB, 10MiB or 1GiB";
        break;
    }
    return key->kind == CONF_PATH || in_range(key, *num) ? NULL : "within ";
}
