/* The provider over dstack's guest agent, in its present form (/GetQuote …) and its old one
 * (tappd, /prpc/Tappd.…). Spec tdx.md 4.5. Invariant: keys pass only through memory that is erased.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "codec/hex.h"
#include "codec/jscan.h"
#include "codec/jwrite.h"
#include "tee/evidence_priv.h"
#include "tee/unix_http_priv.h"

enum { TIMEOUT_MS = 60000, REQUEST_MAX = 64 * 1024, SOCKET_LEN = 108, LOG_MAX = 4 * 1024 * 1024 };

static const char *const usual_sockets[] = {
    "/var/run/dstack.sock",    "/run/dstack.sock",    "/var/run/dstack/dstack.sock",
    "/run/dstack/dstack.sock", "/var/run/tappd.sock",
};

struct dstack {
    char socket[SOCKET_LEN];
    bool is_old;         /* tappd */
    struct buf log;      /* event log of the last quote, JSON text */
    bool is_log_current; /* no event since */
};

/* Posts; a status other than 200 becomes an error. */
static enum tacit_err tell(const struct dstack *d, struct buf *reply, const char *target,
                           struct bytes json)
{
    unsigned status;
    enum tacit_err err = unix_http_post(reply, &status, d->socket, target, json, TIMEOUT_MS);

    if (err != TACIT_OK)
        return err;
    if (status == 404 || status == 405 || status == 501)
        return TACIT_UNSUPPORTED;
    if (status == 429 || status == 503)
        return TACIT_BUSY;
    return status == 200 ? TACIT_OK : TACIT_IO;
}

/* The same, when an object comes back. */
static enum tacit_err ask(const struct dstack *d, struct buf *reply, struct jval *root,
                          const char *target, struct bytes json)
{
    enum tacit_err err = tell(d, reply, target, json);

    *root = JVAL_ABSENT;
    return err == TACIT_OK ? jscan_object(root, buf_bytes(reply)) : err;
}

/* The log comes as text of a JSON array, in some versions as the array. */
static enum tacit_err log_keep(struct dstack *d, struct jval log)
{
    struct jval check;
    enum tacit_err err = TACIT_OK;

    d->is_log_current = false;
    buf_reset(&d->log);
    if (log.type == JVAL_ARRAY)
        buf_put(&d->log, log.raw);
    else
        err = jscan_str_copy(&d->log, log);
    if (err == TACIT_OK)
        err = buf_err(&d->log);
    if (err == TACIT_OK)
        err = jscan_validate(&check, NULL, buf_bytes(&d->log));
    d->is_log_current = err == TACIT_OK && check.type == JVAL_ARRAY;
    return d->is_log_current ? TACIT_OK : err == TACIT_OK ? TACIT_FORMAT : err;
}

static enum tacit_err quote_read(struct dstack *d, struct buf *quote, struct jval root,
                                 const uint8_t report_data[static TEE_REPORT_DATA_LEN])
{
    size_t before = quote->len;
    struct bytes hex;
    enum tacit_err err = TACIT_FORMAT;

    if (jscan_str_view(&hex, jscan_member(root, "quote"))) {
        if (bytes_starts_with(hex, BYTES_LIT("0x")))
            hex = bytes_slice(hex, 2, SIZE_MAX);
        err = hex_decode(quote, hex);
    }
    if (err == TACIT_OK)
        err = evidence_binds(bytes_slice(buf_bytes(quote), before, SIZE_MAX), report_data);
    if (err == TACIT_OK)
        err = log_keep(d, jscan_member(root, "event_log"));
    if (err != TACIT_OK && !quote->failed)
        quote->len = before;
    return err;
}

static enum tacit_err dstack_quote(void *self, struct buf *quote,
                                   const uint8_t report_data[static TEE_REPORT_DATA_LEN])
{
    struct dstack *d = self;
    struct buf request = buf_make(REQUEST_MAX);
    struct buf reply = buf_make(UNIX_HTTP_REPLY_MAX);
    struct jval root;
    enum tacit_err err;

    buf_puts(&request, "{\"report_data\":\"");
    buf_hex(&request, bytes_make(report_data, TEE_REPORT_DATA_LEN));
    buf_puts(&request, d->is_old ? "\",\"hash_algorithm\":\"raw\",\"prefix\":\"\"}" : "\"}");
    err = ask(d, &reply, &root, d->is_old ? "/prpc/Tappd.TdxQuote" : "/GetQuote",
              buf_bytes(&request));
    if (err == TACIT_OK)
        err = quote_read(d, quote, root, report_data);
    buf_done(&request);
    buf_done(&reply);
    return err;
}

static enum tacit_err dstack_event(void *self, const char *event, struct bytes payload)
{
    struct dstack *d = self;
    struct buf request = buf_make(REQUEST_MAX);
    struct buf reply = buf_make(UNIX_HTTP_REPLY_MAX);
    struct jw w = jw_make(&request);
    enum tacit_err err;

    if (d->is_old)
        return TACIT_UNSUPPORTED;
    if (event[0] == 0 || strchr(event, ':') != NULL)
        return TACIT_FORMAT;
    jw_object(&w);
    jw_key_cstr(&w, "event", event);
    jw_key(&w, "payload");
    jw_hex(&w, payload);
    jw_end(&w);
    err = buf_err(&request);
    d->is_log_current = false;
    if (err == TACIT_OK)
        err = tell(d, &reply, "/EmitEvent", buf_bytes(&request));
    buf_done(&request);
    buf_done(&reply);
    return err;
}

/* The log belongs to a quote: one is made if an event came after the last. */
static enum tacit_err dstack_event_log(void *self, struct buf *json)
{
    static const uint8_t nothing[TEE_REPORT_DATA_LEN];
    struct dstack *d = self;
    struct buf quote = buf_make(UNIX_HTTP_REPLY_MAX);
    enum tacit_err err = d->is_log_current ? TACIT_OK : dstack_quote(d, &quote, nothing);

    if (err == TACIT_OK) {
        buf_put(json, buf_bytes(&d->log));
        err = buf_err(json);
    }
    buf_done(&quote);
    return err;
}

static enum tacit_err dstack_info(void *self, struct buf *json)
{
    struct dstack *d = self;
    struct buf reply = buf_make(UNIX_HTTP_REPLY_MAX);
    struct jval root;
    enum tacit_err err =
        ask(d, &reply, &root, d->is_old ? "/prpc/Tappd.Info" : "/Info", BYTES_LIT("{}"));

    if (err == TACIT_OK) {
        buf_put(json, root.raw);
        err = buf_err(json);
    }
    buf_done(&reply);
    return err;
}

static void key_request_put(struct buf *out, const struct dstack *d, const char *path,
                            const char *purpose)
{
    struct jw w = jw_make(out);

    jw_object(&w);
    jw_key_cstr(&w, "path", path);
    jw_key_cstr(&w, "purpose", purpose == NULL ? "" : purpose);
    if (!d->is_old)
        jw_key_cstr(&w, "algorithm", "secp256k1");
    jw_end(&w);
}

static enum tacit_err dstack_key(void *self, uint8_t out[static 32], const char *path,
                                 const char *purpose)
{
    struct dstack *d = self;
    struct buf request = buf_make(REQUEST_MAX);
    struct buf reply = buf_make_secret(UNIX_HTTP_REPLY_MAX);
    struct jval root;
    struct bytes hex;
    enum tacit_err err;

    memset(out, 0, 32);
    key_request_put(&request, d, path, purpose);
    err = buf_err(&request);
    if (err == TACIT_OK)
        err = ask(d, &reply, &root, d->is_old ? "/prpc/Tappd.DeriveK256Key" : "/GetKey",
                  buf_bytes(&request));
    if (err == TACIT_OK &&
        !jscan_str_view(&hex, jscan_member(root, d->is_old ? "k256_key" : "key")))
        err = TACIT_FORMAT;
    if (err == TACIT_OK)
        err = hex_decode_fixed(out, 32, hex);
    buf_done(&request);
    buf_done(&reply);
    return err;
}

static void dstack_close(void *self)
{
    struct dstack *d = self;

    buf_done(&d->log);
    free(d);
}

static const struct tee_ops dstack_ops = {
    .quote = dstack_quote,
    .event = dstack_event,
    .event_log = dstack_event_log,
    .info = dstack_info,
    .key = dstack_key,
    .close = dstack_close,
};

/* Which form the agent has: the present one answers /Info, the old one does not know it. */
static enum tacit_err form_detect(struct dstack *d, char why[static TEE_WHY_LEN])
{
    struct buf reply = buf_make(UNIX_HTTP_REPLY_MAX);
    struct jval root;
    enum tacit_err err = ask(d, &reply, &root, "/Info", BYTES_LIT("{}"));

    if (err == TACIT_UNSUPPORTED) {
        buf_reset(&reply);
        d->is_old = true;
        err = ask(d, &reply, &root, "/prpc/Tappd.Info", BYTES_LIT("{}"));
    }
    buf_done(&reply);
    if (err != TACIT_OK)
        snprintf(why, TEE_WHY_LEN, "the dstack agent at %.100s does not answer: %s", d->socket,
                 tacit_err_text(err));
    return err;
}

static enum tacit_err agent_open(struct tee *tee, const char *path, char why[static TEE_WHY_LEN])
{
    struct dstack *d = calloc(1, sizeof(*d));
    enum tacit_err err = TACIT_NOMEM;

    snprintf(why, TEE_WHY_LEN, "out of memory, or the socket's path is too long");
    if (d != NULL && (size_t)snprintf(d->socket, SOCKET_LEN, "%s", path) < SOCKET_LEN)
        err = form_detect(d, why);
    if (err != TACIT_OK) {
        free(d);
        return err;
    }
    why[0] = 0;
    d->log = buf_make(LOG_MAX);
    tee->ops = &dstack_ops;
    tee->self = d;
    tee->name = d->is_old ? "dstack (tappd)" : "dstack";
    return TACIT_OK;
}

enum tacit_err tee_dstack_open(struct tee *tee, const struct tee_opts *opts,
                               char why[static TEE_WHY_LEN])
{
    if (opts->path != NULL)
        return agent_open(tee, opts->path, why);
    for (size_t i = 0; i < ARRAY_LEN(usual_sockets); i++)
        if (file_exists(usual_sockets[i]))
            return agent_open(tee, usual_sockets[i], why);
    snprintf(why, TEE_WHY_LEN, "no dstack agent: neither %s nor %s is there", usual_sockets[0],
             usual_sockets[ARRAY_LEN(usual_sockets) - 1]);
    return TACIT_NOT_FOUND;
}
