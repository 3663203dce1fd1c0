/* The table of errors and their bodies. Invariant: every fault of the enum has a row. */
#include "openai/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "codec/jwrite.h"

struct row {
    unsigned status;
    unsigned retry_after_s;
    const char *types[2];    /* by side */
    const char *messages[2]; /* "%s" stands for the detail */
};

#define UNAVAILABLE_TEXT "The model is currently unavailable. Please try again later."

static const struct row rows[] = {
    [FAULT_BAD_REQUEST] = {400,
                           0,
                           {"invalid_request_error", "bad_request"},
                           {"Invalid request", "Invalid request"}},
    [FAULT_MODEL_UNKNOWN] = {400,
                             0,
                             {"invalid_request_error", "bad_request"},
                             {"Model '%s' not found. It's not a valid model name or alias.",
                              "Model '%s' is not served here"}},
    [FAULT_AUTH_MISSING] = {401,
                            0,
                            {"missing_auth_header", "unauthorized"},
                            {"Missing authorization header",
                             "Invalid or missing Authorization header"}},
    [FAULT_AUTH_MALFORMED] = {401,
                              0,
                              {"invalid_auth_header", "unauthorized"},
                              {"Invalid authorization header format",
                               "Invalid or missing Authorization header"}},
    [FAULT_AUTH_INVALID] = {401,
                            0,
                            {"invalid_api_key", "unauthorized"},
                            {"Invalid or expired API key",
                             "Invalid or missing Authorization header"}},
    [FAULT_NO_CREDIT] = {402,
                         0,
                         {"insufficient_credits", "insufficient_credits"},
                         {"Insufficient credits", "Insufficient credits"}},
    [FAULT_FORBIDDEN] = {403, 0, {"forbidden", "forbidden"}, {"Forbidden", "Forbidden"}},
    [FAULT_NO_ROUTE] = {404, 0, {"invalid_request_error", "not_found"}, {"Not found", "Not found"}},
    [FAULT_NOT_FOUND] = {404, 0, {"not_found_error", "not_found"}, {"Not found", "Not found"}},
    [FAULT_METHOD] = {405,
                      0,
                      {"invalid_request_error", "method_not_allowed"},
                      {"Method not allowed", "Method not allowed"}},
    [FAULT_TOO_LARGE] = {413,
                         0,
                         {"invalid_request_error", "payload_too_large"},
                         {"Request body too large. Maximum: %s bytes",
                          "Request body too large. Maximum: %s bytes"}},
    [FAULT_RATE_LIMIT] = {429,
                          60,
                          {"rate_limit_exceeded", "rate_limited"},
                          {"API rate limit exceeded. Try again in 60 seconds.",
                           "Rate limit exceeded. Please try again later."}},
    [FAULT_OVERLOADED] = {429,
                          2,
                          {"service_overloaded", "rate_limited"},
                          {"The model is overloaded. Please try again later.",
                           "Rate limit exceeded. Please try again later."}},
    [FAULT_INTERNAL] = {500,
                        0,
                        {"internal_server_error", "server_error"},
                        {"Internal server error", "Internal server error"}},
    [FAULT_NOT_IMPLEMENTED] = {501,
                               0,
                               {"not_implemented", "not_implemented"},
                               {"%s is not implemented yet", "%s is not implemented yet"}},
    [FAULT_BAD_GATEWAY] = {502,
                           0,
                           {"bad_gateway", "upstream_error"},
                           {UNAVAILABLE_TEXT, "Upstream request failed"}},
    [FAULT_UNAVAILABLE] = {503,
                           2,
                           {"service_overloaded", "service_unavailable"},
                           {UNAVAILABLE_TEXT, UNAVAILABLE_TEXT}},
    [FAULT_TIMEOUT] = {504,
                       0,
                       {"gateway_timeout", "upstream_timeout"},
                       {"The model did not answer in time. Please try again later.",
                        "Upstream request timed out"}},
};

static bool is_permanent(unsigned status)
{
    return status >= 400 && status < 500 && status != 408 && status != 429;
}

/* Printable ASCII, so that a name from a request cannot play with terminals; '?' for the rest. */
static void detail_copy(char *out, size_t size, struct bytes detail)
{
    size_t len = detail.len < size - 1 ? detail.len : size - 1;

    for (size_t i = 0; i < len; i++)
        out[i] = (char)(detail.ptr[i] >= 0x20 && detail.ptr[i] < 0x7F ? detail.ptr[i] : '?');
    out[len] = '\0';
}

static void start(struct openai_error *out, enum openai_side side, enum openai_fault fault)
{
    const struct row *row = &rows[fault];

    memset(out, 0, sizeof(*out));
    out->status = row->status;
    out->retry_after_s = row->retry_after_s;
    out->is_permanent = is_permanent(row->status) || row->status == 501;
    (void)snprintf(out->type, sizeof(out->type), "%s", row->types[side]);
}

void openai_error_make(struct openai_error *out, enum openai_side side, enum openai_fault fault,
                       struct bytes detail)
{
    const char *text = rows[fault].messages[side];
    const char *hole = strstr(text, "%s");
    char shown[256];

    start(out, side, fault);
    if (fault == FAULT_MODEL_UNKNOWN && side == OPENAI_GATEWAY)
        (void)snprintf(out->param, sizeof(out->param), "model");
    detail_copy(shown, sizeof(shown), detail);
    if (hole == NULL)
        (void)snprintf(out->message, sizeof(out->message), "%s", text);
    else
        (void)snprintf(out->message, sizeof(out->message), "%.*s%s%s", (int)(hole - text), text,
                       shown, hole + 2);
}

void openai_error_say(struct openai_error *out, enum openai_side side, enum openai_fault fault,
                      const char *param, const char *fmt, ...)
{
    va_list args;

    start(out, side, fault);
    if (param != NULL && side == OPENAI_GATEWAY)
        (void)snprintf(out->param, sizeof(out->param), "%s", param);
    va_start(args, fmt);
    (void)vsnprintf(out->message, sizeof(out->message), fmt, args);
    va_end(args);
}

static void put_or_null(struct jw *w, const char *name, const char *text)
{
    jw_key(w, name);
    if (text[0] == '\0')
        jw_null(w);
    else
        jw_cstr(w, text);
}

void openai_error_put(struct buf *out, const struct openai_error *e)
{
    struct jw w = jw_make(out);

    jw_object(&w);
    jw_key(&w, "error");
    jw_object(&w);
    jw_key_cstr(&w, "message", e->message);
    jw_key_cstr(&w, "type", e->type);
    put_or_null(&w, "param", e->param);
    put_or_null(&w, "code", e->code);
    jw_end(&w);
    jw_end(&w);
}

/* In a stream the type is one of three (near.md 1.3.1). */
static const char *event_type(unsigned status)
{
    if (status == 429)
        return "rate_limit_exceeded";
    return status >= 400 && status < 500 ? "invalid_request_error" : "server_error";
}

void openai_error_put_event(struct buf *out, const struct openai_error *e)
{
    struct jw w = jw_make(out);

    buf_puts(out, "data: ");
    jw_object(&w);
    jw_key(&w, "error");
    jw_object(&w);
    jw_key_cstr(&w, "message", e->message);
    jw_key_cstr(&w, "type", event_type(e->status));
    jw_end(&w);
    jw_end(&w);
    buf_puts(out, "\n\n");
}
