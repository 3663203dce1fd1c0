/* Claims about the arena: capped, aligned, zeroed. */
#include "cmocka_all.h"

#include "base/arena.h"

static void hands_out_aligned_zeroed_memory_up_to_its_cap(void **state)
{
    struct arena a = arena_make(10000);
    uint8_t *p = arena_alloc(&a, 3);
    uint8_t *q = arena_alloc(&a, 9000);

    UNUSED(state);
    assert_non_null(p);
    assert_non_null(q);
    assert_int_equal((uintptr_t)p % 16, 0);
    assert_int_equal((uintptr_t)q % 16, 0);
    assert_true(bytes_is_zero(bytes_make(q, 9000)));
    assert_null(arena_alloc(&a, 2000));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_string_equal(arena_str(&a, BYTES_LIT("text")), "text");
    assert_true(bytes_eq_cstr(arena_dup(&a, BYTES_LIT("dup")), "dup"));
    arena_done(&a);
    arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_aligned_zeroed_memory_up_to_its_cap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
