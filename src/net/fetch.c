/* The only door to libcurl: one blocking request, judged strictly. Nothing is taken from the
 * environment (proxy, netrc, certificates by variable), no redirect is followed, only http and
 * https are spoken, and a pinned key is checked before any byte of the request is sent. */
#include "net/fetch.h"

#include <curl/curl.h>

#include "base/clock.h"
#include "codec/base64.h"
#include "crypto/spki.h"

enum {
    CONNECT_TIMEOUT_MS = 10 * 1000,
    TOTAL_TIMEOUT_MS = 60 * 1000,
    STALL_TIMEOUT_MS = 30 * 1000,
    HEAD_LIMIT = 64 * 1024, /* curl's own limit for a whole head is larger */
    LAST_TIMEOUT_MS = 24 * 60 * 60 * 1000,
    PIN_TEXT_MAX = 64, /* "sha256//" and 44 characters */
};

struct transfer {
    CURL *curl;
    struct curl_slist *headers;
    const struct fetch_request *req;
    struct fetch_reply *out;
    uint64_t stall_timeout_ms;
    uint64_t progress_ms;      /* when a byte last moved */
    curl_off_t progress_bytes; /* both directions */
    enum tacit_err stopped;    /* why one of our callbacks ended the transfer */
    char curl_why[CURL_ERROR_SIZE];
};

static size_t on_head(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    struct bytes line = bytes_make(data, size * count);

    if (bytes_starts_with(line, BYTES_LIT("HTTP/")))
        buf_reset(&t->out->head); /* an interim reply (1xx) came before */
    buf_put(&t->out->head, line);
    if (!t->out->head.failed)
        return line.len;
    t->stopped = TACIT_LIMIT;
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    struct bytes chunk = bytes_make(data, size * count);
    long status = 0;

    if (t->req->on_body == NULL) {
        buf_put(&t->out->body, chunk);
        t->stopped = t->out->body.failed ? TACIT_LIMIT : TACIT_OK;
    } else {
        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
        if (!t->req->on_body(chunk, (unsigned)status, t->req->ctx))
            t->stopped = TACIT_CLOSED;
    }
    return t->stopped == TACIT_OK ? chunk.len : CURL_WRITEFUNC_ERROR;
}

/* Called at least once a second: no byte in either direction for too long ends the transfer. */
static int on_progress(void *ctx, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total,
                       curl_off_t ul_now)
{
    struct transfer *t = ctx;
    uint64_t now_ms = clock_mono_ms();

    UNUSED(dl_total);
    UNUSED(ul_total);
    if (dl_now + ul_now != t->progress_bytes) {
        t->progress_bytes = dl_now + ul_now;
        t->progress_ms = now_ms;
    }
    if (now_ms - t->progress_ms < t->stall_timeout_ms)
        return 0;
    t->stopped = TACIT_TIMEOUT;
    return 1;
}

static long timeout_ms(uint64_t asked_ms, long default_ms)
{
    if (asked_ms == 0)
        return default_ms;
    return asked_ms > LAST_TIMEOUT_MS ? LAST_TIMEOUT_MS : (long)asked_ms;
}

static bool set_pin(CURL *curl, const uint8_t pin[static 32])
{
    uint8_t mem[PIN_TEXT_MAX];
    struct buf text = buf_over(mem, sizeof(mem));

    buf_puts(&text, "sha256//");
    base64_encode(&text, bytes_make(pin, 32), BASE64_STD);
    return !text.failed && buf_cstr(&text) != NULL &&
           curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, buf_cstr(&text)) == CURLE_OK;
}

/* TLS: which version, and whom to believe. */
static bool set_trust(struct transfer *t)
{
    bool is_system = t->req->trust == FETCH_TRUST_SYSTEM;
    bool ok = true;

    ok &= curl_easy_setopt(t->curl, CURLOPT_SSLVERSION,
                           is_system ? (long)CURL_SSLVERSION_TLSv1_2
                                     : (long)CURL_SSLVERSION_TLSv1_3) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_SSL_VERIFYPEER, is_system ? 1L : 0L) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_SSL_VERIFYHOST, is_system ? 2L : 0L) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_CERTINFO, 1L) == CURLE_OK;
    if (t->req->trust == FETCH_TRUST_PIN)
        ok &= set_pin(t->curl, t->req->pin);
    return ok;
}

static bool set_route(struct transfer *t)
{
    const struct fetch_request *req = t->req;
    bool ok = true;

    ok &= curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_URL, req->url) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
    /* An empty proxy, not a missing one: a missing one lets the environment decide. */
    ok &=
        curl_easy_setopt(t->curl, CURLOPT_PROXY, req->proxy == NULL ? "" : req->proxy) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_NOPROXY, req->proxy == NULL ? "*" : "") == CURLE_OK;
    if (req->unix_path != NULL)
        ok &= curl_easy_setopt(t->curl, CURLOPT_UNIX_SOCKET_PATH, req->unix_path) == CURLE_OK;
    return ok;
}

static bool set_limits(struct transfer *t)
{
    const struct fetch_request *req = t->req;
    bool ok = true;

    ok &= curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT_MS,
                           timeout_ms(req->connect_timeout_ms, CONNECT_TIMEOUT_MS)) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS,
                           timeout_ms(req->total_timeout_ms, TOTAL_TIMEOUT_MS)) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_XFERINFODATA, t) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_HEADERDATA, t) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t) == CURLE_OK;
    ok &= curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, t->curl_why) == CURLE_OK;
    return ok;
}

static bool add_header(struct transfer *t, const char *line)
{
    struct curl_slist *more = curl_slist_append(t->headers, line);

    if (more == NULL)
        return false;
    t->headers = more;
    return true;
}

static bool set_message(struct transfer *t)
{
    const struct fetch_request *req = t->req;
    bool ok = add_header(t, "Expect:"); /* no 100-continue round trip */

    for (size_t i = 0; ok && req->headers != NULL && req->headers[i] != NULL; i++)
        ok = add_header(t, req->headers[i]);
    if (strcmp(req->method, "POST") == 0) {
        ok &= curl_easy_setopt(t->curl, CURLOPT_POST, 1L) == CURLE_OK;
        ok &= curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.len) ==
              CURLE_OK;
        ok &= curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS,
                               req->body.len == 0 ? "" : (const char *)req->body.ptr) == CURLE_OK;
    } else {
        ok &= curl_easy_setopt(t->curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    }
    return ok && curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

/* The leaf that the peer showed, whether or not the transfer worked. */
static void learn_spki(struct transfer *t)
{
    static const char prefix[] = "Cert:";
    struct curl_certinfo *info = NULL;

    if (curl_easy_getinfo(t->curl, CURLINFO_CERTINFO, &info) != CURLE_OK || info == NULL ||
        info->num_of_certs < 1)
        return;
    for (const struct curl_slist *s = info->certinfo[0]; s != NULL; s = s->next)
        if (strncmp(s->data, prefix, sizeof(prefix) - 1) == 0)
            t->out->has_spki =
                spki_of_cert_pem(t->out->spki, bytes_of(s->data + sizeof(prefix) - 1)) == TACIT_OK;
}

static enum tacit_err err_of(const struct transfer *t, CURLcode code)
{
    if (t->stopped != TACIT_OK)
        return t->stopped;
    if (code == CURLE_OK)
        return TACIT_OK;
    if (code == CURLE_OPERATION_TIMEDOUT)
        return TACIT_TIMEOUT;
    if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        return TACIT_MISMATCH;
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return TACIT_USAGE;
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return TACIT_UNTRUSTED;
    if (code == CURLE_OUT_OF_MEMORY)
        return TACIT_NOMEM;
    return TACIT_IO;
}

/* curl's sentence may quote what the peer sent: printable ASCII only. */
static void explain(struct transfer *t, enum tacit_err err, CURLcode code)
{
    const char *text = t->curl_why[0] != 0 ? t->curl_why : curl_easy_strerror(code);
    size_t n = 0;

    if (t->stopped == TACIT_LIMIT)
        text = "the reply is larger than the limit";
    else if (t->stopped == TACIT_TIMEOUT)
        text = "the transfer stalled";
    else if (t->stopped == TACIT_CLOSED)
        text = "the receiver stopped the transfer";
    else if (err == TACIT_MISMATCH)
        text = "the peer's TLS key is not the pinned one";
    for (; text[n] != 0 && n + 1 < sizeof(t->out->why); n++)
        t->out->why[n] = text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?';
    t->out->why[n] = 0;
}

static enum tacit_err run(struct transfer *t)
{
    long status = 0;
    CURLcode code;
    enum tacit_err err;

    if (!set_route(t) || !set_trust(t) || !set_limits(t) || !set_message(t)) {
        explain(t, TACIT_USAGE, CURLE_BAD_FUNCTION_ARGUMENT);
        return TACIT_USAGE;
    }
    t->progress_ms = clock_mono_ms();
    code = curl_easy_perform(t->curl);
    learn_spki(t);
    err = err_of(t, code);
    if (err != TACIT_OK) {
        explain(t, err, code);
        return err;
    }
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    t->out->status = (unsigned)status;
    return TACIT_OK;
}

static bool is_usable(const struct fetch_request *req)
{
    return req->url != NULL && req->method != NULL &&
           (strcmp(req->method, "GET") == 0 || strcmp(req->method, "POST") == 0);
}

enum tacit_err fetch(struct fetch_reply *out, const struct fetch_request *req)
{
    struct transfer t = {.req = req, .out = out};
    enum tacit_err err;

    *out = (struct fetch_reply){.head = buf_make(HEAD_LIMIT), .body = buf_make(req->body_limit)};
    if (!is_usable(req)) {
        (void)snprintf(out->why, sizeof(out->why), "only GET and POST to a URL can be asked for");
        return TACIT_USAGE;
    }
    t.stall_timeout_ms = (uint64_t)timeout_ms(req->stall_timeout_ms, STALL_TIMEOUT_MS);
    t.curl = curl_easy_init();
    if (t.curl == NULL)
        return TACIT_NOMEM;
    err = run(&t);
    curl_slist_free_all(t.headers);
    curl_easy_cleanup(t.curl);
    return err;
}

struct bytes fetch_header(const struct fetch_reply *r, const char *name)
{
    struct bytes rest = buf_bytes(&r->head);
    struct bytes wanted = bytes_of(name);

    while (rest.len > 0) {
        size_t end = bytes_find_byte(rest, '\n');
        struct bytes line = bytes_slice(rest, 0, end);
        size_t colon = bytes_find_byte(line, ':');

        if (colon != SIZE_MAX && bytes_eq_nocase(bytes_slice(line, 0, colon), wanted)) {
            struct bytes value = bytes_trim(bytes_slice(line, colon + 1, line.len));
            return value.ptr == NULL ? BYTES_LIT("") : value;
        }
        rest = end == SIZE_MAX ? (struct bytes){0} : bytes_slice(rest, end + 1, rest.len);
    }
    return (struct bytes){0};
}

void fetch_reply_done(struct fetch_reply *r)
{
    buf_done(&r->head);
    buf_done(&r->body);
    *r = (struct fetch_reply){0};
}
