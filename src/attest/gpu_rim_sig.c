/* XML signature of a manifest. Exactly one form is accepted (spec: gpu.md 3.2): inclusive canonical
 * XML 1.1, ECDSA with SHA-384, one reference to the whole document, four certificates. What a
 * signature could say beyond that is refused, so that nothing else needs to be got right. */
#include "attest/gpu_rim_sig.h"

#include <libxml/c14n.h>

#include "codec/base64.h"
#include "crypto/sha2.h"

#define ALG_C14N11 "http://www.w3.org/2006/12/xml-c14n11"
#define ALG_ECDSA_SHA384 "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
#define ALG_SHA384 "http://www.w3.org/2001/04/xmldsig-more#sha384"
#define ALG_ENVELOPED "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

xmlNodePtr rim_element(xmlNodePtr node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

bool rim_is(xmlNodePtr node, const char *ns, const char *name)
{
    return node != NULL && node->type == XML_ELEMENT_NODE && node->ns != NULL &&
           xmlStrEqual(node->ns->href, (const xmlChar *)ns) &&
           xmlStrEqual(node->name, (const xmlChar *)name);
}

/* Content of a list that is one text, or nothing. */
static struct bytes text_only(xmlNodePtr children)
{
    if (children == NULL)
        return bytes_of("");
    if (children->type != XML_TEXT_NODE || children->next != NULL || children->content == NULL)
        return (struct bytes){NULL, 0};
    return bytes_of((const char *)children->content);
}

struct bytes rim_attr(xmlNodePtr node, const char *ns, const char *name)
{
    for (xmlAttrPtr a = node->properties; a != NULL; a = a->next) {
        bool ns_fits = ns == NULL ? a->ns == NULL
                                  : a->ns != NULL && xmlStrEqual(a->ns->href, (const xmlChar *)ns);

        if (ns_fits && xmlStrEqual(a->name, (const xmlChar *)name))
            return text_only(a->children);
    }
    return (struct bytes){NULL, 0};
}

/* A list of elements by name, nothing else beside them but white space and comments. */
static bool children_are(xmlNodePtr parent, const char *const *names, size_t count)
{
    xmlNodePtr child = rim_element(parent->children);

    for (size_t i = 0; i < count; i++) {
        if (!rim_is(child, RIM_NS_DSIG, names[i]))
            return false;
        child = rim_element(child->next);
    }
    return child == NULL;
}

static bool has_algorithm(xmlNodePtr node, const char *alg)
{
    return bytes_eq_cstr(rim_attr(node, NULL, "Algorithm"), alg) &&
           rim_element(node->children) == NULL;
}

static bool base64_fixed(uint8_t *out, size_t len, xmlNodePtr node)
{
    uint8_t room[GPU_SIGNATURE_LEN + 4];
    struct buf b = buf_over(room, sizeof(room));
    struct bytes text = text_only(node->children);

    if (text.ptr == NULL || base64_decode_spaced(&b, text) != TACIT_OK || b.len != len)
        return false;
    memcpy(out, room, len);
    return true;
}

static bool reference_read(struct gpu_rim *out, xmlNodePtr reference)
{
    static const char *const parts[] = {"Transforms", "DigestMethod", "DigestValue"};
    static const char *const transforms[] = {"Transform", "Transform"};
    struct bytes uri = rim_attr(reference, NULL, "URI");
    xmlNodePtr list, first, method;

    if (uri.ptr == NULL || uri.len != 0 || !children_are(reference, parts, ARRAY_LEN(parts)))
        return false;
    list = rim_element(reference->children);
    method = rim_element(list->next);
    if (!children_are(list, transforms, ARRAY_LEN(transforms)))
        return false;
    first = rim_element(list->children);
    return has_algorithm(first, ALG_ENVELOPED) &&
           has_algorithm(rim_element(first->next), ALG_C14N11) &&
           has_algorithm(method, ALG_SHA384) &&
           base64_fixed(out->stated_digest, GPU_DIGEST_LEN, rim_element(method->next));
}

static bool info_read(struct gpu_rim *out, xmlNodePtr info)
{
    static const char *const parts[] = {"CanonicalizationMethod", "SignatureMethod", "Reference"};
    xmlNodePtr c14n, method;

    if (!children_are(info, parts, ARRAY_LEN(parts)))
        return false;
    c14n = rim_element(info->children);
    method = rim_element(c14n->next);
    return has_algorithm(c14n, ALG_C14N11) && has_algorithm(method, ALG_ECDSA_SHA384) &&
           reference_read(out, rim_element(method->next));
}

static bool cert_read(struct x509_cert *out, xmlNodePtr node, struct arena *arena)
{
    struct bytes text = text_only(node->children);
    size_t room = base64_decoded_max(text.len);
    struct buf der;
    uint8_t *mem;

    if (text.ptr == NULL || text.len > LIMIT_RIM_BYTES)
        return false;
    mem = arena_alloc(arena, room);
    if (mem == NULL)
        return false;
    der = buf_over(mem, room);
    return base64_decode_spaced(&der, text) == TACIT_OK &&
           x509_parse(out, buf_bytes(&der)) == TACIT_OK;
}

/* KeyInfo holds four certificates and no other way to name a key. */
static bool keys_read(struct gpu_rim *out, xmlNodePtr key_info, struct arena *arena)
{
    static const char *const parts[] = {"X509Data"};
    static const char *const certs[] = {"X509Certificate", "X509Certificate", "X509Certificate",
                                        "X509Certificate"};
    xmlNodePtr node;

    if (!children_are(key_info, parts, ARRAY_LEN(parts)))
        return false;
    node = rim_element(key_info->children);
    if (!children_are(node, certs, ARRAY_LEN(certs)))
        return false;
    node = rim_element(node->children);
    for (size_t i = 0; i < GPU_RIM_CHAIN_LEN; i++, node = rim_element(node->next))
        if (!cert_read(&out->certs[i], node, arena))
            return false;
    return true;
}

static int hash_write(void *ctx, const char *data, int len)
{
    if (len > 0)
        sha384_add(ctx, bytes_make(data, (size_t)len));
    return len;
}

/* Whether a node, or the element that an attribute or a namespace stands at, is below ctx. */
static int is_below(void *ctx, xmlNodePtr node, xmlNodePtr parent)
{
    xmlNodePtr n = node->type == XML_NAMESPACE_DECL ? parent : node;

    for (; n != NULL; n = n->parent)
        if (n == ctx)
            return 1;
    return 0;
}

/* SHA-384 over the canonical form of the document (top NULL), or of one element in it. */
static bool canonical_digest(uint8_t out[static GPU_DIGEST_LEN], xmlDocPtr doc, xmlNodePtr top)
{
    struct sha512 hash;
    xmlOutputBufferPtr sink;
    bool ok;

    sha384_init(&hash);
    sink = xmlOutputBufferCreateIO(hash_write, NULL, &hash, NULL);
    if (sink == NULL)
        return false;
    ok = xmlC14NExecute(doc, top == NULL ? NULL : is_below, top, XML_C14N_1_1, NULL, 0, sink) >= 0;
    ok = xmlOutputBufferClose(sink) >= 0 && ok;
    sha384_final(&hash, out);
    return ok;
}

const char *rim_signature_read(struct gpu_rim *out, xmlDocPtr doc, xmlNodePtr signature,
                               struct arena *arena)
{
    static const char *const parts[] = {"SignedInfo", "SignatureValue", "KeyInfo"};
    xmlNodePtr root = xmlDocGetRootElement(doc);
    xmlNodePtr info, value;
    bool ok;

    if (!children_are(signature, parts, ARRAY_LEN(parts)))
        return "the signature has other parts than SignedInfo, SignatureValue and KeyInfo";
    info = rim_element(signature->children);
    value = rim_element(info->next);
    if (!info_read(out, info))
        return "the signature is not of the one form that is accepted";
    if (!base64_fixed(out->signature, GPU_SIGNATURE_LEN, value))
        return "the signature value is not 96 octets in base64";
    if (!keys_read(out, rim_element(value->next), arena))
        return "the signature does not bring exactly four certificates";
    ok = canonical_digest(out->info_digest, doc, info);
    xmlUnlinkNode(signature);
    ok = canonical_digest(out->digest, doc, NULL) && ok;
    xmlAddChild(root, signature);
    return ok ? NULL : "the document has no canonical form";
}
