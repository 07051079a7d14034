/* cmocka_all.h - cmocka, with what it wants included before it. */
#ifndef TESTS_CMOCKA_ALL_H
#define TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A test between the set_up and the tear_down of its file. */
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
