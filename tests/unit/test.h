/* SPDX-License-Identifier: GPL-2.0-only */
/* What every unit test includes: cmocka with the headers it wants first, and the short way to say a
 * test's name, which is a claim: TEST(looping_chain_is_refused) { assert_int_equal(...); }
 *   TESTS(T(looping_chain_is_refused), T(...))          (the end of the file: main() that runs
 * them) */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TEST(name) static void name(void **state __attribute__((unused)))
#define T(name) cmocka_unit_test(name)
#define TESTS(...)                                                                                 \
	int main(void)                                                                             \
	{                                                                                          \
		const struct CMUnitTest tests_[] = { __VA_ARGS__ };                                \
		return cmocka_run_group_tests(tests_, NULL, NULL);                                 \
	}
