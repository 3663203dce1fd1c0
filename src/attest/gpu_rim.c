/* Reading manifests. Invariant: values come from the same tree whose canonical form was digested,
 * and only from direct children of its root, so that wrapped or doubled parts are never read. */
#include "attest/gpu_rim.h"

#include <libxml/parser.h>
#include <stdio.h>

#include "attest/gpu_rim_sig.h"
#include "codec/hex.h"

#define NS_SWID "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
#define NS_SHA384 "http://www.w3.org/2001/04/xmlenc#sha384"

/* What a document may hold beyond elements, attributes and text. */
static const char *prescan(struct bytes xml)
{
    for (size_t i = 0; i < xml.len; i++) {
        struct bytes rest = bytes_slice(xml, i, xml.len - i);

        if (xml.ptr[i] == 0)
            return "the document holds a NUL octet";
        if (xml.ptr[i] == '<' && bytes_starts_with(rest, BYTES_LIT("<!")) &&
            !bytes_starts_with(rest, BYTES_LIT("<!--")))
            return "the document has a DOCTYPE or another declaration";
    }
    return NULL;
}

/* Namespaces must be absolute: canonical XML does not exist otherwise, and libxml2 would complain
 * on standard error. */
static bool namespaces_are_absolute(xmlNodePtr node)
{
    for (xmlNsPtr ns = node->nsDef; ns != NULL; ns = ns->next)
        if (ns->href == NULL || strchr((const char *)ns->href, ':') == NULL)
            return false;
    return true;
}

struct tally {
    size_t metas, payloads, signatures;
    const char *why;
};

/* Depth is bounded by libxml2's own limit of 256. */
static void tree_tally(struct tally *t, xmlNodePtr node)
{
    for (; node != NULL && t->why == NULL; node = node->next) {
        if (node->type == XML_TEXT_NODE || node->type == XML_COMMENT_NODE)
            continue;
        if (node->type != XML_ELEMENT_NODE)
            t->why = "the document holds other nodes than elements and text";
        else if (!namespaces_are_absolute(node))
            t->why = "a namespace is not an absolute address";
        if (t->why != NULL)
            return;
        t->metas += xmlStrEqual(node->name, (const xmlChar *)"Meta") ? 1 : 0;
        t->payloads += xmlStrEqual(node->name, (const xmlChar *)"Payload") ? 1 : 0;
        t->signatures += xmlStrEqual(node->name, (const xmlChar *)"Signature") ? 1 : 0;
        tree_tally(t, node->children);
    }
}

static bool attr_text(char *out, size_t room, xmlNodePtr node, const char *name)
{
    struct bytes v = rim_attr(node, NULL, name);

    if (v.ptr == NULL || v.len == 0 || v.len >= room)
        return false;
    for (size_t i = 0; i < v.len; i++)
        if (v.ptr[i] <= ' ' || v.ptr[i] > '~')
            return false;
    memcpy(out, v.ptr, v.len);
    out[v.len] = 0;
    return true;
}

static bool attr_u64(uint64_t *out, xmlNodePtr node, const char *name, uint64_t max)
{
    struct bytes v = rim_attr(node, NULL, name);

    *out = 0;
    return v.ptr != NULL && bytes_to_u64(out, v, max);
}

static size_t hash_attrs(xmlNodePtr node)
{
    size_t count = 0;

    for (xmlAttrPtr a = node->properties; a != NULL; a = a->next)
        if (xmlStrncmp(a->name, (const xmlChar *)"Hash", 4) == 0)
            count++;
    return count;
}

static const char *values_read(struct gpu_rim_entry *entry, xmlNodePtr node, struct arena *arena)
{
    uint8_t *mem = arena_alloc(arena, entry->count * GPU_DIGEST_LEN);
    char name[32];

    if (mem == NULL)
        return "out of memory";
    entry->value = mem;
    for (size_t i = 0; i < entry->count; i++) {
        struct bytes hex;

        snprintf(name, sizeof(name), "Hash%zu", i);
        hex = rim_attr(node, NS_SHA384, name);
        if (hex_decode_fixed(mem + i * GPU_DIGEST_LEN, GPU_DIGEST_LEN, hex) != TACIT_OK)
            return "a measurement lacks a value, or it is not 48 octets in hexadecimal";
    }
    return NULL;
}

static const char *resource_read(struct gpu_rim *out, xmlNodePtr node, struct arena *arena)
{
    struct bytes active = rim_attr(node, NULL, "active");
    struct gpu_rim_entry *entry;
    uint64_t index, count, size;

    if (!rim_is(node, NS_SWID, "Resource") ||
        !bytes_eq_cstr(rim_attr(node, NULL, "type"), "Measurement"))
        return "the payload holds something else than measurements";
    if (!attr_u64(&index, node, "index", GPU_BLOCKS_GPU - 1))
        return "a measurement has no index or one out of range";
    if (!attr_u64(&size, node, "size", UINT32_MAX) || size != GPU_DIGEST_LEN)
        return "a measurement does not have 48 octets";
    if (!attr_u64(&count, node, "alternatives", LIMIT_RIM_ALTERNATIVES) || count == 0 ||
        hash_attrs(node) != count)
        return "a measurement does not have as many values as alternatives";
    if (!bytes_eq_cstr(active, "True") && !bytes_eq_cstr(active, "False"))
        return "a measurement is neither active nor inactive";
    entry = &out->entries[index];
    if (entry->is_listed)
        return "a measurement is listed twice";
    entry->is_listed = true;
    entry->is_active = bytes_eq_cstr(active, "True");
    entry->count = (size_t)count;
    out->active_count += entry->is_active ? 1 : 0;
    return values_read(entry, node, arena);
}

static const char *payload_read(struct gpu_rim *out, xmlNodePtr payload, struct arena *arena)
{
    xmlNodePtr node = rim_element(payload->children);
    const char *why = node == NULL ? "the payload is empty" : NULL;

    for (; node != NULL && why == NULL; node = rim_element(node->next))
        why = resource_read(out, node, arena);
    return why;
}

static const char *meta_read(struct gpu_rim *out, xmlNodePtr meta, bool is_partial)
{
    if (!attr_text(out->version, sizeof(out->version), meta, "colloquialVersion"))
        return "the manifest names no version";
    if (!attr_text(out->product, sizeof(out->product), meta, "product") && !is_partial)
        return "the manifest names no product";
    return NULL;
}

static const char *tree_read(struct gpu_rim *out, xmlDocPtr doc, bool is_partial,
                             struct arena *arena)
{
    xmlNodePtr root = xmlDocGetRootElement(doc);
    xmlNodePtr meta = NULL, payload = NULL, signature = NULL, last = NULL;
    struct tally t = {0};
    const char *why;

    if (doc->intSubset != NULL || doc->extSubset != NULL)
        return "the document has a DOCTYPE";
    if (!rim_is(root, NS_SWID, "SoftwareIdentity"))
        return "the document is no SoftwareIdentity of ISO 19770-2:2015";
    tree_tally(&t, doc->children);
    if (t.why != NULL)
        return t.why;
    for (xmlNodePtr n = rim_element(root->children); n != NULL; n = rim_element(n->next)) {
        meta = rim_is(n, NS_SWID, "Meta") ? n : meta;
        payload = rim_is(n, NS_SWID, "Payload") ? n : payload;
        signature = rim_is(n, RIM_NS_DSIG, "Signature") ? n : signature;
        last = n;
    }
    if (t.metas > 1 || t.payloads != 1 || t.signatures > 1 || payload == NULL)
        return "the manifest does not have exactly one payload, or has a part twice";
    if ((meta == NULL) != (t.metas == 0) || (signature == NULL) != (t.signatures == 0))
        return "a part of the manifest stands at a wrong place";
    if (!is_partial && (meta == NULL || signature == NULL))
        return "the manifest lacks its description or its signature";
    if (signature != NULL && signature != last)
        return "the signature is not the last part of the manifest";
    why = meta == NULL ? NULL : meta_read(out, meta, is_partial);
    if (why == NULL)
        why = payload_read(out, payload, arena);
    if (why == NULL && signature != NULL)
        why = rim_signature_read(out, doc, signature, arena);
    out->is_signed = signature != NULL;
    return why;
}

enum tacit_err gpu_rim_parse(struct gpu_rim *out, const char **why, struct bytes xml,
                             bool is_partial, struct arena *arena)
{
    xmlDocPtr doc = NULL;

    *out = (struct gpu_rim){0};
    *why = "the manifest is larger than any genuine one";
    if (xml.len > LIMIT_RIM_BYTES)
        return TACIT_LIMIT;
    *why = prescan(xml);
    if (*why != NULL)
        return TACIT_FORMAT;
    *why = "the document is not well-formed XML";
    /* the encoding is forced, so that none declared inside can hide what prescan looked for */
    doc = xml.len == 0 ? NULL
                       : xmlReadMemory((const char *)xml.ptr, (int)xml.len, NULL, "UTF-8",
                                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (doc == NULL)
        return TACIT_FORMAT;
    *why = tree_read(out, doc, is_partial, arena);
    xmlFreeDoc(doc);
    if (*why == NULL)
        return TACIT_OK;
    *out = (struct gpu_rim){0};
    return TACIT_FORMAT;
}

static const char *signature_check(enum tacit_row_cause *cause, const struct gpu_rim *rim,
                                   struct gpu_links *links)
{
    struct pubkey *key = NULL;
    enum tacit_err err;

    *cause = TACIT_CAUSE_FORGED;
    if (!rim->is_signed)
        return "the manifest is not signed";
    if (memcmp(rim->digest, rim->stated_digest, GPU_DIGEST_LEN) != 0)
        return "the content is not what was signed: digests differ";
    err = gpu_key_get(&key, &rim->certs[0], links);
    if (err == TACIT_OK)
        err = pubkey_verify_raw_digest(key, BYTES_ARRAY(rim->signature),
                                       BYTES_ARRAY(rim->info_digest));
    pubkey_free(key);
    if (err != TACIT_OK)
        return "the signature does not verify with the first certificate's key";
    *cause = TACIT_CAUSE_NONE;
    return NULL;
}

void gpu_rim_verify(struct gpu_rim_state *out, const struct gpu_rim *rim,
                    const struct gpu_root *root, int64_t now_unix_s, uint32_t expired_days,
                    struct gpu_links *links)
{
    int64_t grace = (int64_t)expired_days * 24 * 60 * 60;

    *out = (struct gpu_rim_state){.expires_unix_s = INT64_MAX};
    out->signature_fault = signature_check(&out->signature_cause, rim, links);
    out->chain_fault =
        gpu_path_verify(&out->chain_cause, rim->certs, GPU_RIM_CHAIN_LEN, root, links);
    if (out->chain_fault == NULL) {
        out->chain_fault = gpu_signer_check(&rim->certs[0]);
        out->chain_cause = out->chain_fault == NULL ? TACIT_CAUSE_NONE : TACIT_CAUSE_UNTRUSTED;
    }
    for (size_t i = 0; i < GPU_RIM_CHAIN_LEN; i++) {
        const struct x509_cert *c = &rim->certs[i];

        if (now_unix_s < c->not_before_unix_s)
            out->validity_fault = "a certificate of the manifest is not yet valid";
        else if (now_unix_s - grace > c->not_after_unix_s)
            out->validity_fault = "a certificate of the manifest has expired";
        if (c->not_after_unix_s < out->expires_unix_s)
            out->expires_unix_s = c->not_after_unix_s;
    }
}
