/* A verified server: see attested.h. The API key leaves this process only after the report was
 * trusted, except where the server wants it for the report itself and a system CA vouches for it.
 */
#include "cli/attested.h"

#include <stdio.h>

#include "crypto/random.h"

enum {
    REPORT_LIMIT = 8 * 1024 * 1024,
    REPLY_LIMIT = 64 * 1024 * 1024,
    ANSWER_TIMEOUT_MS = 30 * 60 * 1000,
    STALL_TIMEOUT_MS = 120 * 1000,
    REPORT_TIMEOUT_MS = 90 * 1000,
    KEY_MAX = 512,
};

/* "https://host/v1" and "https://host/" both become "https://host" + path. */
static bool make_url(char out[static ATTESTED_URL_MAX], const char *base, const char *path)
{
    struct bytes b = bytes_of(base);

    while (bytes_ends_with(b, BYTES_LIT("/")))
        b.len--;
    if (bytes_ends_with(b, BYTES_LIT("/v1")))
        b.len -= 3;
    return snprintf(out, ATTESTED_URL_MAX, "%.*s%s", BYTES_FMT(b), path) < ATTESTED_URL_MAX;
}

/* Percent-encodes what is not unreserved: model names have slashes. */
static void put_query_text(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';

        if (is_plain)
            buf_putc(out, c);
        else
            buf_putf(out, "%%%02X", c);
    }
}

static enum tacit_err report_path(struct buf *out, const struct attested *a)
{
    buf_puts(out, "/v1/attestation/report?include_tls_fingerprint=true&signing_algo=");
    put_query_text(out, a->algo);
    buf_puts(out, "&nonce=");
    buf_hex(out, BYTES_ARRAY(a->nonce));
    if (a->model != NULL && !a->is_direct) {
        buf_puts(out, "&model=");
        put_query_text(out, a->model);
    }
    return buf_err(out);
}

static enum tacit_err fetch_with(struct fetch_reply *out, struct attested *a,
                                 struct fetch_request *req, const char *path, bool with_key)
{
    char url[ATTESTED_URL_MAX];
    char auth[KEY_MAX] = "authorization: Bearer ";
    const char *headers[ATTESTED_HEADERS_MAX] = {"content-type: application/json",
                                                 "x-no-aliasing: true", NULL};
    enum tacit_err err = TACIT_USAGE;

    if (with_key && a->api_key != NULL) {
        int len = snprintf(auth, sizeof auth, "authorization: Bearer %s", a->api_key);

        if (len < 0 || (size_t)len >= sizeof auth) {
            (void)snprintf(a->why, sizeof a->why, "the API key is too long");
            goto out;
        }
        headers[2] = auth;
    }
    if (!make_url(url, a->url, path)) {
        (void)snprintf(a->why, sizeof a->why, "the URL is too long");
        goto out;
    }
    req->url = url;
    req->headers = req->body.len > 0 || with_key ? headers : NULL;
    err = fetch(out, req);
    if (err != TACIT_OK)
        (void)snprintf(a->why, sizeof a->why, "%s", out->why);
out:
    explicit_bzero(auth, sizeof auth);
    return err;
}

/* The report over a connection to whomever answers; his key is learnt, not believed. */
static enum tacit_err fetch_report(struct attested *a)
{
    struct fetch_reply reply = {0};
    struct fetch_request req = {.method = "GET",
                                .trust = FETCH_TRUST_ANY,
                                .total_timeout_ms = REPORT_TIMEOUT_MS,
                                .stall_timeout_ms = REPORT_TIMEOUT_MS,
                                .body_limit = REPORT_LIMIT};
    struct buf path = buf_make(ATTESTED_URL_MAX);
    enum tacit_err err = report_path(&path, a);

    if (err != TACIT_OK)
        goto out;
    err = fetch_with(&reply, a, &req, buf_cstr(&path), false);
    if (err == TACIT_OK && (reply.status == 401 || reply.status == 403) && a->api_key != NULL) {
        fetch_reply_done(&reply);
        reply = (struct fetch_reply){0};
        req.trust = FETCH_TRUST_SYSTEM;
        err = fetch_with(&reply, a, &req, buf_cstr(&path), true);
    }
    if (err != TACIT_OK)
        goto out;
    if (reply.status != 200) {
        (void)snprintf(a->why, sizeof a->why,
                       "the server answered %u when asked for its attestation report",
                       reply.status);
        err = TACIT_NOT_FOUND;
        goto out;
    }
    if (reply.has_spki)
        memcpy(a->spki, reply.spki, sizeof a->spki);
    buf_put(&a->report, buf_bytes(&reply.body));
    err = buf_err(&a->report);
out:
    buf_done(&path);
    fetch_reply_done(&reply);
    return err;
}

enum tacit_err attested_open(struct attested *a, struct tacit_verdict *v, struct trust *trust)
{
    struct tacit_report_opts opts = {.form =
                                         a->is_direct ? TACIT_REPORT_NODE : TACIT_REPORT_GATEWAY,
                                     .tls_spki = a->spki,
                                     .is_tls_required = true,
                                     .is_node_required = !a->is_direct && a->model != NULL,
                                     .model = a->model};
    enum tacit_err err;

    a->report = buf_make(REPORT_LIMIT);
    if (!bytes_starts_with(bytes_of(a->url), BYTES_LIT("https://"))) {
        (void)snprintf(a->why, sizeof a->why,
                       "the URL must begin with https://: without TLS there is no key to attest");
        return TACIT_USAGE;
    }
    err = random_fill(a->nonce, sizeof a->nonce);
    if (err == TACIT_OK)
        err = fetch_report(a);
    if (err != TACIT_OK)
        return err;
    memcpy(opts.nonce, a->nonce, sizeof opts.nonce);
    trust_apply(trust, &opts);
    err = tacit_report_verify(v, &a->facts, buf_bytes(&a->report), &opts);
    if (err != TACIT_OK)
        (void)snprintf(a->why, sizeof a->why, "the report could not be judged: %s",
                       tacit_err_text(err));
    return err;
}

void attested_done(struct attested *a)
{
    buf_done(&a->report);
}

enum tacit_err attested_fetch(struct fetch_reply *out, struct attested *a, const char *method,
                              const char *path, struct bytes body,
                              bool (*on_body)(struct bytes, unsigned, void *), void *ctx)
{
    struct fetch_request req = {.method = method,
                                .body = body,
                                .trust = FETCH_TRUST_PIN,
                                .total_timeout_ms = ANSWER_TIMEOUT_MS,
                                .stall_timeout_ms = STALL_TIMEOUT_MS,
                                .body_limit = REPLY_LIMIT,
                                .on_body = on_body,
                                .ctx = ctx};

    memcpy(req.pin, a->spki, sizeof req.pin);
    return fetch_with(out, a, &req, path, true);
}
