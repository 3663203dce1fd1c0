/* The XML signature of a manifest: one fixed form, read from the tree, digests computed over
 * canonical XML. Private to attest/gpu_rim*.c, the only files that see libxml2. */
#ifndef ATTEST_GPU_RIM_SIG_H
#define ATTEST_GPU_RIM_SIG_H

#include <libxml/tree.h>

#include "attest/gpu_rim.h"

#define RIM_NS_DSIG "http://www.w3.org/2000/09/xmldsig#"

/* Fills the signature members of `out` from the Signature element, and both digests. The element is
 * unlinked from the document meanwhile and put back as last child of the root.
 *
 * Returns NULL, or a static sentence. */
const char *rim_signature_read(struct gpu_rim *out, xmlDocPtr doc, xmlNodePtr signature,
                               struct arena *arena);

/* Next element at or after `node` among its siblings, or NULL. */
xmlNodePtr rim_element(xmlNodePtr node);
/* Whether the node is the element of that name in that namespace. */
bool rim_is(xmlNodePtr node, const char *ns, const char *name);
/* Value of an attribute (ns NULL: without namespace), borrowed from the tree; ptr NULL if absent or
 * not plain text. */
struct bytes rim_attr(xmlNodePtr node, const char *ns, const char *name);

#endif
