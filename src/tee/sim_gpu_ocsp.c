/* Simulated OCSP: each authority has a responder of its own, as NVIDIA's have. Faults touch the
 * answer about the identity certificate of device 0, or about the manifest's signer. */
#include "tee/sim_gpu_priv.h"

#include <stdio.h>

enum { OCSP_MAX = 16 * 1024, REQUEST_MAX = 4096, DAY = 24 * 60 * 60 };

/* What is asked about, and by whom it was issued. */
struct subject {
    const struct sim_gpu_entity *cert, *issuer;
    enum sim_gpu_ca issuer_ca;
    enum sim_gpu_fault fault; /* HONEST unless the fault is about this certificate */
};

static enum tacit_err subject_get(struct sim_gpu *g, struct subject *s, enum sim_gpu_asked asked)
{
    enum sim_gpu_ca ca =
        asked >= SIM_GPU_ASK_RIM_SIGNER ? sim_gpu_rim_signer(g->arch) : sim_gpu_device_ca(g->arch);
    enum tacit_err err = sim_gpu_device_make(g, &g->devices[0]);

    s->fault = asked == SIM_GPU_ASK_IDENTITY ? g->fault : SIM_GPU_HONEST;
    if (asked == SIM_GPU_ASK_RIM_SIGNER && g->fault == SIM_GPU_RIM_REVOKED)
        s->fault = SIM_GPU_OCSP_REVOKED;
    if (asked == SIM_GPU_ASK_FAMILY || asked == SIM_GPU_ASK_RIM_L3)
        ca = sim_gpu_ca_issuer(ca);
    if (asked == SIM_GPU_ASK_RIM_CA)
        ca = sim_gpu_ca_issuer(sim_gpu_ca_issuer(ca));
    s->issuer_ca = asked == SIM_GPU_ASK_IDENTITY ? ca : sim_gpu_ca_issuer(ca);
    if (err == TACIT_OK && asked == SIM_GPU_ASK_IDENTITY)
        s->cert = &g->devices[0].identity;
    else if (err == TACIT_OK)
        err = sim_gpu_ca_get(g, &s->cert, ca);
    if (err == TACIT_OK)
        err = sim_gpu_ca_get(g, &s->issuer, s->issuer_ca);
    return err;
}

/* A responder that the issuer appointed, or one that only says so. */
static enum tacit_err responder_make(struct sim_gpu *g, struct sim_gpu_entity *r,
                                     const struct subject *s)
{
    struct buf exts = buf_make(OCSP_MAX);
    bool is_old = s->fault == SIM_GPU_OCSP_OLD_RESPONDER;
    bool is_own = s->fault == SIM_GPU_OCSP_SELF_SIGNED;
    struct cert_spec spec = {.not_before_unix_s = g->now_unix_s - (int64_t)90 * DAY,
                             .not_after_unix_s = g->now_unix_s + (is_old ? -DAY : 90 * DAY)};
    char label[32];
    enum tacit_err err;

    snprintf(label, sizeof(label), "ocsp responder %u", (unsigned)s->issuer_ca);
    err = signkey_from_seed(&r->key, SIGNKEY_P384, g->seed, label);
    r->spki = buf_make(OCSP_MAX);
    r->name = buf_make(OCSP_MAX);
    r->cert = buf_make(OCSP_MAX);
    if (err == TACIT_OK)
        err = signkey_spki(r->key, &r->spki);
    if (err == TACIT_OK) {
        sim_gpu_name(&r->name, "SIMULATED OCSP Responder", NULL);
        ext_put_constraints(&exts, false, X509_NO_PATHLEN);
        ext_put_usage(&exts, X509_USE_SIGNATURE);
        if (s->fault != SIM_GPU_OCSP_NO_PURPOSE)
            ext_put_purpose(&exts, "1.3.6.1.5.5.7.3.9");
        ext_put(&exts, "1.3.6.1.5.5.7.48.1.5", false, BYTES_LIT("\x05\x00"));
        sim_gpu_derive(g, r->serial, sizeof(r->serial), label);
        r->serial[0] = 0x40;
        spec.serial = BYTES_ARRAY(r->serial);
        spec.issuer_name = buf_bytes(is_own ? &r->name : &s->issuer->name);
        spec.subject_name = buf_bytes(&r->name);
        spec.spki = buf_bytes(&r->spki);
        spec.extensions = buf_bytes(&exts);
        err = cert_make(&r->cert, &spec, is_own ? r->key : s->issuer->key);
    }
    buf_done(&exts);
    return err;
}

static struct ocsp_single single_make(const struct sim_gpu *g, const struct subject *s,
                                      struct bytes serial)
{
    struct ocsp_single one = {.issuer_name = buf_bytes(&s->issuer->name),
                              .issuer_spki = buf_bytes(&s->issuer->spki),
                              .serial = serial,
                              .id_hash = SIG_ECDSA_SHA384,
                              .this_update_unix_s = g->now_unix_s - 3600,
                              .next_update_unix_s = g->now_unix_s - 3600 + DAY};

    if (s->fault == SIM_GPU_OCSP_REVOKED)
        one.status = OCSP_STATUS_REVOKED, one.revoked_unix_s = g->now_unix_s - 7200;
    if (s->fault == SIM_GPU_OCSP_UNKNOWN)
        one.status = OCSP_STATUS_UNKNOWN;
    if (s->fault == SIM_GPU_OCSP_STALE)
        one.this_update_unix_s -= (int64_t)3 * DAY, one.next_update_unix_s -= (int64_t)3 * DAY;
    if (s->fault == SIM_GPU_OCSP_FUTURE)
        one.this_update_unix_s += DAY, one.next_update_unix_s += DAY;
    if (s->fault == SIM_GPU_OCSP_NO_END)
        one.next_update_unix_s = 0;
    return one;
}

static enum tacit_err answer_make(struct sim_gpu *g, struct buf *der, const struct subject *s,
                                  struct bytes nonce)
{
    struct sim_gpu_entity r = {0};
    uint8_t serial[SIM_GPU_SERIAL_MAX], wrong[32] = {0};
    enum tacit_err err = responder_make(g, &r, s);
    struct bytes cert = buf_bytes(&r.cert);
    struct ocsp_single one;
    struct ocsp_spec spec = {.produced_unix_s = g->now_unix_s - 3600,
                             .singles = &one,
                             .single_count = 1,
                             .nonce = nonce,
                             .certs = &cert,
                             .cert_count = 1};
    size_t from = der->len;

    memcpy(serial, s->cert->serial, sizeof(serial));
    if (s->fault == SIM_GPU_OCSP_OTHER_CERT)
        serial[s->cert->serial_len - 1] ^= 1;
    one = single_make(g, s, bytes_make(serial, s->cert->serial_len));
    spec.responder_spki = buf_bytes(&r.spki);
    if (s->fault == SIM_GPU_OCSP_NONCE)
        spec.nonce = BYTES_ARRAY(wrong);
    if (s->fault == SIM_GPU_OCSP_NO_NONCE)
        spec.nonce = (struct bytes){NULL, 0};
    if (err == TACIT_OK)
        err = ocsp_make(der, &spec, r.key);
    if (err == TACIT_OK && s->fault == SIM_GPU_OCSP_SIGNATURE) {
        /* the signature stands between the data and the certificates: hit the data instead of
         * searching it; producedAt's seconds are as signed as everything else */
        uint8_t *at = memmem(der->ptr + from, der->len - from, "Z0", 2);

        if (at != NULL)
            at[-1] = at[-1] == '0' ? '1' : '0';
    }
    sim_gpu_entity_done(&r);
    return err == TACIT_OK ? buf_err(der) : err;
}

enum tacit_err sim_gpu_ocsp(struct sim_gpu *g, struct buf *der, enum sim_gpu_asked asked,
                            struct bytes nonce)
{
    struct subject s = {0};
    enum tacit_err err = subject_get(g, &s, asked);

    if (err != TACIT_OK)
        return err;
    if (s.fault == SIM_GPU_OCSP_TRY_LATER) {
        buf_put(der, BYTES_LIT("\x30\x03\x0a\x01\x03"));
        return buf_err(der);
    }
    if (s.fault == SIM_GPU_OCSP_PAGE) {
        buf_puts(der, "<html>please log in</html>");
        return buf_err(der);
    }
    return answer_make(g, der, &s, nonce);
}

static bool serial_is(const struct sim_gpu_entity *e, struct bytes serial)
{
    return e->is_made && bytes_eq(bytes_make(e->serial, e->serial_len), serial);
}

/* Serial and nonce of a request for one certificate. */
static bool request_read(struct bytes *serial, struct bytes *nonce, struct bytes request)
{
    static const uint8_t oid_nonce[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};
    struct der whole = der_over(request);
    struct der outer = der_enter(&whole, DER_SEQUENCE);
    struct der tbs = der_enter(&outer, DER_SEQUENCE);
    struct der list = der_enter(&tbs, DER_SEQUENCE);
    struct der one = der_enter(&list, DER_SEQUENCE);
    struct der id = der_enter(&one, DER_SEQUENCE);
    struct der tagged, exts;

    der_read(&id, DER_SEQUENCE);
    der_read(&id, DER_OCTET_STRING);
    der_read(&id, DER_OCTET_STRING);
    *serial = der_unsigned(&id);
    *nonce = (struct bytes){NULL, 0};
    if (!der_finished(&id))
        return false;
    if (der_peek(&tbs) != (DER_CONTEXT_CONSTRUCTED | 2))
        return der_finished(&tbs);
    tagged = der_enter(&tbs, DER_CONTEXT_CONSTRUCTED | 2);
    exts = der_enter(&tagged, DER_SEQUENCE);
    while (der_ok(&exts) && exts.rest.len > 0) {
        struct der ext = der_enter(&exts, DER_SEQUENCE);
        struct bytes oid = der_oid(&ext);

        if (der_peek(&ext) == DER_BOOLEAN)
            der_bool(&ext);
        if (bytes_eq(oid, BYTES_ARRAY(oid_nonce))) {
            struct der value = der_over(der_read(&ext, DER_OCTET_STRING));

            *nonce = der_read(&value, DER_OCTET_STRING);
        }
    }
    return der_ok(&exts);
}

enum tacit_err sim_gpu_ocsp_request(struct sim_gpu *g, struct buf *der, struct bytes request)
{
    struct bytes serial, nonce;
    struct subject s = {0};
    enum tacit_err err = TACIT_OK;

    if (!request_read(&serial, &nonce, request))
        return TACIT_FORMAT;
    for (unsigned i = 0; i < g->gpu_count + g->switch_count && err == TACIT_OK; i++) {
        err = sim_gpu_device_make(g, &g->devices[i]);
        if (!serial_is(&g->devices[i].identity, serial))
            continue;
        s.cert = &g->devices[i].identity;
        s.issuer_ca = sim_gpu_device_ca(g->devices[i].arch);
        s.fault = i == 0 ? g->fault : SIM_GPU_HONEST;
    }
    for (unsigned ca = 0; ca < SIM_CA_COUNT && s.cert == NULL && err == TACIT_OK; ca++) {
        const struct sim_gpu_entity *e;

        err = sim_gpu_ca_get(g, &e, (enum sim_gpu_ca)ca);
        if (err != TACIT_OK || !serial_is(e, serial))
            continue;
        s.cert = e;
        s.issuer_ca = sim_gpu_ca_issuer((enum sim_gpu_ca)ca);
    }
    if (err == TACIT_OK && s.cert == NULL)
        return TACIT_NOT_FOUND;
    if (err == TACIT_OK)
        err = sim_gpu_ca_get(g, &s.issuer, s.issuer_ca);
    return err == TACIT_OK ? answer_make(g, der, &s, nonce) : err;
}
