/* Signatures are found for 1200 seconds, the oldest give way, and the newest of an id wins. */
#include "node/sign_cache.h"

#include <stdio.h>

#include "cmocka_all.h"

static struct sign_entry entry_of(unsigned n, const char *text)
{
    struct sign_entry e = {0};

    (void)snprintf(e.id, sizeof(e.id), "chatcmpl-%u", n);
    (void)snprintf(e.text, sizeof(e.text), "%s", text);
    e.usage.completion_tokens = n;
    return e;
}

static void put(struct sign_cache *c, unsigned n, const char *text, uint64_t now_ms)
{
    struct sign_entry e = entry_of(n, text);

    assert_int_equal(sign_cache_put(c, &e, now_ms), TACIT_OK);
}

static bool has(struct sign_cache *c, unsigned n, const char *text, uint64_t now_ms)
{
    struct sign_entry wanted = entry_of(n, text), e;

    return sign_cache_get(c, &e, bytes_of(wanted.id), now_ms) == TACIT_OK &&
           strcmp(e.text, text) == 0 && e.usage.completion_tokens == n;
}

static void finds_what_was_put(void **state)
{
    struct sign_cache *c = sign_cache_new(0);
    struct sign_entry e;

    UNUSED(state);
    put(c, 1, "one", 0);
    put(c, 2, "two", 0);
    assert_true(has(c, 1, "one", 0));
    assert_true(has(c, 2, "two", 5));
    assert_int_equal(sign_cache_get(c, &e, BYTES_LIT("chatcmpl-3"), 5), TACIT_NOT_FOUND);
    assert_int_equal(sign_cache_get(c, &e, BYTES_LIT(""), 5), TACIT_NOT_FOUND);
    assert_int_equal(e.id[0], 0);
    assert_int_equal(sign_cache_count(c), 2);
    sign_cache_free(c);
}

static void forgets_after_its_time(void **state)
{
    struct sign_cache *c = sign_cache_new(0);

    UNUSED(state);
    put(c, 1, "one", 1000);
    put(c, 2, "two", 2000);
    assert_true(has(c, 1, "one", 1000 + SIGN_CACHE_TTL_MS - 1));
    assert_false(has(c, 1, "one", 1000 + SIGN_CACHE_TTL_MS));
    assert_true(has(c, 2, "two", 1000 + SIGN_CACHE_TTL_MS));
    assert_int_equal(sign_cache_count(c), 1);
    sign_cache_free(c);
}

static void the_oldest_gives_way_when_full(void **state)
{
    struct sign_cache *c = sign_cache_new(3);

    UNUSED(state);
    for (unsigned n = 0; n < 10; n++)
        put(c, n, "x", n);
    assert_false(has(c, 6, "x", 10));
    for (unsigned n = 7; n < 10; n++)
        assert_true(has(c, n, "x", 10));
    assert_int_equal(sign_cache_count(c), 3);
    sign_cache_free(c);
}

static void the_newest_of_an_id_wins(void **state)
{
    struct sign_cache *c = sign_cache_new(4);

    UNUSED(state);
    put(c, 1, "old", 0);
    put(c, 1, "new", 10);
    assert_true(has(c, 1, "new", 10));
    assert_int_equal(sign_cache_count(c), 1);
    /* The replaced one's time passes without harm to the new one. */
    assert_true(has(c, 1, "new", SIGN_CACHE_TTL_MS + 5));
    sign_cache_free(c);
}

static void many_puts_and_expiries_keep_the_chains_whole(void **state)
{
    struct sign_cache *c = sign_cache_new(64);
    uint32_t random = 1;

    UNUSED(state);
    for (unsigned i = 0; i < 20000; i++) {
        random = random * 1664525U + 1013904223U;
        put(c, random >> 24, "x", (uint64_t)i * 1000);
        assert_true(has(c, random >> 24, "x", (uint64_t)i * 1000));
        assert_true(sign_cache_count(c) <= 64);
    }
    sign_cache_free(c);
    sign_cache_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put),
        cmocka_unit_test(forgets_after_its_time),
        cmocka_unit_test(the_oldest_gives_way_when_full),
        cmocka_unit_test(the_newest_of_an_id_wins),
        cmocka_unit_test(many_puts_and_expiries_keep_the_chains_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
