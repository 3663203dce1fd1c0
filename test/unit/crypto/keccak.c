/* Claims about Keccak-256: Ethereum's answers, also around the block length, whole and in pieces.
 * The answers for 135..256 octets come from an independent implementation that was checked against
 * a library's SHA3-256. */
#include "cmocka_all.h"

#include "crypto/keccak.h"
#include "hex_test.h"

static void answers_as_ethereum(void **state)
{
    uint8_t out[32];

    UNUSED(state);
    keccak256(out, BYTES_LIT(""));
    assert_hex(out, 32, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    keccak256(out, BYTES_LIT("abc"));
    assert_hex(out, 32, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    keccak256(out, BYTES_LIT("testing"));
    assert_hex(out, 32, "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02");
}

static void pads_right_around_the_block_length(void **state)
{
    static const struct {
        size_t len;
        const char *digest;
    } cases[] = {
        {135, "cbdfd9dee5faad3818d6b06f95a219fd290b0e1706f6a82e5a595b9ce9faca62"},
        {136, "7ce759f1ab7f9ce437719970c26b0a66ff11fe3e38e17df89cf5d29c7d7f807e"},
        {137, "ac73d4fae68b8453f764007c1a20ce95994187861f0c3227a3a8e99a73a3b1db"},
        {256, "dc924469b334aed2a19fac7252e9961aea41f8d91996366029dbe0884229bf36"},
    };
    uint8_t in[256];
    uint8_t out[32];

    UNUSED(state);
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)i;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        keccak256(out, bytes_make(in, cases[i].len));
        assert_hex(out, 32, cases[i].digest);
        for (size_t cut = 0; cut <= cases[i].len; cut++) {
            struct keccak256 k;

            keccak256_init(&k);
            keccak256_add(&k, bytes_make(in, cut));
            keccak256_add(&k, bytes_make(in + cut, cases[i].len - cut));
            keccak256_final(&k, out);
            assert_hex(out, 32, cases[i].digest);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_ethereum),
        cmocka_unit_test(pads_right_around_the_block_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
