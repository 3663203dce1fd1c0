/* What certificates and CRLs have in common. */
#ifndef CRYPTO_X509_PRIV_H
#define CRYPTO_X509_PRIV_H

#include "crypto/x509.h"

enum { X509_EXTENSIONS_MAX = 32 };

/* One Extension of a SEQUENCE OF. */
struct x509_extension {
    struct bytes oid; /* content */
    struct bytes value;
    bool is_critical;
};

/* Next extension; the cursor goes bad for a malformed one. */
struct x509_extension x509_extension_read(struct der *d);
/* Algorithm of a whole AlgorithmIdentifier element. */
enum sig_alg x509_alg(struct bytes algorithm);
/* The only commonName of a whole Name; empty if there is none or more than one. The cursor `d` goes
 * bad for a malformed name. */
struct bytes x509_name_cn(struct der *d, struct bytes name);
/* keyIdentifier of an AuthorityKeyIdentifier extension value. */
bool x509_aki_read(struct bytes *out, struct bytes value);

#endif
