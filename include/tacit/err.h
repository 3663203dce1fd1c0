/* Errors of libtacit and of the programs around it, from one table: the enum, the texts and the
 * manual page all come from TACIT_ERRORS. A value is never renumbered or reused. */
#ifndef TACIT_ERR_H
#define TACIT_ERR_H

#define TACIT_ERRORS(X)                                             \
    X(TACIT_OK, 0, "success")                                       \
    X(TACIT_FORMAT, 1, "the bytes do not have the required format") \
    X(TACIT_LIMIT, 2, "a documented limit is exceeded")             \
    X(TACIT_NOMEM, 3, "out of memory")                              \
    X(TACIT_SIGNATURE, 4, "a signature does not verify")            \
    X(TACIT_NOT_FOUND, 5, "not found")                              \
    X(TACIT_IO, 6, "input or output failed")                        \
    X(TACIT_TIMEOUT, 7, "a time limit passed")                      \
    X(TACIT_UNSUPPORTED, 8, "not supported")                        \
    X(TACIT_UNTRUSTED, 9, "does not lead to a trusted root")        \
    X(TACIT_EXPIRED, 10, "outside its validity period")             \
    X(TACIT_REVOKED, 11, "revoked")                                 \
    X(TACIT_MISMATCH, 12, "two values that must agree differ")      \
    X(TACIT_POLICY, 13, "refused by policy")                        \
    X(TACIT_CONFIG, 14, "the configuration is wrong")               \
    X(TACIT_BUSY, 15, "busy, try again later")                      \
    X(TACIT_CLOSED, 16, "the other side closed the connection")     \
    X(TACIT_STATE, 17, "not allowed in this state")                 \
    X(TACIT_USAGE, 18, "wrong usage")                               \
    X(TACIT_INTERNAL, 19, "internal error")                         \
    X(TACIT_EXISTS, 20, "already exists")

enum tacit_err {
#define TACIT_ERR_ENUM(name, value, text) name = value,
    TACIT_ERRORS(TACIT_ERR_ENUM)
#undef TACIT_ERR_ENUM
};

/* Text of an error, for people. Never NULL; unknown values yield "unknown error".
 *
 * Memory    static, never freed.
 * Threads   pure, any thread. */
const char *tacit_err_text(enum tacit_err err);

/* Symbolic name of an error, such as "TACIT_FORMAT". Same rules as tacit_err_text. */
const char *tacit_err_name(enum tacit_err err);

#endif
