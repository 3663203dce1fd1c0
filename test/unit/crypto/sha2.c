/* Claims about SHA-2: NIST's answers, and pieces make the same digest as the whole. */
#include "cmocka_all.h"

#include "crypto/sha2.h"
#include "hex_test.h"

static void answers_as_nist(void **state)
{
    uint8_t out[64];

    UNUSED(state);
    sha256(out, BYTES_LIT(""));
    assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256(out, BYTES_LIT("abc"));
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256(out, BYTES_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
    assert_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    sha384(out, BYTES_LIT("abc"));
    assert_hex(out, 48,
               "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
               "8086072ba1e7cc2358baeca134c825a7");
    sha384(out, BYTES_LIT(""));
    assert_hex(out, 48,
               "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
               "274edebfe76f65fbd51ad2f14898b95b");
    sha512(out, BYTES_LIT("abc"));
    assert_hex(out, 64,
               "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
               "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static void a_million_letters_in_pieces(void **state)
{
    uint8_t piece[1000];
    uint8_t out[64];
    struct sha256 s;

    UNUSED(state);
    memset(piece, 'a', sizeof(piece));
    sha256_init(&s);
    for (int i = 0; i < 1000; i++)
        sha256_add(&s, BYTES_ARRAY(piece));
    sha256_final(&s, out);
    assert_hex(out, 32, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void every_split_gives_the_same_digest(void **state)
{
    uint8_t in[300];
    uint8_t whole[64];
    uint8_t out[64];

    UNUSED(state);
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)i;
    for (size_t cut = 0; cut <= sizeof(in); cut++) {
        struct sha256 a;
        struct sha512 b;

        sha256(whole, BYTES_ARRAY(in));
        sha256_init(&a);
        sha256_add(&a, bytes_make(in, cut));
        sha256_add(&a, bytes_make(in + cut, sizeof(in) - cut));
        sha256_final(&a, out);
        assert_memory_equal(out, whole, 32);
        sha384(whole, BYTES_ARRAY(in));
        sha384_init(&b);
        sha384_add(&b, bytes_make(in, cut));
        sha384_add(&b, bytes_make(in + cut, sizeof(in) - cut));
        sha384_final(&b, out);
        assert_memory_equal(out, whole, 48);
        sha512(whole, BYTES_ARRAY(in));
        sha512_init(&b);
        sha512_add(&b, bytes_make(in, cut));
        sha512_add(&b, bytes_make(in + cut, sizeof(in) - cut));
        sha512_final(&b, out);
        assert_memory_equal(out, whole, 64);
    }
}

static void a_copied_context_finishes_on_its_own(void **state)
{
    uint8_t early[32];
    uint8_t late[32];
    struct sha256 running;
    struct sha256 copy;

    UNUSED(state);
    sha256_init(&running);
    sha256_add(&running, BYTES_LIT("ab"));
    copy = running;
    sha256_add(&copy, BYTES_LIT("c"));
    sha256_final(&copy, early);
    sha256_add(&running, BYTES_LIT("c"));
    sha256_final(&running, late);
    assert_memory_equal(early, late, 32);
    sha256_init(&copy);
    sha256_add(&copy, (struct bytes){NULL, 0});
    sha256_final(&copy, early);
    assert_hex(early, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_nist),
        cmocka_unit_test(a_million_letters_in_pieces),
        cmocka_unit_test(every_split_gives_the_same_digest),
        cmocka_unit_test(a_copied_context_finishes_on_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
