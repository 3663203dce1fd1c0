/* Extensions of certificates and CRLs, each appended whole to a list of extensions. */
#include <arpa/inet.h>

#include "crypto/cert_make.h"

/* Begins an Extension up to its OCTET STRING; returns both marks through `marks`. */
static void ext_open(struct buf *exts, size_t marks[static 2], const char *oid, bool is_critical)
{
    marks[0] = der_open(exts, DER_SEQUENCE);
    der_put_oid(exts, oid);
    if (is_critical)
        der_put_bool(exts, true);
    marks[1] = der_open(exts, DER_OCTET_STRING);
}

static void ext_close(struct buf *exts, const size_t marks[static 2])
{
    der_close(exts, marks[1]);
    der_close(exts, marks[0]);
}

void ext_put(struct buf *exts, const char *oid, bool is_critical, struct bytes value_der)
{
    size_t marks[2];

    ext_open(exts, marks, oid, is_critical);
    buf_put(exts, value_der);
    ext_close(exts, marks);
}

void ext_put_constraints(struct buf *exts, bool is_ca, int32_t pathlen)
{
    size_t marks[2];
    size_t value;

    ext_open(exts, marks, "2.5.29.19", true);
    value = der_open(exts, DER_SEQUENCE);
    if (is_ca)
        der_put_bool(exts, true);
    if (pathlen >= 0)
        der_put_u64(exts, DER_INTEGER, (uint64_t)pathlen);
    der_close(exts, value);
    ext_close(exts, marks);
}

/* A named bit list: bit 0 is the top bit of the first octet, and trailing zero bits are left out.
 */
void ext_put_usage(struct buf *exts, uint32_t usage)
{
    uint8_t octets[3] = {0};
    unsigned highest = 0;
    size_t marks[2];

    for (unsigned bit = 0; bit < 9; bit++) {
        if ((usage & BIT(bit)) == 0)
            continue;
        octets[1 + bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        highest = bit;
    }
    octets[0] = (uint8_t)(7 - highest % 8);
    ext_open(exts, marks, "2.5.29.15", true);
    der_put(exts, DER_BIT_STRING, bytes_make(octets, highest < 8 ? 2 : 3));
    ext_close(exts, marks);
}

void ext_put_purpose(struct buf *exts, const char *oid)
{
    size_t marks[2];
    size_t value;

    ext_open(exts, marks, "2.5.29.37", false);
    value = der_open(exts, DER_SEQUENCE);
    der_put_oid(exts, oid);
    der_close(exts, value);
    ext_close(exts, marks);
}

void ext_put_ski(struct buf *exts, const uint8_t key_id[static CERT_KEY_ID_LEN])
{
    size_t marks[2];

    ext_open(exts, marks, "2.5.29.14", false);
    der_put(exts, DER_OCTET_STRING, bytes_make(key_id, CERT_KEY_ID_LEN));
    ext_close(exts, marks);
}

void ext_put_aki(struct buf *exts, const uint8_t key_id[static CERT_KEY_ID_LEN])
{
    size_t marks[2];
    size_t value;

    ext_open(exts, marks, "2.5.29.35", false);
    value = der_open(exts, DER_SEQUENCE);
    der_put(exts, DER_CONTEXT, bytes_make(key_id, CERT_KEY_ID_LEN));
    der_close(exts, value);
    ext_close(exts, marks);
}

void ext_put_crl_url(struct buf *exts, const char *url)
{
    size_t marks[2];
    size_t nested[4];

    ext_open(exts, marks, "2.5.29.31", false);
    nested[0] = der_open(exts, DER_SEQUENCE);            /* CRLDistributionPoints */
    nested[1] = der_open(exts, DER_SEQUENCE);            /* DistributionPoint */
    nested[2] = der_open(exts, DER_CONTEXT_CONSTRUCTED); /* distributionPoint */
    nested[3] = der_open(exts, DER_CONTEXT_CONSTRUCTED); /* fullName */
    der_put(exts, DER_CONTEXT | 6, bytes_of(url));
    for (size_t i = ARRAY_LEN(nested); i-- > 0;)
        der_close(exts, nested[i]);
    ext_close(exts, marks);
}

static void alt_name_put(struct buf *exts, const char *name)
{
    uint8_t address[16];

    if (inet_pton(AF_INET, name, address) == 1)
        der_put(exts, DER_CONTEXT | 7, bytes_make(address, 4));
    else if (inet_pton(AF_INET6, name, address) == 1)
        der_put(exts, DER_CONTEXT | 7, bytes_make(address, 16));
    else
        der_put(exts, DER_CONTEXT | 2, bytes_of(name));
}

void ext_put_alt_names(struct buf *exts, const char *const *names, size_t count)
{
    size_t marks[2];
    size_t value;

    ext_open(exts, marks, "2.5.29.17", false);
    value = der_open(exts, DER_SEQUENCE);
    for (size_t i = 0; i < count; i++)
        alt_name_put(exts, names[i]);
    der_close(exts, value);
    ext_close(exts, marks);
}
