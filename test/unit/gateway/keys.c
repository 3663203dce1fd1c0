/* Claims about the key snapshot: right keys pass, everything else is refused alike, and changes
 * made by another process are seen. */
#include "cmocka_all.h"

#include <unistd.h>

#include "gateway/keys.h"

static void accepts_live_keys_and_nothing_else(void **state)
{
    char dir[] = "/tmp/tacit-keys-XXXXXX";
    char path[64];
    char why[256];
    char text[STORE_KEY_TEXT_LEN + 1];
    char header[64];
    struct store *s;
    struct store *other;
    struct store_key made;
    struct store_key got;
    struct keys *k;

    UNUSED(state);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/s.db", dir);
    assert_ok(store_open(&s, path, why));
    k = keys_new(s);
    assert_non_null(k);
    assert_int_equal(keys_check(k, &got, (struct bytes){NULL, 0}, 1), KEY_MISSING);
    assert_int_equal(keys_check(k, &got, BYTES_LIT(""), 1), KEY_MALFORMED);
    assert_int_equal(keys_check(k, &got, BYTES_LIT("Basic abc"), 1), KEY_MALFORMED);
    assert_int_equal(keys_check(k, &got, BYTES_LIT("Bearer "), 1), KEY_INVALID);
    assert_ok(store_open(&other, path, why));
    assert_ok(store_key_create(other, &made, text, "n", 1, 50));
    snprintf(header, sizeof(header), "bearer %s", text);
    assert_int_equal(keys_check(k, &got, bytes_of(header), 1), KEY_INVALID);
    assert_ok(keys_refresh(k));
    assert_int_equal(keys_check(k, &got, bytes_of(header), 49), KEY_FINE);
    assert_string_equal(got.id, made.id);
    assert_int_equal(keys_check(k, &got, bytes_of(header), 50), KEY_INVALID);
    header[10] ^= 1;
    assert_int_equal(keys_check(k, &got, bytes_of(header), 49), KEY_INVALID);
    header[10] ^= 1;
    assert_ok(store_key_revoke(other, made.id, 2));
    assert_ok(keys_refresh(k));
    assert_int_equal(keys_check(k, &got, bytes_of(header), 49), KEY_INVALID);
    assert_string_equal(got.id, "");
    keys_free(k);
    store_close(other);
    store_close(s);
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_live_keys_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
