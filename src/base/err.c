/* Texts and names of errors, generated from the one table in tacit/err.h. */
#include "base/err.h"

const char *tacit_err_text(enum tacit_err err)
{
    switch (err) {
#define ERR_TEXT(name, value, text) \
    case name:                      \
        return text;
        TACIT_ERRORS(ERR_TEXT)
#undef ERR_TEXT
    }
    return "unknown error";
}

const char *tacit_err_name(enum tacit_err err)
{
    switch (err) {
#define ERR_NAME(name, value, text) \
    case name:                      \
        return #name;
        TACIT_ERRORS(ERR_NAME)
#undef ERR_NAME
    }
    return "TACIT_UNKNOWN";
}
