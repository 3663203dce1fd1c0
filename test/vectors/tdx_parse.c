/* Parse vectors: every field of a quote, its QE report and its PCK certificate, exactly. */
#include "vectors.h"

#include <stdio.h>
#include <string.h>

#include "attest/quote.h"
#include "attest/sgx_ext.h"
#include "codec/jscan.h"
#include "crypto/x509.h"

/* One vector under test. The first difference is kept. */
struct check {
    struct jval fields; /* object under comparison */
    char path[64];      /* its name */
    char wanted[192], actual[192], at[128];
    bool differs;
    size_t compared;
};

static void differ(struct check *c, const char *name, struct bytes wanted, struct bytes actual)
{
    if (c->differs)
        return;
    c->differs = true;
    snprintf(c->at, sizeof(c->at), "%s%s", c->path, name);
    snprintf(c->wanted, sizeof(c->wanted), "%.*s", (int)(wanted.len < 150 ? wanted.len : 150),
             wanted.len > 0 ? (const char *)wanted.ptr : "");
    snprintf(c->actual, sizeof(c->actual), "%.*s", (int)(actual.len < 150 ? actual.len : 150),
             actual.len > 0 ? (const char *)actual.ptr : "");
}

/* Members that the table does not have are not compared. */
static void hex_equal(struct check *c, const char *name, struct bytes value)
{
    struct jval want = jscan_member(c->fields, name);
    struct buf hex = buf_make(1 << 18);

    if (want.type == JVAL_NONE)
        return;
    buf_hex(&hex, value);
    c->compared++;
    if (!jscan_str_eq(want, buf_bytes(&hex)))
        differ(c, name, want.raw, buf_bytes(&hex));
    buf_done(&hex);
}

static void number_equal(struct check *c, const char *name, uint64_t value)
{
    struct jval want = jscan_member(c->fields, name);
    uint64_t n = 0;
    char text[32];

    if (want.type == JVAL_NONE)
        return;
    c->compared++;
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    if (!jscan_u64(&n, want, UINT64_MAX) || n != value)
        differ(c, name, want.raw, bytes_of(text));
}

static void flag_equal(struct check *c, const char *name, enum tacit_platform_flag flag)
{
    struct jval want = jscan_member(c->fields, name);
    bool b = false;

    if (want.type == JVAL_NONE)
        return;
    c->compared++;
    if (want.type == JVAL_NULL
            ? flag != TACIT_FLAG_UNKNOWN
            : !jscan_bool(&b, want) || flag != (b ? TACIT_FLAG_TRUE : TACIT_FLAG_FALSE))
        differ(c, name, want.raw, BYTES_LIT("another flag"));
}

static void sgx_equal(struct check *c, const struct tacit_sgx_report *r)
{
    hex_equal(c, "cpusvn", r->cpusvn);
    hex_equal(c, "miscselect", r->miscselect);
    hex_equal(c, "attributes", r->attributes);
    hex_equal(c, "mrenclave", r->mrenclave);
    hex_equal(c, "mrsigner", r->mrsigner);
    number_equal(c, "isvprodid", r->isvprodid);
    number_equal(c, "isvsvn", r->isvsvn);
    hex_equal(c, "report_data", r->report_data);
}

static void td_equal(struct check *c, const struct tacit_td_report *r)
{
    hex_equal(c, "tee_tcb_svn", r->tee_tcb_svn);
    hex_equal(c, "mrseam", r->mrseam);
    hex_equal(c, "mrsignerseam", r->mrsignerseam);
    hex_equal(c, "seamattributes", r->seam_attributes);
    hex_equal(c, "tdattributes", r->td_attributes);
    hex_equal(c, "seam_attributes", r->seam_attributes);
    hex_equal(c, "td_attributes", r->td_attributes);
    hex_equal(c, "xfam", r->xfam);
    hex_equal(c, "mrtd", r->mrtd);
    hex_equal(c, "mrconfigid", r->mrconfigid);
    hex_equal(c, "mrowner", r->mrowner);
    hex_equal(c, "mrownerconfig", r->mrownerconfig);
    hex_equal(c, "rtmr0", r->rtmr[0]);
    hex_equal(c, "rtmr1", r->rtmr[1]);
    hex_equal(c, "rtmr2", r->rtmr[2]);
    hex_equal(c, "rtmr3", r->rtmr[3]);
    hex_equal(c, "report_data", r->report_data);
    hex_equal(c, "reportdata", r->report_data);
    hex_equal(c, "tee_tcb_svn2", r->tee_tcb_svn2);
    hex_equal(c, "mrservicetd", r->mrservicetd);
}

static void components_equal(struct check *c, const struct sgx_ext *e)
{
    struct jiter it = jscan_iter(jscan_member(c->fields, "comps"));
    struct jval item;
    size_t i = 0;

    for (; jscan_next(&it, NULL, &item); i++) {
        uint64_t n = 0;

        c->compared++;
        if (i >= TCB_COMPONENTS || !jscan_u64(&n, item, 255) || n != e->components[i])
            differ(c, "comps", item.raw, BYTES_LIT("another number"));
    }
}

/* Serials are printed without leading zeros, down to the nibble. */
static void serial_equal(struct check *c, struct bytes serial)
{
    struct jval want = jscan_member(c->fields, "serial");
    struct buf hex = buf_make(256);
    struct bytes text;

    buf_hex(&hex, serial);
    text = buf_bytes(&hex);
    if (text.len > 1 && text.ptr[0] == '0')
        text = bytes_slice(text, 1, text.len);
    c->compared++;
    if (!jscan_str_eq(want, text))
        differ(c, "serial", want.raw, text);
    buf_done(&hex);
}

static void pck_equal(struct check *c, const struct tacit_quote *q)
{
    struct arena arena = arena_make(1 << 18);
    struct x509_cert chain[8];
    struct bytes value;
    struct sgx_ext e = {0};
    bool is_critical;
    size_t count = 0;

    if (x509_parse_pem(chain, ARRAY_LEN(chain), &count, q->cert_data, &arena) != TACIT_OK ||
        !x509_ext(&chain[0], BYTES_ARRAY(sgx_ext_oid), &value, &is_critical) ||
        sgx_ext_parse(&e, value) != TACIT_OK) {
        differ(c, "", BYTES_LIT("a PCK certificate"), BYTES_LIT("none that can be read"));
    } else {
        hex_equal(c, "ppid", BYTES_ARRAY(e.ppid));
        number_equal(c, "pcesvn", e.pcesvn);
        hex_equal(c, "cpusvn", BYTES_ARRAY(e.cpusvn));
        components_equal(c, &e);
        hex_equal(c, "pceid", BYTES_ARRAY(e.pceid));
        hex_equal(c, "fmspc", BYTES_ARRAY(e.fmspc));
        number_equal(c, "sgx_type", e.sgx_type);
        if (e.has_platform_instance_id)
            hex_equal(c, "platform_instance_id", BYTES_ARRAY(e.platform_instance_id));
        flag_equal(c, "dynamic_platform", e.dynamic_platform);
        flag_equal(c, "cached_keys", e.cached_keys);
        flag_equal(c, "smt_enabled", e.smt_enabled);
        serial_equal(c, chain[0].serial);
        c->compared++;
        if (!jscan_str_eq_cstr(jscan_member(c->fields, "issuer_ca"),
                               bytes_eq_cstr(chain[0].issuer_cn, "Intel SGX PCK Platform CA")
                                   ? "platform"
                                   : "processor"))
            differ(c, "issuer_ca", jscan_member(c->fields, "issuer_ca").raw, chain[0].issuer_cn);
    }
    arena_done(&arena);
}

static void header_equal(struct check *c, const struct tacit_quote *q)
{
    number_equal(c, "version", q->version);
    number_equal(c, "att_key_type", q->att_key_type);
    number_equal(c, "tee_type", q->tee_type);
    number_equal(c, "qe_svn_field", q->header_svn1);
    number_equal(c, "pce_svn_field", q->header_svn2);
    hex_equal(c, "qe_vendor_id", q->vendor_id);
    hex_equal(c, "user_data", q->user_data);
    number_equal(c, "body_type", q->body);
    number_equal(c, "signed_bytes", q->signed_part.len);
    number_equal(c, "auth_len", q->auth.len);
    hex_equal(c, "signature", q->signature);
    hex_equal(c, "att_key", q->att_key);
    hex_equal(c, "qe_report_signature", q->qe_signature);
    hex_equal(c, "qe_auth_data", q->qe_auth_data);
    number_equal(c, "cert_type", q->cert_type);
    number_equal(c, "cert_len", q->cert_data.len);
    number_equal(c, "trailing_bytes", q->trailing.len);
    hex_equal(c, "cert_data", q->cert_data);
}

static void part_begin(struct check *c, struct jval whole, const char *name)
{
    c->fields = jscan_member(whole, name);
    snprintf(c->path, sizeof(c->path), "%s.", name);
}

static void quote_equal(struct check *c, struct jval fields, const struct tacit_quote *q)
{
    c->fields = fields;
    header_equal(c, q);
    part_begin(c, fields, "body");
    if (q->body == TACIT_BODY_SGX)
        sgx_equal(c, &q->sgx);
    else
        td_equal(c, &q->td);
    part_begin(c, fields, "qe_report");
    sgx_equal(c, &q->qe);
    part_begin(c, fields, "pck");
    if (c->fields.type == JVAL_OBJECT)
        pck_equal(c, q);
}

static void vector_run(const char *dir, struct vectors *t, struct jval vector)
{
    struct check c = {0};
    struct tacit_quote q;
    struct buf name = buf_make(256);
    struct buf quote = buf_make(1 << 20);
    const char *why = NULL;
    const char *file = NULL;

    if (jscan_str_copy(&name, jscan_member(vector, "quote")) == TACIT_OK)
        file = buf_cstr(&name);
    if (file == NULL || !vector_load(&quote, dir, file)) {
        vector_report(t, file == NULL ? "?" : file, false, "cannot be read");
    } else if (tacit_quote_parse(&q, buf_bytes(&quote), &why) != TACIT_OK) {
        vector_report(t, file, false, "expected a quote, actual: refused, %s", why);
    } else {
        quote_equal(&c, jscan_member(vector, "fields"), &q);
        vector_report(t, file, !c.differs && c.compared >= 20,
                      "%s: expected %s, actual %s (%zu fields compared)", c.at, c.wanted, c.actual,
                      c.compared);
    }
    buf_done(&quote);
    buf_done(&name);
}

static bool parse_applies(const char *dir)
{
    return vector_has(dir, "parse/manifest.json");
}

static void parse_run(struct vectors *t, const char *dir)
{
    struct buf json = buf_make(1 << 26);
    struct jval root = JVAL_ABSENT;
    struct jval item;
    struct jiter it;

    if (!vector_load(&json, dir, "parse/manifest.json") ||
        jscan_validate(&root, NULL, buf_bytes(&json)) != TACIT_OK)
        vector_report(t, "parse/manifest.json", false, "is not strict JSON");
    it = jscan_iter(jscan_member(root, "quotes"));
    while (jscan_next(&it, NULL, &item))
        vector_run(dir, t, item);
    buf_done(&json);
}

const struct suite suite_tdx_parse = {"tdx-parse", parse_applies, parse_run};
