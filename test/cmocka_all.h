/* What every unit test includes: cmocka's headers in the order it demands, and ours for vectors. */
#ifndef TEST_CMOCKA_ALL_H
#define TEST_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* assert_int_equal prints nothing useful for errors, and cmocka's casts upset -Wconversion. */
#define assert_ok(expr) assert_int_equal((int)(expr), 0)
#define assert_err(expr, wanted) assert_int_equal((int)(expr), (int)(wanted))

#endif
