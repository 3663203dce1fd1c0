/* Real captures of NEAR's service as inputs of report verification: the report, and Intel's replies
 * of the same minute put into the compact form of tdx.md 3.2. For tests only. */
#ifndef TEST_CAPTURE_H
#define TEST_CAPTURE_H

#include <tacit/report.h>

#include "base/buf.h"
#include "base/file.h"
#include "codec/hex.h"
#include "codec/jscan.h"
#include "codec/jwrite.h"

enum { CAPTURE_FILE_MAX = 8 * 1024 * 1024 };

/* 2026-06-29T02:07:00Z, inside every window of the capture. */
static const int64_t capture_now = 1782698820;

struct capture {
    struct buf report, meta, json[2];
    struct tacit_collateral_entry entries[2];
    struct tacit_collateral_set set;
    uint8_t nonce[32];
};

static inline bool capture_file(struct buf *out, const char *folder, const char *name)
{
    char path[1024];

    snprintf(path, sizeof(path), "%s/near/%s/%s", TEST_VECTORS_DIR, folder, name);
    buf_reset(out);
    return file_read(out, path) == TACIT_OK;
}

static inline void capture_put_unescaped(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t octet = text.ptr[i];

        if (octet == '%' && hex_decode_fixed(&octet, 1, bytes_slice(text, i + 1, 2)) == TACIT_OK)
            i += 2;
        buf_putc(out, octet);
    }
}

/* A member that holds an issuer chain out of a reply's header. */
static inline void capture_put_chain(struct buf *out, const char *name, struct jval meta,
                                     const char *reply, const char *header)
{
    struct buf text = buf_make(CAPTURE_FILE_MAX);
    struct jval value =
        jscan_item(jscan_member(jscan_member(jscan_member(meta, reply), "headers"), header), 0);
    struct bytes escaped;

    assert_true(jscan_str_view(&escaped, value));
    capture_put_unescaped(&text, escaped);
    buf_putf(out, "\"%s\":", name);
    jw_put_str(out, buf_bytes(&text));
    buf_putc(out, ',');
    buf_done(&text);
}

static inline void capture_put_hex(struct buf *out, const char *name, const char *folder,
                                   const char *file)
{
    struct buf der = buf_make(CAPTURE_FILE_MAX);

    assert_true(capture_file(&der, folder, file));
    buf_putf(out, "\"%s\":\"", name);
    buf_hex(out, buf_bytes(&der));
    buf_puts(out, "\",");
    buf_done(&der);
}

static inline void capture_put_signed(struct buf *out, const char *name, const char *folder,
                                      const char *file, const char *member)
{
    struct buf body = buf_make(CAPTURE_FILE_MAX);
    struct jval root;

    assert_true(capture_file(&body, folder, file));
    assert_ok(jscan_object(&root, buf_bytes(&body)));
    buf_putf(out, "\"%s\":", name);
    jw_put_str(out, jscan_member(root, member).raw);
    buf_putf(out, ",\"%s_signature\":", name);
    buf_put(out, jscan_member(root, "signature").raw);
    buf_puts(out, ",");
    buf_done(&body);
}

static inline void capture_collateral(struct buf *out, const char *folder, struct jval meta,
                                      char which)
{
    char tcb[32];

    snprintf(tcb, sizeof(tcb), "intel-tcb-info-%c.json", which);
    *out = buf_make(CAPTURE_FILE_MAX);
    buf_putc(out, '{');
    capture_put_chain(out, "pck_crl_issuer_chain", meta, "intel-pck-crl-a.der",
                      "Sgx-Pck-Crl-Issuer-Chain");
    capture_put_hex(out, "root_ca_crl", folder, "intel-root-ca-crl-a.der");
    capture_put_hex(out, "pck_crl", folder, "intel-pck-crl-a.der");
    capture_put_chain(out, "tcb_info_issuer_chain", meta, tcb, "Tcb-Info-Issuer-Chain");
    capture_put_signed(out, "tcb_info", folder, tcb, "tcbInfo");
    capture_put_chain(out, "qe_identity_issuer_chain", meta, "intel-qe-identity-a.json",
                      "Sgx-Enclave-Identity-Issuer-Chain");
    capture_put_signed(out, "qe_identity", folder, "intel-qe-identity-a.json", "enclaveIdentity");
    out->ptr[out->len - 1] = '}';
}

/* False if the shared vectors are not there. */
static inline bool capture_open(struct capture *c, const char *folder, bool has_b)
{
    static const uint8_t fmspc[2][6] = {{0x90, 0xc0, 0x6f}, {0xb0, 0xc0, 0x6f}};
    struct jval meta;
    struct bytes nonce;

    *c = (struct capture){.report = buf_make(CAPTURE_FILE_MAX), .meta = buf_make(CAPTURE_FILE_MAX)};
    if (!capture_file(&c->report, folder, "attestation-report.json") ||
        !capture_file(&c->meta, folder, "capture-meta.json"))
        return false;
    assert_ok(jscan_object(&meta, buf_bytes(&c->meta)));
    assert_true(jscan_str_view(&nonce, jscan_member(jscan_member(meta, "manifest"), "nonce_hex")));
    assert_ok(hex_decode_fixed(c->nonce, 32, nonce));
    for (size_t i = 0; i < 2; i++) {
        if (i == 1 && !has_b)
            break;
        capture_collateral(&c->json[i], folder, meta, i == 0 ? 'a' : 'b');
        c->entries[i].need = (struct tacit_collateral_need){.is_platform_ca = true, .is_tdx = true};
        memcpy(c->entries[i].need.fmspc, fmspc[i], 6);
        c->entries[i].json = buf_bytes(&c->json[i]);
        c->set.count++;
    }
    c->set.entries = c->entries;
    return true;
}

static inline void capture_close(struct capture *c)
{
    buf_done(&c->report);
    buf_done(&c->meta);
    buf_done(&c->json[0]);
    buf_done(&c->json[1]);
}

#endif
