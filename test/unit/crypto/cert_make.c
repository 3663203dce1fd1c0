/* Claims about made certificates, CRLs and OCSP answers: the strict parser reads back what was
 * asked for, and chains and revocations verify. */
#include "cmocka_all.h"

#include "crypto/cert_make.h"
#include "crypto/spki.h"
#include "hex_test.h"

static const uint8_t seed[SIGNKEY_SEED_LEN] = {42};
static const int64_t early = 1700000000;
static const int64_t late = 1900000000;

/* A CA or leaf with everything that its certificate needs. */
struct party {
    struct signkey *key;
    struct buf name;
    struct buf spki;
    struct buf exts;
    struct buf der;
    uint8_t key_id[CERT_KEY_ID_LEN];
};

static void party_init(struct party *p, enum signkey_kind kind, const char *common)
{
    const struct cert_rdn rdns[] = {{"2.5.4.3", DER_UTF8_STRING, common},
                                    {"2.5.4.10", DER_UTF8_STRING, "Some Organisation"},
                                    {"2.5.4.6", DER_PRINTABLE_STRING, "US"}};

    *p = (struct party){.name = buf_make(1024),
                        .spki = buf_make(1024),
                        .exts = buf_make(1024),
                        .der = buf_make(8192)};
    assert_ok(signkey_from_seed(&p->key, kind, seed, common));
    cert_name(&p->name, rdns, ARRAY_LEN(rdns));
    assert_ok(signkey_spki(p->key, &p->spki));
    cert_key_id(p->key_id, buf_bytes(&p->spki));
}

static void party_done(struct party *p)
{
    signkey_free(p->key);
    buf_done(&p->name);
    buf_done(&p->spki);
    buf_done(&p->exts);
    buf_done(&p->der);
}

static void certify(struct party *subject, const struct party *issuer, const char *serial)
{
    struct cert_spec spec = {.serial = bytes_of(serial),
                             .issuer_name = buf_bytes(&issuer->name),
                             .subject_name = buf_bytes(&subject->name),
                             .not_before_unix_s = early,
                             .not_after_unix_s = late,
                             .spki = buf_bytes(&subject->spki),
                             .extensions = buf_bytes(&subject->exts)};

    assert_ok(cert_make(&subject->der, &spec, issuer->key));
}

static void make_ca(struct party *ca, enum signkey_kind kind)
{
    party_init(ca, kind, "A Root");
    ext_put_constraints(&ca->exts, true, 1);
    ext_put_usage(&ca->exts, X509_USE_CERT_SIGN | X509_USE_CRL_SIGN);
    ext_put_ski(&ca->exts, ca->key_id);
    certify(ca, ca, "\x01");
}

static void make_leaf(struct party *leaf, const struct party *ca)
{
    party_init(leaf, SIGNKEY_P256, "A Leaf");
    ext_put_aki(&leaf->exts, ca->key_id);
    ext_put_crl_url(&leaf->exts, "https://example.org/crl");
    ext_put_ski(&leaf->exts, leaf->key_id);
    ext_put_usage(&leaf->exts, X509_USE_SIGNATURE | X509_USE_NON_REPUDIATION);
    ext_put_constraints(&leaf->exts, false, X509_NO_PATHLEN);
    ext_put(&leaf->exts, "1.2.840.113741.1.13.1", false, BYTES_LIT("\x30\x00"));
    certify(leaf, ca, "\x80\x02");
}

static void a_chain_reads_back_and_verifies(void **state)
{
    static const enum signkey_kind kinds[] = {SIGNKEY_P256, SIGNKEY_P384, SIGNKEY_RSA2048};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct party ca;
        struct party leaf;
        struct x509_cert ca_view;
        struct x509_cert view;
        struct pubkey *key;

        make_ca(&ca, kinds[i]);
        make_leaf(&leaf, &ca);
        assert_ok(x509_parse(&ca_view, buf_bytes(&ca.der)));
        assert_ok(x509_parse(&view, buf_bytes(&leaf.der)));
        assert_true(bytes_eq_cstr(view.subject_cn, "A Leaf"));
        assert_true(bytes_eq_cstr(view.issuer_cn, "A Root"));
        assert_true(bytes_eq(view.serial, BYTES_LIT("\x80\x02")));
        assert_true(view.not_before_unix_s == early && view.not_after_unix_s == late);
        assert_true(view.has_constraints && !view.is_ca && view.pathlen == X509_NO_PATHLEN);
        assert_int_equal(view.usage, X509_USE_SIGNATURE | X509_USE_NON_REPUDIATION);
        assert_true(bytes_eq(view.aki, bytes_make(ca.key_id, CERT_KEY_ID_LEN)));
        assert_true(bytes_eq(view.ski, bytes_make(leaf.key_id, CERT_KEY_ID_LEN)));
        assert_false(view.has_unknown_critical);
        assert_true(ca_view.is_ca && ca_view.pathlen == 1);
        assert_ok(x509_key(&key, &ca_view, NULL));
        assert_ok(x509_issues(&ca_view, key, &view, 0));
        assert_ok(x509_issues(&ca_view, key, &ca_view, 0));
        leaf.der.ptr[leaf.der.len / 2] ^= 1;
        assert_false(x509_parse(&view, buf_bytes(&leaf.der)) == TACIT_OK &&
                     x509_issues(&ca_view, key, &view, 0) == TACIT_OK);
        pubkey_free(key);
        party_done(&ca);
        party_done(&leaf);
    }
}

static void a_crl_lists_whom_it_revokes(void **state)
{
    static const struct crl_entry revoked[] = {{{(const uint8_t *)"\x80\x02", 2}, 1700000100},
                                               {{(const uint8_t *)"\x05", 1}, 1700000100}};
    struct buf der = buf_make(4096);
    struct party ca;
    struct x509_cert ca_view;
    struct x509_crl crl;
    struct pubkey *key;
    struct crl_spec spec;

    UNUSED(state);
    make_ca(&ca, SIGNKEY_P256);
    spec = (struct crl_spec){.issuer_name = buf_bytes(&ca.name),
                             .this_update_unix_s = early,
                             .next_update_unix_s = late,
                             .number = 7,
                             .has_number = true,
                             .key_id = ca.key_id,
                             .revoked = revoked,
                             .revoked_count = ARRAY_LEN(revoked)};
    assert_ok(crl_make(&der, &spec, ca.key));
    assert_ok(x509_crl_parse(&crl, buf_bytes(&der)));
    assert_true(crl.has_number && bytes_eq(crl.number, BYTES_LIT("\x07")));
    assert_int_equal(crl.revoked_count, 2);
    assert_true(x509_crl_lists(&crl, BYTES_LIT("\x80\x02")));
    assert_false(x509_crl_lists(&crl, BYTES_LIT("\x02")));
    assert_ok(x509_parse(&ca_view, buf_bytes(&ca.der)));
    assert_ok(x509_key(&key, &ca_view, NULL));
    assert_ok(x509_crl_issued_by(&crl, &ca_view, key));
    buf_reset(&der);
    spec.revoked_count = 0;
    assert_ok(crl_make(&der, &spec, ca.key));
    assert_ok(x509_crl_parse(&crl, buf_bytes(&der)));
    assert_int_equal(crl.revoked_count, 0);
    assert_ok(x509_crl_issued_by(&crl, &ca_view, key));
    pubkey_free(key);
    party_done(&ca);
    buf_done(&der);
}

static void the_same_seed_makes_the_same_certificate(void **state)
{
    struct party a;
    struct party b;

    UNUSED(state);
    make_ca(&a, SIGNKEY_P384);
    make_ca(&b, SIGNKEY_P384);
    assert_true(bytes_eq(buf_bytes(&a.der), buf_bytes(&b.der)));
    party_done(&a);
    party_done(&b);
}

static void a_tls_identity_is_complete(void **state)
{
    static const char *const names[] = {"node.example.org", "127.0.0.1", "::1"};
    struct buf cert = buf_make(8192);
    struct buf key = buf_make_secret(8192);
    struct arena arena = arena_make(65536);
    struct x509_cert view;
    struct signkey *back;
    struct bytes san;
    bool is_critical;
    size_t count;
    uint8_t spki[32];

    UNUSED(state);
    assert_ok(cert_self_signed(&cert, &key, names, 3, early));
    assert_ok(x509_parse_pem(&view, 1, &count, buf_bytes(&cert), &arena));
    assert_true(bytes_eq_cstr(view.subject_cn, names[0]));
    assert_true(x509_valid_at(&view, early) && !x509_valid_at(&view, early - 7200));
    assert_true(x509_ext(&view, BYTES_LIT("\x55\x1d\x11"), &san, &is_critical));
    assert_true(bytes_find(san, BYTES_LIT("\x82\x10node.example.org")) != SIZE_MAX);
    assert_true(bytes_find(san, BYTES_LIT("\x87\x04\x7f\x00\x00\x01")) != SIZE_MAX);
    assert_true(bytes_find(san, BYTES_LIT("\x87\x10")) != SIZE_MAX);
    assert_ok(signkey_from_pem(&back, buf_bytes(&key)));
    assert_int_equal(signkey_kind(back), SIGNKEY_P256);
    assert_ok(spki_of_cert_pem(spki, buf_bytes(&cert)));
    assert_err(cert_self_signed(&cert, &key, names, 0, early), TACIT_USAGE);
    signkey_free(back);
    arena_done(&arena);
    buf_done(&cert);
    buf_done(&key);
}

/* The reading half of OCSP lives elsewhere; here the structure is walked by hand. */
static void an_ocsp_answer_has_the_parts_asked_for(void **state)
{
    struct buf der = buf_make(8192);
    struct bytes cert;
    struct party ca;
    struct ocsp_single single;
    struct ocsp_spec spec;
    struct pubkey *pub;
    struct der d, response, body, basic_octets, basic;
    struct bytes data, sig;

    UNUSED(state);
    make_ca(&ca, SIGNKEY_P384);
    cert = buf_bytes(&ca.der);
    single = (struct ocsp_single){.issuer_name = buf_bytes(&ca.name),
                                  .issuer_spki = buf_bytes(&ca.spki),
                                  .serial = BYTES_LIT("\x09"),
                                  .id_hash = SIG_ECDSA_SHA384,
                                  .status = OCSP_STATUS_REVOKED,
                                  .revoked_unix_s = early,
                                  .this_update_unix_s = early,
                                  .next_update_unix_s = late};
    spec = (struct ocsp_spec){.responder_spki = buf_bytes(&ca.spki),
                              .produced_unix_s = early,
                              .singles = &single,
                              .single_count = 1,
                              .nonce = BYTES_LIT("0123456789abcdef"),
                              .certs = &cert,
                              .cert_count = 1};
    assert_ok(ocsp_make(&der, &spec, ca.key));
    d = der_over(buf_bytes(&der));
    response = der_enter(&d, DER_SEQUENCE);
    assert_int_equal(der_u64(&response, DER_ENUMERATED, 9), 0);
    body = der_enter(&response, DER_CONTEXT_CONSTRUCTED);
    body = der_enter(&body, DER_SEQUENCE);
    der_oid(&body);
    basic_octets = der_over(der_read(&body, DER_OCTET_STRING));
    basic = der_enter(&basic_octets, DER_SEQUENCE);
    data = der_whole(&basic, DER_SEQUENCE);
    der_whole(&basic, DER_SEQUENCE);
    sig = der_bits(&basic);
    assert_true(bytes_find(der_whole(&basic, DER_CONTEXT_CONSTRUCTED), cert) != SIZE_MAX);
    assert_true(der_finished(&basic) && der_finished(&body) && der_finished(&d));
    assert_ok(pubkey_from_spki(&pub, buf_bytes(&ca.spki), NULL));
    assert_ok(pubkey_verify(pub, SIG_ECDSA_SHA384, sig, data));
    pubkey_free(pub);
    party_done(&ca);
    buf_done(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_reads_back_and_verifies),
        cmocka_unit_test(a_crl_lists_whom_it_revokes),
        cmocka_unit_test(the_same_seed_makes_the_same_certificate),
        cmocka_unit_test(a_tls_identity_is_complete),
        cmocka_unit_test(an_ocsp_answer_has_the_parts_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
