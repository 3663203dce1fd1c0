/* TLS 1.3 by OpenSSL: contexts and the memory engine of one connection. Nothing older than 1.3, no
 * tickets, no resumption, no renegotiation, so that every connection proves the key anew. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "net/tls_priv.h"

struct tls_server {
    atomic_size_t refs;
    SSL_CTX *ctx;
    uint8_t spki[32];
};

struct tls_client {
    atomic_size_t refs;
    SSL_CTX *ctx;
    enum tls_trust trust;
    uint8_t pin[32];
};

struct tls_conn {
    SSL *ssl;
    BIO *in;  /* ciphertext from the peer; owned by ssl */
    BIO *out; /* ciphertext for the peer; owned by ssl */
    struct tls_server *server;
    struct tls_client *client;
    bool is_broken; /* after a fatal error nothing but taking and freeing */
    bool is_shut;
};

static enum tacit_err spki_hash(uint8_t out[static 32], X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool is_done = len > 0 && EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return is_done ? TACIT_OK : TACIT_FORMAT;
}

/* What client and server contexts share. */
static SSL_CTX *ctx_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (ctx == NULL)
        return NULL;
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_num_tickets(ctx, 0) != 1)
        goto fail;
    /* The hybrid group exists from OpenSSL 3.5 on; a list that names it fails as a whole before. */
    if (SSL_CTX_set1_groups_list(ctx, "X25519MLKEM768:X25519:P-256:P-384") != 1 &&
        SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1)
        goto fail;
    ERR_clear_error();
    return ctx;
fail:
    ERR_clear_error();
    SSL_CTX_free(ctx);
    return NULL;
}

/* An encrypted key is refused instead of asking the terminal for its password. */
static int no_password(char *buf, int size, int rwflag, void *arg)
{
    UNUSED(buf);
    UNUSED(size);
    UNUSED(rwflag);
    UNUSED(arg);
    return -1;
}

static enum tacit_err chain_load(SSL_CTX *ctx, uint8_t spki[static 32], struct bytes pem)
{
    enum tacit_err err = TACIT_FORMAT;
    X509 *cert = NULL;
    BIO *bio = pem.len > INT_MAX ? NULL : BIO_new_mem_buf(pem.ptr, (int)pem.len);

    if (bio == NULL)
        return TACIT_NOMEM;
    cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
    if (cert == NULL || SSL_CTX_use_certificate(ctx, cert) != 1)
        goto out;
    err = spki_hash(spki, cert);
    X509_free(cert);
    while (err == TACIT_OK && (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        if (SSL_CTX_add1_chain_cert(ctx, cert) != 1)
            err = TACIT_FORMAT;
        X509_free(cert);
    }
    cert = NULL;
    if (err == TACIT_OK && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        err = TACIT_FORMAT;
out:
    X509_free(cert);
    BIO_free(bio);
    return err;
}

static enum tacit_err key_load(SSL_CTX *ctx, struct bytes pem)
{
    enum tacit_err err = TACIT_FORMAT;
    EVP_PKEY *key = NULL;
    BIO *bio = pem.len > INT_MAX ? NULL : BIO_new_mem_buf(pem.ptr, (int)pem.len);

    if (bio == NULL)
        return TACIT_NOMEM;
    key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    if (key == NULL)
        goto out;
    err = TACIT_MISMATCH;
    if (SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1)
        err = TACIT_OK;
out:
    EVP_PKEY_free(key);
    BIO_free(bio);
    return err;
}

/* Our order wins. A client that offers protocols, none of them ours, is refused (RFC 7301 3.2). */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
                   const unsigned char *in, unsigned int inlen, void *arg)
{
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *chosen = NULL;

    UNUSED(ssl);
    UNUSED(arg);
    if (SSL_select_next_proto(&chosen, outlen, ours, sizeof(ours) - 1, in, inlen) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

enum tacit_err tls_server_new(struct tls_server **out, struct bytes cert_pem, struct bytes key_pem)
{
    enum tacit_err err = TACIT_NOMEM;
    struct tls_server *tls = calloc(1, sizeof(*tls));

    *out = NULL;
    if (tls == NULL)
        return TACIT_NOMEM;
    atomic_init(&tls->refs, 1);
    tls->ctx = ctx_new(TLS_server_method());
    if (tls->ctx == NULL)
        goto fail;
    SSL_CTX_set_alpn_select_cb(tls->ctx, on_alpn, NULL);
    ERR_clear_error();
    err = chain_load(tls->ctx, tls->spki, cert_pem);
    if (err == TACIT_OK)
        err = key_load(tls->ctx, key_pem);
    ERR_clear_error();
    if (err != TACIT_OK)
        goto fail;
    *out = tls;
    return TACIT_OK;
fail:
    tls_server_unref(tls);
    return err;
}

struct tls_server *tls_server_ref(struct tls_server *tls)
{
    atomic_fetch_add_explicit(&tls->refs, 1, memory_order_relaxed);
    return tls;
}

void tls_server_unref(struct tls_server *tls)
{
    if (tls == NULL || atomic_fetch_sub_explicit(&tls->refs, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(tls->ctx);
    free(tls);
}

void tls_server_spki(const struct tls_server *tls, uint8_t out[static 32])
{
    memcpy(out, tls->spki, sizeof(tls->spki));
}

/* Stands in for chain building under TLS_TRUST_PIN: the key is everything. That the peer holds it
 * is proved by the handshake's signature, which OpenSSL checks as always. */
static int on_pin_verify(X509_STORE_CTX *store, void *arg)
{
    const struct tls_client *tls = arg;
    uint8_t spki[32];
    X509 *leaf = X509_STORE_CTX_get0_cert(store);

    if (leaf != NULL && spki_hash(spki, leaf) == TACIT_OK &&
        CRYPTO_memcmp(spki, tls->pin, sizeof(spki)) == 0) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

enum tacit_err tls_client_new(struct tls_client **out, enum tls_trust trust, const uint8_t pin[32])
{
    static const unsigned char http_1_1[] = "\x08http/1.1";
    struct tls_client *tls = calloc(1, sizeof(*tls));

    *out = NULL;
    if (tls == NULL)
        return TACIT_NOMEM;
    atomic_init(&tls->refs, 1);
    tls->trust = trust;
    if (trust == TLS_TRUST_PIN)
        memcpy(tls->pin, pin, sizeof(tls->pin));
    tls->ctx = ctx_new(TLS_client_method());
    if (tls->ctx == NULL ||
        SSL_CTX_set_alpn_protos(tls->ctx, http_1_1, sizeof(http_1_1) - 1) != 0 ||
        (trust == TLS_TRUST_SYSTEM && SSL_CTX_set_default_verify_paths(tls->ctx) != 1)) {
        tls_client_unref(tls);
        ERR_clear_error();
        return TACIT_NOMEM;
    }
    SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
    if (trust == TLS_TRUST_PIN)
        SSL_CTX_set_cert_verify_callback(tls->ctx, on_pin_verify, tls);
    *out = tls;
    return TACIT_OK;
}

struct tls_client *tls_client_ref(struct tls_client *tls)
{
    atomic_fetch_add_explicit(&tls->refs, 1, memory_order_relaxed);
    return tls;
}

void tls_client_unref(struct tls_client *tls)
{
    if (tls == NULL || atomic_fetch_sub_explicit(&tls->refs, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(tls->ctx);
    free(tls);
}

static struct tls_conn *conn_new(SSL_CTX *ctx)
{
    struct tls_conn *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    c->ssl = SSL_new(ctx);
    c->in = BIO_new(BIO_s_mem());
    c->out = BIO_new(BIO_s_mem());
    if (c->ssl == NULL || c->in == NULL || c->out == NULL) {
        BIO_free(c->in);
        BIO_free(c->out);
        SSL_free(c->ssl);
        free(c);
        ERR_clear_error();
        return NULL;
    }
    BIO_set_mem_eof_return(c->in, -1);
    SSL_set_bio(c->ssl, c->in, c->out);
    return c;
}

struct tls_conn *tls_conn_server(struct tls_server *tls)
{
    struct tls_conn *c = conn_new(tls->ctx);

    if (c == NULL)
        return NULL;
    c->server = tls_server_ref(tls);
    SSL_set_accept_state(c->ssl);
    return c;
}

static bool peer_name_set(const struct tls_client *tls, SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);
    bool is_address = address != NULL;
    char name[256]; /* OpenSSL's macro wants it writable */

    ASN1_OCTET_STRING_free(address);
    ERR_clear_error();
    if (strlen(host) >= sizeof(name))
        return false;
    memcpy(name, host, strlen(host) + 1);
    if (!is_address && SSL_set_tlsext_host_name(ssl, name) != 1)
        return false;
    if (tls->trust == TLS_TRUST_PIN)
        return true;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (is_address)
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

struct tls_conn *tls_conn_client(struct tls_client *tls, const char *host)
{
    struct tls_conn *c = conn_new(tls->ctx);

    if (c == NULL)
        return NULL;
    c->client = tls_client_ref(tls);
    SSL_set_connect_state(c->ssl);
    if (!peer_name_set(tls, c->ssl, host)) {
        ERR_clear_error();
        tls_conn_free(c);
        return NULL;
    }
    return c;
}

void tls_conn_free(struct tls_conn *c)
{
    if (c == NULL)
        return;
    SSL_free(c->ssl);
    tls_server_unref(c->server);
    tls_client_unref(c->client);
    free(c);
}

enum tacit_err tls_conn_feed(struct tls_conn *c, struct bytes cipher)
{
    size_t written = 0;

    if (cipher.len == 0)
        return TACIT_OK;
    if (BIO_write_ex(c->in, cipher.ptr, cipher.len, &written) != 1 || written != cipher.len) {
        ERR_clear_error();
        return TACIT_NOMEM;
    }
    return TACIT_OK;
}

/* OpenSSL's reason as one of ours. Alerts that came from the peer have reasons above 1000. */
static enum tacit_err reason_class(int reason)
{
    switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
    case SSL_R_UNKNOWN_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_UNSUPPORTED_SSL_VERSION:
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
        return TACIT_UNSUPPORTED;
    case ERR_R_MALLOC_FAILURE:
        return TACIT_NOMEM;
    default:
        return reason > SSL_AD_REASON_OFFSET ? TACIT_CLOSED : TACIT_FORMAT;
    }
}

/* After a failed step: what it means, and whether the connection is over. */
static enum tacit_err step_class(struct tls_conn *c, int result)
{
    int error = SSL_get_error(c->ssl, result);
    enum tacit_err err;

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return TACIT_BUSY;
    if (error == SSL_ERROR_ZERO_RETURN)
        return TACIT_CLOSED;
    c->is_broken = true;
    err = reason_class(ERR_GET_REASON(ERR_peek_error()));
    if (c->client != NULL && SSL_get_verify_result(c->ssl) != X509_V_OK)
        err = c->client->trust == TLS_TRUST_PIN ? TACIT_MISMATCH : TACIT_UNTRUSTED;
    ERR_clear_error();
    return err;
}

enum tacit_err tls_conn_handshake(struct tls_conn *c)
{
    int result;

    if (c->is_broken)
        return TACIT_STATE;
    ERR_clear_error();
    result = SSL_do_handshake(c->ssl);
    return result == 1 ? TACIT_OK : step_class(c, result);
}

bool tls_conn_is_h2(const struct tls_conn *c)
{
    const unsigned char *name = NULL;
    unsigned int len = 0;

    SSL_get0_alpn_selected(c->ssl, &name, &len);
    return bytes_eq_cstr((struct bytes){name, len}, "h2");
}

enum tacit_err tls_conn_read(struct tls_conn *c, uint8_t *out, size_t cap, size_t *got)
{
    int result;

    *got = 0;
    if (c->is_broken)
        return TACIT_STATE;
    ERR_clear_error();
    result = SSL_read_ex(c->ssl, out, cap, got);
    return result == 1 ? TACIT_OK : step_class(c, result);
}

enum tacit_err tls_conn_write(struct tls_conn *c, struct bytes plain)
{
    size_t written = 0;
    int result;

    if (plain.len == 0)
        return TACIT_OK;
    if (c->is_broken || c->is_shut)
        return TACIT_STATE;
    ERR_clear_error();
    result = SSL_write_ex(c->ssl, plain.ptr, plain.len, &written);
    if (result == 1 && written == plain.len)
        return TACIT_OK;
    c->is_broken = true;
    ERR_clear_error();
    return TACIT_NOMEM;
}

void tls_conn_shutdown(struct tls_conn *c)
{
    if (c->is_broken || c->is_shut || SSL_in_init(c->ssl) != 0)
        return;
    c->is_shut = true;
    ERR_clear_error();
    (void)SSL_shutdown(c->ssl);
    ERR_clear_error();
}

size_t tls_conn_pending(const struct tls_conn *c)
{
    return BIO_ctrl_pending(c->out);
}

size_t tls_conn_take(struct tls_conn *c, uint8_t *out, size_t cap)
{
    size_t got = 0;

    if (cap == 0 || BIO_read_ex(c->out, out, cap, &got) != 1)
        return 0;
    return got;
}
