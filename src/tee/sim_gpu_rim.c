/* Simulated reference manifests. The text is written in canonical form right away (attributes
 * sorted, empty elements expanded), so that the octets digested are the octets written. */
#include "tee/sim_gpu_priv.h"

#include <stdio.h>

#include "codec/base64.h"

#define NS_SWID "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define NS_SHA384 "http://www.w3.org/2001/04/xmlenc#sha384"
#define NS_DSIG "http://www.w3.org/2000/09/xmldsig#"
#define NS_TCG                                    \
    "https://trustedcomputinggroup.org/resource/" \
    "tcg-reference-integrity-manifest-rim-information-model/"

enum { XML_MAX = 256 * 1024, BLOCKS = 64, SWITCH_BLOCKS = 31 };

/* What a manifest is for. */
struct rim_plan {
    enum tacit_gpu_arch arch;
    bool is_driver;
    enum sim_gpu_fault fault; /* HONEST for every manifest but the faulty one */
};

static const char *plan_version(const struct rim_plan *p)
{
    return p->is_driver ? sim_gpu_driver() : sim_gpu_vbios(p->arch);
}

static void head_put(struct buf *x, const struct rim_plan *p)
{
    const char *chip = p->fault == SIM_GPU_RIM_PRODUCT ? "GX100" : sim_gpu_chip(p->arch);

    buf_putf(x,
             "<SoftwareIdentity xmlns=\"" NS_SWID "\" xmlns:ns0=\"" NS_SWID
             "\" xmlns:ns2=\"" NS_SHA384
             "\" corpus=\"false\" name=\"%s\" patch=\"false\" supplemental=\"false\""
             " tagId=\"simulated-%s\" tagVersion=\"0\" version=\"1.0\">\n",
             chip, plan_version(p));
    buf_puts(x, "    <ns0:Entity name=\"SIMULATED\" role=\"softwareCreator tagCreator\">"
                "</ns0:Entity>\n");
    buf_putf(x,
             "    <ns0:Meta xmlns:ns1=\"" NS_TCG
             "\" PayloadType=\"direct\" colloquialVersion=\"%s\" edition=\"%s\" product=\"%s\""
             " revision=\"r1\" ns1:BindingSpec=\"RIMIM\" ns1:BindingSpecVersion=\"1.01\""
             " ns1:FirmwareManufacturer=\"SIMULATED\" ns1:FirmwareManufacturerId=\"5703\""
             " ns1:PlatformManufacturerId=\"5703\" ns1:PlatformManufacturerStr=\"SIMULATED\""
             " ns1:PlatformModel=\"%s\"></ns0:Meta>\n",
             plan_version(p), p->arch == TACIT_GPU_LS10 ? "SWITCH" : "GPU", chip, chip);
}

/* One resource: the golden value, or, for index 23 of honest manifests, the second of two. */
static void resource_put(struct buf *x, const struct sim_gpu *g, const struct rim_plan *p,
                         unsigned index)
{
    bool active = sim_gpu_is_active(p->arch, p->is_driver, index);
    unsigned alternatives = p->is_driver && index == 23 ? 2 : 1;
    size_t len = SIM_GPU_DIGEST;
    uint8_t value[SIM_GPU_DIGEST];

    if (p->fault == SIM_GPU_RIM_NO_ACTIVE)
        active = false;
    if (p->fault == SIM_GPU_RIM_OVERLAP && index == 9)
        active = true;
    if (p->fault == SIM_GPU_RIM_NO_ALTERNATIVE && index == 25)
        alternatives = 0;
    if (p->fault == SIM_GPU_RIM_SIZE_32 && index == 25)
        len = 32;
    sim_gpu_golden(g, value, p->arch, p->is_driver, index);
    if (p->fault == SIM_GPU_RIM_OVERLAP && index == 9)
        sim_gpu_golden(g, value, p->arch, false, index);
    buf_putf(x,
             "        <ns0:Resource active=\"%s\" alternatives=\"%u\" index=\"%u\""
             " name=\"Measurement_%u\" size=\"%zu\" type=\"Measurement\"",
             active ? "True" : "False", alternatives, index, index, len);
    for (unsigned i = 0; i < alternatives; i++) {
        uint8_t other[SIM_GPU_DIGEST];

        memset(other, 0x5a, sizeof(other));
        buf_putf(x, " ns2:Hash%u=\"", i);
        buf_hex(x, bytes_make(i + 1 == alternatives ? value : other, len));
        buf_putc(x, '"');
    }
    buf_puts(x, "></ns0:Resource>\n");
}

static void payload_put(struct buf *x, const struct sim_gpu *g, const struct rim_plan *p)
{
    unsigned count = p->arch == TACIT_GPU_LS10 ? SWITCH_BLOCKS : BLOCKS;

    buf_puts(x, "    <ns0:Payload xmlns:SHA384=\"" NS_SHA384 "\">\n");
    for (unsigned i = 0; i < count; i++)
        resource_put(x, g, p, i);
    if (p->fault == SIM_GPU_RIM_INDEX_TWICE)
        resource_put(x, g, p, 25);
    buf_puts(x, "    </ns0:Payload>\n");
}

/* The content of SignedInfo, canonical as it stands. */
static void info_put(struct buf *x, const struct rim_plan *p,
                     const uint8_t digest[static SIM_GPU_DIGEST])
{
    const char *method = p->fault == SIM_GPU_RIM_HMAC
                             ? "http://www.w3.org/2001/04/xmldsig-more#hmac-sha384"
                             : "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";

    buf_putf(x,
             "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\">"
             "</ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"%s\">"
             "</ds:SignatureMethod><ds:Reference URI=\"%s\"><ds:Transforms>"
             "<ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\">"
             "</ds:Transform><ds:Transform Algorithm=\"http://www.w3.org/2006/12/xml-c14n11\">"
             "</ds:Transform></ds:Transforms><ds:DigestMethod "
             "Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#sha384\"></ds:DigestMethod>"
             "<ds:DigestValue>",
             method, p->fault == SIM_GPU_RIM_FRAGMENT ? "#x" : "");
    base64_encode(x, bytes_make(digest, SIM_GPU_DIGEST), BASE64_STD);
    buf_puts(x, "</ds:DigestValue></ds:Reference>");
}

static enum tacit_err info_sign(struct sim_gpu *g, uint8_t sig[static SIGNKEY_RAW_MAX],
                                const struct sim_gpu_entity *signer, const struct rim_plan *p,
                                const struct buf *info)
{
    uint8_t digest[SIM_GPU_DIGEST];
    struct signkey *rogue = NULL;
    struct sha512 hash;
    enum tacit_err err = TACIT_OK;
    size_t len;

    sha384_init(&hash);
    sha384_add(&hash, BYTES_LIT("<ds:SignedInfo xmlns=\"" NS_SWID "\" xmlns:ds=\"" NS_DSIG
                                "\" xmlns:ns0=\"" NS_SWID "\" xmlns:ns2=\"" NS_SHA384 "\">"));
    sha384_add(&hash, buf_bytes(info));
    sha384_add(&hash, BYTES_LIT("</ds:SignedInfo>"));
    sha384_final(&hash, digest);
    if (p->fault == SIM_GPU_RIM_OTHER_KEY)
        err = signkey_from_seed(&rogue, SIGNKEY_P384, g->seed, SIM_GPU_ROGUE "manifest");
    if (err == TACIT_OK)
        err = signkey_sign_raw(rogue != NULL ? rogue : signer->key, sig, &len, BYTES_ARRAY(digest));
    if (p->fault == SIM_GPU_RIM_SIGNATURE)
        sig[0] ^= 1;
    signkey_free(rogue);
    return err;
}

static enum tacit_err keys_put(struct sim_gpu *g, struct buf *x, const struct rim_plan *p)
{
    enum sim_gpu_ca ca = sim_gpu_rim_signer(p->arch);
    size_t count = p->fault == SIM_GPU_RIM_ONE_CERT ? 1 : 4;
    enum tacit_err err = TACIT_OK;

    buf_puts(x, "<ds:KeyInfo>");
    if (p->fault == SIM_GPU_RIM_KEY_VALUE)
        buf_puts(x, "<ds:KeyValue></ds:KeyValue>");
    buf_puts(x, "<ds:X509Data>");
    for (size_t i = 0; i < count && err == TACIT_OK; i++) {
        const struct sim_gpu_entity *e;

        if (i == 3 && p->fault == SIM_GPU_RIM_ROOT_DEVICE)
            ca = SIM_CA_ROOT;
        err = sim_gpu_ca_get(g, &e, ca);
        ca = sim_gpu_ca_issuer(ca);
        buf_puts(x, "<ds:X509Certificate>");
        base64_encode(x, buf_bytes(&e->cert), BASE64_STD);
        buf_puts(x, "</ds:X509Certificate>");
    }
    buf_puts(x, "</ds:X509Data></ds:KeyInfo>");
    return err;
}

static enum tacit_err signature_put(struct sim_gpu *g, struct buf *x, const struct rim_plan *p,
                                    const uint8_t digest[static SIM_GPU_DIGEST])
{
    const struct sim_gpu_entity *signer;
    struct buf info = buf_make(XML_MAX);
    uint8_t sig[SIGNKEY_RAW_MAX];
    enum tacit_err err = sim_gpu_ca_get(g, &signer, sim_gpu_rim_signer(p->arch));

    info_put(&info, p, digest);
    if (err == TACIT_OK)
        err = info_sign(g, sig, signer, p, &info);
    if (err == TACIT_OK) {
        buf_puts(x, "<ds:Signature xmlns:ds=\"" NS_DSIG "\"><ds:SignedInfo>");
        buf_put(x, buf_bytes(&info));
        buf_puts(x, "</ds:SignedInfo><ds:SignatureValue>");
        base64_encode(x, BYTES_ARRAY(sig), BASE64_STD);
        buf_puts(x, "</ds:SignatureValue>");
        err = keys_put(g, x, p);
        buf_puts(x, "</ds:Signature>");
    }
    buf_done(&info);
    return err;
}

static const char end_tag[] = "</SoftwareIdentity>";

static enum tacit_err signed_put(struct sim_gpu *g, struct buf *x, const struct rim_plan *p)
{
    uint8_t digest[SIM_GPU_DIGEST];
    struct sha512 hash;
    enum tacit_err err = TACIT_OK;
    size_t from = x->len;

    head_put(x, p);
    payload_put(x, g, p);
    sha384_init(&hash);
    sha384_add(&hash, bytes_make(x->ptr + from, x->len - from));
    sha384_add(&hash, bytes_of(end_tag));
    sha384_final(&hash, digest);
    if (p->fault != SIM_GPU_RIM_UNSIGNED)
        err = signature_put(g, x, p, digest);
    buf_puts(x, end_tag);
    return err;
}

/* The first active index becomes inactive. */
static void switched_off_put(struct buf *out, const struct buf *x)
{
    static const char on[] = "active=\"True\"";
    const uint8_t *at = memmem(x->ptr, x->len, on, sizeof(on) - 1);
    size_t before = at == NULL ? x->len : (size_t)(at - x->ptr);

    buf_put(out, bytes_slice(buf_bytes(x), 0, before));
    buf_puts(out, "active=\"False\"");
    buf_put(out, bytes_slice(buf_bytes(x), before + sizeof(on) - 1, x->len));
}

/* What is done to a manifest after it was signed. */
static void fault_after(struct buf *out, struct buf *x, enum sim_gpu_fault fault)
{
    if (fault == SIM_GPU_RIM_EDITED) {
        uint8_t *at = memmem(x->ptr, x->len, "index=\"22\"", 10);
        uint8_t *hash = at == NULL ? NULL : memmem(at, 200, "Hash0=\"", 7);

        if (hash != NULL)
            hash[7] = hash[7] == '0' ? '1' : '0';
    }
    if (fault == SIM_GPU_RIM_TRUNCATED)
        x->len /= 2;
    if (fault == SIM_GPU_RIM_DOCTYPE)
        buf_puts(out, "<!DOCTYPE SoftwareIdentity [<!ENTITY e \"x\">]>\n");
    if (fault == SIM_GPU_RIM_WRAPPED)
        buf_puts(out, "<SoftwareIdentity xmlns=\"" NS_SWID "\"><wrap>");
    if (fault == SIM_GPU_RIM_SWITCHED_OFF)
        switched_off_put(out, x);
    else
        buf_put(out, buf_bytes(x));
    if (fault == SIM_GPU_RIM_WRAPPED)
        buf_puts(out, "</wrap></SoftwareIdentity>");
}

static void id_make(char out[static SIM_GPU_ID_LEN], enum tacit_gpu_arch arch, bool is_driver)
{
    char vbios[32];
    size_t len = 0;

    for (const char *p = sim_gpu_vbios(arch); *p != 0; p++)
        if (*p != '.')
            vbios[len++] = *p;
    vbios[len] = 0;
    if (arch == TACIT_GPU_LS10)
        snprintf(out, SIM_GPU_ID_LEN, "NV_SWITCH_BIOS_5612_0002_890_%s", vbios);
    else if (!is_driver)
        snprintf(out, SIM_GPU_ID_LEN, "NV_GPU_VBIOS_%s_%s",
                 arch == TACIT_GPU_BLACKWELL ? "G525_0220_886" : "1010_0200_882", vbios);
    else
        snprintf(out, SIM_GPU_ID_LEN, "NV_GPU_%s_%s_%s",
                 arch == TACIT_GPU_BLACKWELL ? "CC_DRIVER" : "DRIVER", sim_gpu_chip(arch),
                 sim_gpu_driver());
}

size_t sim_gpu_rim_ids(const struct sim_gpu *g, char (*ids)[SIM_GPU_ID_LEN], size_t cap)
{
    size_t count = 0;

    if (cap < 3)
        return 0;
    id_make(ids[count++], g->arch, true);
    id_make(ids[count++], g->arch, false);
    if (g->switch_count > 0)
        id_make(ids[count++], TACIT_GPU_LS10, false);
    return count;
}

static bool plan_find(struct rim_plan *p, const struct sim_gpu *g, const char *id)
{
    const struct rim_plan all[] = {{g->arch, true, g->fault},
                                   {g->arch, false, SIM_GPU_HONEST},
                                   {TACIT_GPU_LS10, false, SIM_GPU_HONEST}};
    char text[SIM_GPU_ID_LEN];

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        id_make(text, all[i].arch, all[i].is_driver);
        *p = all[i];
        if (strcmp(text, id) == 0)
            return true;
    }
    return false;
}

enum tacit_err sim_gpu_rim(struct sim_gpu *g, struct buf *xml, const char *id)
{
    struct buf x = buf_make(XML_MAX);
    struct rim_plan plan;
    enum tacit_err err;

    if (!plan_find(&plan, g, id) || (plan.is_driver && g->fault == SIM_GPU_RIM_MISSING))
        return TACIT_NOT_FOUND;
    if (plan.is_driver && g->fault == SIM_GPU_RIM_SWAPPED)
        plan.is_driver = false;
    err = signed_put(g, &x, &plan);
    if (err == TACIT_OK && x.failed)
        err = TACIT_NOMEM;
    if (err == TACIT_OK)
        fault_after(xml, &x, plan.fault);
    buf_done(&x);
    return err == TACIT_OK ? buf_err(xml) : err;
}
