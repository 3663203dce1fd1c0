/* Keccak-f[1600] and the sponge over it: rate 136, capacity 512 bits, padding 0x01 .. 0x80.
 * Lanes are numbered x + 5 y. Indexes and rotations are constants, hence no secret-dependent
 * access. */
#include "crypto/keccak.h"

enum { ROUNDS = 24, RATE_LANES = KECCAK256_RATE / 8 };

static const uint64_t round_constant[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/* The walk of rho and pi: from lane 1, each step moves to walk_lane[i] rotated by walk_turn[i]. */
static const uint8_t walk_lane[24] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                      15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
static const uint8_t walk_turn[24] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                      27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};

static uint64_t rotate_left(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static void theta(uint64_t a[static 25])
{
    uint64_t c[5];

#pragma GCC unroll 5
    for (size_t x = 0; x < 5; x++)
        c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
#pragma GCC unroll 5
    for (size_t x = 0; x < 5; x++) {
        uint64_t d = c[(x + 4) % 5] ^ rotate_left(c[(x + 1) % 5], 1);

#pragma GCC unroll 5
        for (size_t y = 0; y < 25; y += 5)
            a[x + y] ^= d;
    }
}

static void rho_pi(uint64_t a[static 25])
{
    uint64_t moving = a[1];

#pragma GCC unroll 24
    for (size_t i = 0; i < 24; i++) {
        uint64_t next = a[walk_lane[i]];

        a[walk_lane[i]] = rotate_left(moving, walk_turn[i]);
        moving = next;
    }
}

static void chi(uint64_t a[static 25])
{
#pragma GCC unroll 5
    for (size_t y = 0; y < 25; y += 5) {
        uint64_t row[5];

        memcpy(row, a + y, sizeof(row));
#pragma GCC unroll 5
        for (size_t x = 0; x < 5; x++)
            a[x + y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
}

static void permute(uint64_t a[static 25])
{
    for (size_t i = 0; i < ROUNDS; i++) {
        theta(a);
        rho_pi(a);
        chi(a);
        a[0] ^= round_constant[i];
    }
}

static void absorb(struct keccak256 *k, const uint8_t block[static KECCAK256_RATE])
{
    for (size_t i = 0; i < RATE_LANES; i++) {
        uint64_t lane = 0;

        for (size_t j = 0; j < 8; j++)
            lane |= (uint64_t)block[8 * i + j] << (8 * j);
        k->lanes[i] ^= lane;
    }
    permute(k->lanes);
}

void keccak256_init(struct keccak256 *k)
{
    memset(k, 0, sizeof(*k));
}

void keccak256_add(struct keccak256 *k, struct bytes in)
{
    while (in.len > 0) {
        size_t take = KECCAK256_RATE - k->fill < in.len ? KECCAK256_RATE - k->fill : in.len;

        memcpy(k->block + k->fill, in.ptr, take);
        k->fill += take;
        in = bytes_slice(in, take, in.len - take);
        if (k->fill == KECCAK256_RATE) {
            absorb(k, k->block);
            k->fill = 0;
        }
    }
}

void keccak256_final(struct keccak256 *k, uint8_t out[static KECCAK256_LEN])
{
    memset(k->block + k->fill, 0, KECCAK256_RATE - k->fill);
    k->block[k->fill] ^= 0x01;
    k->block[KECCAK256_RATE - 1] ^= 0x80;
    absorb(k, k->block);
    for (size_t i = 0; i < KECCAK256_LEN; i++)
        out[i] = (uint8_t)(k->lanes[i / 8] >> (8 * (i % 8)));
    explicit_bzero(k, sizeof(*k));
}

void keccak256(uint8_t out[static KECCAK256_LEN], struct bytes in)
{
    struct keccak256 k;

    keccak256_init(&k);
    keccak256_add(&k, in);
    keccak256_final(&k, out);
}
