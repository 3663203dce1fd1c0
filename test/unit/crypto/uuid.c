/* Claims about UUIDs, randomness and constant-time comparison. */
#include "cmocka_all.h"

#include "crypto/ct.h"
#include "crypto/random.h"
#include "crypto/uuid.h"

static void names_have_known_uuids(void **state)
{
    char text[UUID_TEXT_LEN + 1];

    UNUSED(state);
    uuid5_dns(text, BYTES_LIT("python.org"));
    assert_string_equal(text, "886313e1-3b8a-5372-9b90-0c9aee199e5d");
}

static void random_uuids_have_version_and_variant(void **state)
{
    static const uint8_t zeros[16] = {0};
    char text[UUID_TEXT_LEN + 1];
    char other[UUID_TEXT_LEN + 1];

    UNUSED(state);
    uuid4_from(text, zeros);
    assert_string_equal(text, "00000000-0000-4000-8000-000000000000");
    assert_ok(uuid4_make(text));
    assert_ok(uuid4_make(other));
    assert_string_not_equal(text, other);
    assert_true(uuid_is_text(bytes_of(text)));
    assert_true(text[14] == '4');
}

static void other_texts_are_not_uuids(void **state)
{
    char text[] = "886313E1-3b8a-5372-9b90-0c9aee199e5d";

    UNUSED(state);
    assert_true(uuid_is_text(bytes_of(text)));
    for (size_t len = 0; len < UUID_TEXT_LEN; len++)
        assert_false(uuid_is_text(bytes_make(text, len)));
    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        char kept = text[i];

        text[i] = 'x';
        assert_false(uuid_is_text(bytes_of(text)));
        text[i] = kept;
    }
}

static void equal_means_every_octet(void **state)
{
    uint8_t a[64];
    uint8_t b[64];

    UNUSED(state);
    assert_ok(random_fill(a, sizeof(a)));
    assert_ok(random_fill(b, sizeof(b)));
    assert_false(ct_equal(BYTES_ARRAY(a), BYTES_ARRAY(b)));
    memcpy(b, a, sizeof(a));
    assert_true(ct_equal(BYTES_ARRAY(a), BYTES_ARRAY(b)));
    assert_false(ct_equal(BYTES_ARRAY(a), bytes_make(b, 63)));
    assert_true(ct_equal(BYTES_LIT(""), (struct bytes){NULL, 0}));
    for (size_t bit = 0; bit < 512; bit++) {
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(ct_equal(BYTES_ARRAY(a), BYTES_ARRAY(b)));
        b[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_known_uuids),
        cmocka_unit_test(random_uuids_have_version_and_variant),
        cmocka_unit_test(other_texts_are_not_uuids),
        cmocka_unit_test(equal_means_every_octet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
