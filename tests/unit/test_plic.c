/* SPDX-License-Identifier: MIT */
/* The guest's PLIC, register by register (RISC-V PLIC specification 1.0.0), used as Linux uses it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include "machine.h"

#define PRIORITY(source)       (4 * (uint64_t)(source))
#define PENDING(word)	       (0x1000 + 4 * (uint64_t)(word))
#define ENABLE(context, word)  (0x2000 + 0x80 * (uint64_t)(context) + 4 * (uint64_t)(word))
#define THRESHOLD(context)     (0x200000 + 0x1000 * (uint64_t)(context))
#define CLAIM(context)	       (THRESHOLD(context) + 4)
#define S_MODE(vcpu)	       (2 * (vcpu) + 1)

static struct capsule *capsule;

static int setup(void **state)
{
	fake_reset(2);
	capsule = fake_capsule(2, 4096);
	return 0;
}

static uint32_t get(uint64_t offset)
{
	uint64_t value = UINT64_MAX;

	assert_true(plic_read(capsule, offset, 4, &value));
	return (uint32_t)value;
}

static void set(uint64_t offset, uint32_t value)
{
	assert_true(plic_write(capsule, offset, 4, value));
}

static void set_line(uint32_t source, bool level)
{
	lock(&capsule->machine->lock);
	plic_set_level(capsule, source, level);
	unlock(&capsule->machine->lock);
}

static bool line(unsigned vcpu)
{
	return atomic_load(&capsule->vcpus[vcpu].external);
}

/* Enables a source for a vCPU's supervisor mode, as Linux does when a driver asks for it. */
static void enable(unsigned vcpu, uint32_t source, uint32_t priority)
{
	set(PRIORITY(source), priority);
	set(ENABLE(S_MODE(vcpu), source / 32), get(ENABLE(S_MODE(vcpu), source / 32)) | 1u << source % 32);
}

static void an_interrupt_is_pending_claimed_and_completed(void **state)
{
	enable(0, 10, 1);
	assert_false(line(0));
	set_line(10, true);
	assert_true(line(0));
	assert_int_equal(get(PENDING(0)), 1 << 10);
	assert_int_equal(get(CLAIM(1)), 10);
	assert_int_equal(get(PENDING(0)), 0);
	assert_false(line(0));
	assert_int_equal(get(CLAIM(1)), 0);
	set_line(10, false);
	set(CLAIM(1), 10);
	assert_false(line(0));
	assert_int_equal(get(CLAIM(1)), 0);
}

static void a_line_that_is_still_raised_at_completion_is_pending_again(void **state)
{
	enable(0, 10, 1);
	set_line(10, true);
	assert_int_equal(get(CLAIM(1)), 10);
	set(CLAIM(1), 10);
	assert_true(line(0));
	assert_int_equal(get(CLAIM(1)), 10);
}

static void a_change_of_the_line_is_posted_to_its_vcpu_alone(void **state)
{
	enable(1, 33, 1);
	set_line(33, true);
	assert_true(line(1));
	assert_false(line(0));
	assert_int_equal(atomic_load(&capsule->vcpus[1].requests), REQUEST_LINES);
	assert_int_equal(atomic_load(&capsule->vcpus[0].requests), 0);
}

static void two_that_have_it_enabled_are_told_and_one_gets_it(void **state)
{
	enable(0, 5, 1);
	enable(1, 5, 1);
	set_line(5, true);
	assert_true(line(0) && line(1));
	assert_int_equal(get(CLAIM(S_MODE(1))), 5);
	assert_false(line(0) || line(1));
	assert_int_equal(get(CLAIM(S_MODE(0))), 0);
}

static void the_highest_priority_wins_and_the_lowest_number_a_tie(void **state)
{
	enable(0, 40, 3);
	enable(0, 7, 3);
	enable(0, 95, 7);
	enable(0, 1, 1);
	set_line(1, true);
	set_line(7, true);
	set_line(40, true);
	set_line(95, true);
	assert_int_equal(get(CLAIM(1)), 95);
	assert_int_equal(get(CLAIM(1)), 7);
	assert_int_equal(get(CLAIM(1)), 40);
	assert_int_equal(get(CLAIM(1)), 1);
	assert_int_equal(get(CLAIM(1)), 0);
}

static void a_threshold_masks_priorities_up_to_itself(void **state)
{
	enable(0, 10, 3);
	set_line(10, true);
	set(THRESHOLD(1), 3);
	assert_int_equal(get(THRESHOLD(1)), 3);
	assert_false(line(0));
	assert_int_equal(get(CLAIM(1)), 0);
	set(THRESHOLD(1), 2);
	assert_true(line(0));
	assert_int_equal(get(CLAIM(1)), 10);
}

static void priority_zero_never_interrupts(void **state)
{
	enable(0, 10, 0);
	set_line(10, true);
	assert_false(line(0));
	assert_int_equal(get(PENDING(0)), 1 << 10);
	assert_int_equal(get(CLAIM(1)), 0);
	set(PRIORITY(10), 1);
	assert_true(line(0));
}

static void what_is_not_enabled_is_pending_but_not_delivered(void **state)
{
	set(PRIORITY(10), 1);
	set_line(10, true);
	assert_int_equal(get(PENDING(0)), 1 << 10);
	assert_false(line(0));
	enable(0, 10, 1);
	assert_true(line(0));
	set(ENABLE(1, 0), 0);
	assert_false(line(0));
}

/* Section 9 of the specification. */
static void completing_what_is_not_enabled_is_ignored(void **state)
{
	enable(0, 10, 1);
	set_line(10, true);
	assert_int_equal(get(CLAIM(1)), 10);
	set(CLAIM(3), 10);
	assert_false(line(0));
	set(ENABLE(1, 0), 0);
	set(CLAIM(1), 10);
	enable(0, 10, 1);
	assert_false(line(0));
	set(CLAIM(1), 10);
	assert_true(line(0));
}

static void completing_numbers_that_are_none_is_ignored(void **state)
{
	static const uint32_t numbers[] = {0, 96, 127, 1023, 1024, 0x80000000, UINT32_MAX};

	enable(0, 10, 1);
	set_line(10, true);
	assert_int_equal(get(CLAIM(1)), 10);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		set(CLAIM(1), numbers[i]);
	assert_false(line(0));
	assert_int_equal(get(CLAIM(1)), 0);
}

static void registers_keep_only_the_bits_that_there_are(void **state)
{
	set(PRIORITY(1), UINT32_MAX);
	assert_int_equal(get(PRIORITY(1)), 7);
	set(THRESHOLD(1), UINT32_MAX);
	assert_int_equal(get(THRESHOLD(1)), 7);
	set(ENABLE(1, 0), UINT32_MAX);
	assert_int_equal(get(ENABLE(1, 0)), UINT32_MAX - 1); /* there is no source 0 */
	set(PRIORITY(0), 1);
	assert_int_equal(get(PRIORITY(0)), 0);
	set(PENDING(0), UINT32_MAX);
	assert_int_equal(get(PENDING(0)), 0);
}

/* Every word of the window, of sources, words and contexts that are and are not there. */
static void reserved_registers_read_zero_and_ignore_writes(void **state)
{
	struct plic before = capsule->machine->plic;

	for (uint64_t at = 0; at < DTGEN_PLIC_SIZE; at += 4) {
		bool priority = at >= 4 && at < 0x180;
		bool enables = at >= 0x2000 && at < ENABLE(4, 0) && (at - 0x2000) % 0x80 < 12;
		bool context = at >= 0x200000 && at < THRESHOLD(4) && (at & 0xfff) < 8;

		if (priority || enables || context)
			continue;
		set(at, UINT32_MAX);
		assert_int_equal(get(at), 0);
	}
	assert_memory_equal(&before, &capsule->machine->plic, sizeof(before));
}

static void only_words_can_be_read_and_written(void **state)
{
	static const unsigned widths[] = {1, 2, 8};
	uint64_t value;

	for (unsigned i = 0; i < 3; i++) {
		assert_false(plic_read(capsule, CLAIM(1), widths[i], &value));
		assert_false(plic_write(capsule, PRIORITY(8), widths[i], 1));
	}
	assert_int_equal(get(PRIORITY(8)), 0);
}

static void a_restart_forgets_lines_and_what_vcpus_were_told(void **state)
{
	enable(0, 10, 1);
	set_line(10, true);
	assert_true(line(0));
	machine_reset(capsule);
	assert_false(line(0));
	assert_int_equal(get(PENDING(0)), 0);
	assert_int_equal(get(ENABLE(1, 0)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_interrupt_is_pending_claimed_and_completed, setup),
		cmocka_unit_test_setup(a_line_that_is_still_raised_at_completion_is_pending_again, setup),
		cmocka_unit_test_setup(a_change_of_the_line_is_posted_to_its_vcpu_alone, setup),
		cmocka_unit_test_setup(two_that_have_it_enabled_are_told_and_one_gets_it, setup),
		cmocka_unit_test_setup(the_highest_priority_wins_and_the_lowest_number_a_tie, setup),
		cmocka_unit_test_setup(a_threshold_masks_priorities_up_to_itself, setup),
		cmocka_unit_test_setup(priority_zero_never_interrupts, setup),
		cmocka_unit_test_setup(what_is_not_enabled_is_pending_but_not_delivered, setup),
		cmocka_unit_test_setup(completing_what_is_not_enabled_is_ignored, setup),
		cmocka_unit_test_setup(completing_numbers_that_are_none_is_ignored, setup),
		cmocka_unit_test_setup(registers_keep_only_the_bits_that_there_are, setup),
		cmocka_unit_test_setup(reserved_registers_read_zero_and_ignore_writes, setup),
		cmocka_unit_test_setup(only_words_can_be_read_and_written, setup),
		cmocka_unit_test_setup(a_restart_forgets_lines_and_what_vcpus_were_told, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
