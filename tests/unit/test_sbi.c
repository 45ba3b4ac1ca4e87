/* SPDX-License-Identifier: MIT */
/* SBI calls of long standing: BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN and legacy (SBI specification 3.0). */
#include "sbi_guest.h"

/* --- dispatch -------------------------------------------------------------------------------- */

static void what_is_not_there_is_not_supported(void **state)
{
	static const uint64_t calls[][2] = {
		{0x09, 0}, {0x0f, 0}, {0x11, 0}, {BASE, 7}, {BASE, UINT64_MAX}, {TIME, 1}, {IPI, 1}, {RFENCE, 7},
		{RFENCE, UINT64_MAX}, {PMU, 9}, {SUSP, 1}, {FWFT, 2}, {SSE, 10}, {HSM, 4}, {SRST, 1}, {DBCN, 3}, {UINT64_MAX, 0}, {BASE | UINT64_C(1) << 32, 0},
		{0x08000000, 0}, {0x09000000, 0}, {0x0a000000, 0},
	};

	for (size_t i = 0; i < COUNT(calls); i++) {
		assert_int_equal(call(calls[i][0], calls[i][1], 0, 77), SBI_ERR_NOT_SUPPORTED);
		assert_int_equal(value(), 0);
	}
}

static void base_says_what_this_is(void **state)
{
	static const uint64_t there[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN,
					 PMU, SUSP, FWFT, SSE};

	assert_int_equal(call(BASE, 0, 0), SBI_SUCCESS);
	assert_int_equal(value(), 3 << 24);
	assert_int_equal(call(BASE, 1, 0), SBI_SUCCESS);
	assert_int_equal(value(), 5);
	assert_int_equal(call(BASE, 2, 0), SBI_SUCCESS);
	assert_int_equal(value(), DIOSIX_VERSION_NUMBER);
	for (size_t i = 0; i < COUNT(there); i++) {
		assert_int_equal(call(BASE, 3, there[i]), SBI_SUCCESS);
		assert_int_equal(value(), 1);
	}
	assert_int_equal(call(BASE, 3, 0x12345678), SBI_SUCCESS);
	assert_int_equal(value(), 0);
}

static void only_a0_and_a1_change_and_of_legacy_calls_only_a0(void **state)
{
	uint64_t before[32];

	for (unsigned i = 1; i < 32; i++)
		self->arch.x[i] = 1000 + i;
	self->arch.x[16] = 0;
	self->arch.x[17] = BASE;
	memcpy(before, self->arch.x, sizeof(before));
	guest_call(self);
	assert_memory_equal(self->arch.x, before, 10 * 8);
	assert_memory_equal(self->arch.x + 12, before + 12, 20 * 8);
	self->arch.x[17] = 1;
	self->arch.x[10] = 'x';
	self->arch.x[11] = 4711;
	guest_call(self);
	assert_int_equal(self->arch.x[10], 0);
	assert_int_equal(self->arch.x[11], 4711);
}

/* --- hart masks (section 3.2) ---------------------------------------------------------------- */

static void masks_name_harts_from_their_base_on(void **state)
{
	static const struct {
		uint64_t mask, base;
		int64_t error;
		unsigned reached; /* bits of vCPUs */
	} cases[] = {
		{1, 0, 0, 1}, {7, 0, 0, 7}, {1, 2, 0, 4}, {3, 1, 0, 6}, {0, 0, 0, 0}, {0, 2, 0, 0},
		{0, ALL, 0, 7}, {0x80, ALL, 0, 7},
		{8, 0, SBI_ERR_INVALID_PARAM, 0},	 /* there is no hart 3 */
		{9, 0, SBI_ERR_INVALID_PARAM, 0},	 /* nobody is reached when one is not there */
		{1, 3, SBI_ERR_INVALID_PARAM, 0},
		{1, 64, SBI_ERR_INVALID_PARAM, 0},
		{1, ALL - 1, SBI_ERR_INVALID_PARAM, 0},
		{UINT64_C(1) << 63, 1, SBI_ERR_INVALID_PARAM, 0}, /* would wrap around to none */
		{UINT64_MAX, 0, SBI_ERR_INVALID_PARAM, 0},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		for (unsigned n = 0; n < CPUS; n++)
			atomic_store(&capsule->vcpus[n].requests, 0);
		assert_int_equal(call(IPI, 0, cases[i].mask, cases[i].base), cases[i].error);
		for (unsigned n = 0; n < CPUS; n++)
			assert_int_equal(requests(n), cases[i].reached >> n & 1 ? REQUEST_SOFT_IRQ : 0);
	}
}

static void sixty_four_vcpus_fill_a_mask(void **state)
{
	uint64_t selected;

	capsule->config.cpus = 64;
	assert_true(sbi_select(capsule, UINT64_MAX, 0, &selected));
	assert_int_equal(selected, UINT64_MAX);
	assert_true(sbi_select(capsule, 1, 63, &selected));
	assert_int_equal(selected, UINT64_C(1) << 63);
	assert_false(sbi_select(capsule, 2, 63, &selected));
	assert_true(sbi_select(capsule, 0, ALL, &selected));
	assert_int_equal(selected, UINT64_MAX);
	capsule->config.cpus = CPUS;
}

/* --- timer ----------------------------------------------------------------------------------- */

static void a_timer_takes_the_pending_interrupt_away_and_sets_the_next(void **state)
{
	arch_set_irq(self, ARCH_IRQ_TIMER, true);
	assert_int_equal(call(TIME, 0, 500), SBI_SUCCESS);
	assert_int_equal(self->arch.irqs, 0);
	assert_int_equal(fake.timer[0], 500);
	assert_int_equal(call(0, 0, 400), 0); /* the legacy call does the same */
	assert_int_equal(fake.timer[0], 400);
	assert_int_equal(call(TIME, 0, UINT64_MAX), SBI_SUCCESS);
	assert_int_equal(fake.timer[0], UINT64_MAX);
}

static void a_timer_in_the_past_fires_at_once(void **state)
{
	fake.time = 1000;
	assert_int_equal(call(TIME, 0, 0), SBI_SUCCESS);
	sched_timer();
	vcpu_serve(self);
	assert_int_equal(self->arch.irqs, 1u << ARCH_IRQ_TIMER);
	assert_int_equal(fake.timer[0], UINT64_MAX);
}

/* --- remote fences --------------------------------------------------------------------------- */

static void fences_cover_the_pages_that_they_touch(void **state)
{
	static const struct {
		uint64_t start, size, first, len;
	} cases[] = {
		{0, 0, 0, UINT64_MAX},
		{0x1000, UINT64_MAX, 0, UINT64_MAX},
		{0x1000, 0x1000, 0x1000, 0x1000},
		{0x1fff, 2, 0x1000, 0x2000},
		{0x1234, 1, 0x1000, 0x1000},
		{0x5000, 0, 0x5000, 0x1000},
		{UINT64_MAX - 0xfff, 0x1000, UINT64_MAX - 0xfff, 0x1000}, /* up to the very end */
		{0, UINT64_MAX - 1, 0, UINT64_MAX},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(call(RFENCE, 1, 1, 0, cases[i].start, cases[i].size), SBI_SUCCESS);
		vcpu_serve(self);
		assert_int_equal(fake.fence.start, cases[i].first);
		assert_int_equal(fake.fence.size, cases[i].len);
		assert_int_equal(fake.fence.asid, UINT64_MAX);
	}
	assert_int_equal(call(RFENCE, 2, 1, 0, 0x1000, 0x1000, 42), SBI_SUCCESS);
	vcpu_serve(self);
	assert_int_equal(fake.fence.asid, 42);
}

static void fences_that_wrap_or_name_nobody_are_refused_and_not_done(void **state)
{
	assert_int_equal(call(RFENCE, 1, 1, 0, UINT64_MAX - 0xfff, 0x1001), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(call(RFENCE, 2, 1, 0, 3, UINT64_MAX - 1), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(call(RFENCE, 0, 8, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(call(RFENCE, 1, 8, 0, 0, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(requests(0), 0);
}

static void hypervisor_fences_are_for_harts_with_that_extension(void **state)
{
	for (unsigned function = 3; function <= 6; function++) {
		assert_int_equal(call(RFENCE, function, 1, 0, 0x1000, 0x1000, 1), SBI_ERR_NOT_SUPPORTED);
		assert_int_equal(call(RFENCE, function, 0, ALL, 0, 0, 1), SBI_ERR_NOT_SUPPORTED);
		assert_int_equal(call(RFENCE, function, 8, 0, 0x1000, 0x1000, 1), SBI_ERR_INVALID_PARAM);
		assert_int_equal(call(RFENCE, function, 1, CPUS, 0x1000, 0x1000, 1), SBI_ERR_INVALID_PARAM);
	}
	assert_int_equal(requests(0) | requests(1) | requests(2), 0);
}

static void a_remote_fence_reaches_those_it_names(void **state)
{
	assert_int_equal(call(RFENCE, 0, 3, 0), SBI_SUCCESS);
	assert_int_equal(requests(0), REQUEST_FENCE_I);
	assert_int_equal(requests(1), REQUEST_FENCE_I);
	assert_int_equal(requests(2), 0);
	vcpu_serve(self);
	assert_int_equal(self->arch.fences_i, 1);
}

/* --- hart states ----------------------------------------------------------------------------- */

static uint64_t status(uint64_t hart)
{
	assert_int_equal(call(HSM, 2, hart), SBI_SUCCESS);
	return value();
}

static void a_stopped_hart_starts_where_it_is_told(void **state)
{
	assert_int_equal(status(0), HSM_STARTED);
	assert_int_equal(status(1), HSM_STOPPED);
	assert_int_equal(call(HSM, 0, 1, RAM + 0x100, 0xabcd), SBI_SUCCESS);
	assert_int_equal(status(1), HSM_STARTED);
	assert_true(fake.kicked[1]);
	enter(1);
	assert_int_equal(self->id, 1);
	assert_int_equal(self->arch.pc, RAM + 0x100);
	assert_int_equal(self->arch.x[10], 1);
	assert_int_equal(self->arch.x[11], 0xabcd);
}

static void starts_are_refused_with_the_reason_that_the_table_gives(void **state)
{
	assert_int_equal(call(HSM, 0, CPUS, RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(call(HSM, 0, UINT64_MAX, RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(call(HSM, 2, CPUS), SBI_ERR_INVALID_PARAM);
	assert_int_equal(call(HSM, 0, 1, RAM - 2, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(call(HSM, 0, 1, RAM + SIZE, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(call(HSM, 0, 1, RAM + 1, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(call(HSM, 0, 1, 0, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(call(HSM, 0, 1, UINT64_MAX, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(status(1), HSM_STOPPED);
	assert_int_equal(call(HSM, 0, 0, RAM, 0), SBI_ERR_ALREADY_AVAILABLE);
	assert_int_equal(call(HSM, 0, 1, RAM, 0), SBI_SUCCESS);
	assert_int_equal(call(HSM, 0, 1, RAM, 0), SBI_ERR_ALREADY_AVAILABLE);
}

static void one_that_is_about_to_stop_cannot_be_started_until_it_has(void **state)
{
	call(HSM, 0, 1, RAM, 0);
	enter(1);
	call(HSM, 1, 0);
	assert_int_equal(atomic_load(&self->hsm), HSM_STOP_PENDING);
	fake_self = &fake_harts[0];
	self = &capsule->vcpus[0];
	assert_int_equal(call(HSM, 0, 1, RAM, 0), SBI_ERR_ALREADY_AVAILABLE);
	fake_self = &fake_harts[1];
	assert_false(vcpu_serve(&capsule->vcpus[1]));
	capsule_vcpu_retired(&capsule->vcpus[1]);
	assert_int_equal(status(1), HSM_STOPPED);
	assert_int_equal(call(HSM, 0, 1, RAM, 0), SBI_SUCCESS);
}

static void suspending_waits_for_an_interrupt(void **state)
{
	self->arch.enabled = 1u << ARCH_IRQ_SOFT;
	assert_int_equal(call(HSM, 3, 0), SBI_SUCCESS);
	assert_int_equal(atomic_load(&self->hsm), HSM_SUSPENDED);
	assert_null(fake_self->current);
	vcpu_post(self, REQUEST_SOFT_IRQ);
	enter(0);
	assert_int_equal(atomic_load(&self->hsm), HSM_STARTED);
	assert_int_equal(self->arch.x[10], SBI_SUCCESS);
	/* The interrupt waits now: there is no sleep. */
	assert_int_equal(call(HSM, 3, 0), SBI_SUCCESS);
	assert_int_equal(atomic_load(&self->hsm), HSM_STARTED);
	assert_non_null(fake_self->current);
}

static void after_a_non_retentive_suspend_it_goes_on_elsewhere(void **state)
{
	call(HSM, 3, UINT64_C(1) << 63 | 0x80000000, RAM + 0x40, 99); /* the type has 32 bits */
	assert_int_equal(self->arch.pc, RAM + 0x40);
	assert_int_equal(self->arch.x[10], self->id);
	assert_int_equal(self->arch.x[11], 99);
}

static void suspends_of_kinds_that_are_not_there_are_refused(void **state)
{
	static const uint64_t kinds[] = {1, 0x0fffffff, 0x10000000, 0x7fffffff, 0x80000001, 0x90000000, 0xffffffff};

	for (size_t i = 0; i < COUNT(kinds); i++)
		assert_int_equal(call(HSM, 3, kinds[i], RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(call(HSM, 3, UINT64_C(1) << 63 | 1, RAM, 0), SBI_ERR_INVALID_PARAM);
	assert_int_equal(call(HSM, 3, 0x80000000, RAM + SIZE, 0), SBI_ERR_INVALID_ADDRESS);
	assert_int_equal(atomic_load(&self->hsm), HSM_STARTED);
}

/* --- reset ----------------------------------------------------------------------------------- */

/* Lets all vCPUs of hart 0 come by and retire; true when the board was ended. */
static bool retire_all(void)
{
	jmp_buf end;

	fake.end = &end;
	if (setjmp(end) != 0)
		return true;
	fake_run();
	return false;
}

static void a_shutdown_ends_the_capsule_and_the_last_one_the_board(void **state)
{
	call(SRST, 0, 0, 0);
	assert_true(retire_all());
	assert_true(fake.success);
	assert_int_equal(atomic_load(&capsule->state), CAPSULE_STOPPED);
	assert_non_null(strstr(fake.ports[0].output, "diosix: capsule fake: stopped\r\n"));
}

static void a_system_failure_is_a_crash(void **state)
{
	call(SRST, 0, 0, 1);
	assert_true(retire_all());
	assert_false(fake.success);
	assert_non_null(strstr(fake.ports[0].output, "diosix: capsule fake: crashed: "));
}

static void a_reboot_loads_the_capsule_again(void **state)
{
	for (unsigned kind = 1; kind <= 2; kind++) {
		call(SRST, 0, kind, 0);
		assert_false(retire_all());
		assert_int_equal(fake.reloads, kind);
		assert_int_equal(atomic_load(&capsule->state), CAPSULE_RUNNING);
		self = fake_self->current;
		assert_int_equal(self->arch.pc, RAM);
	}
	fake.reload_fails = true;
	call(SRST, 0, 1, 0);
	assert_true(retire_all());
	assert_false(fake.success);
}

static void who_loses_a_race_to_reset_does_not_come_back_either(void **state)
{
	/* Another vCPU has just begun, and has not told this one yet. */
	atomic_store(&capsule->state, CAPSULE_STOPPING);
	call(SRST, 0, 1, 0);
	assert_false(vcpu_serve(self));
	atomic_store(&capsule->state, CAPSULE_RUNNING);
}

static void only_a_crash_restarts_what_is_to_restart_on_crash(void **state)
{
	capsule->config.restart = DMFS_RESTART_ON_CRASH;
	call(SRST, 0, 0, 1);
	assert_false(retire_all());
	assert_int_equal(fake.reloads, 1);
	self = fake_self->current;
	call(SRST, 0, 0, 0);
	assert_true(retire_all());
	assert_int_equal(fake.reloads, 1);
}

static void a_guest_whose_last_vcpu_stops_has_shut_down(void **state)
{
	call(HSM, 1, 0);
	assert_true(retire_all());
	assert_true(fake.success);
}

static void resets_that_are_reserved_or_of_others_are_refused(void **state)
{
	static const uint32_t types[] = {3, 0xefffffff, 0xf0000000, 0xffffffff};
	static const uint32_t reasons[] = {2, 0xdfffffff, 0xe0000000, 0xf0000000, 0xffffffff};

	for (size_t i = 0; i < COUNT(types); i++)
		assert_int_equal(call(SRST, 0, types[i], 0), SBI_ERR_INVALID_PARAM);
	for (size_t i = 0; i < COUNT(reasons); i++)
		assert_int_equal(call(SRST, 0, 0, reasons[i]), SBI_ERR_INVALID_PARAM);
	assert_int_equal(atomic_load(&capsule->state), CAPSULE_RUNNING);
	assert_int_equal(requests(0), 0);
}

/* --- consoles -------------------------------------------------------------------------------- */

static void the_debug_console_writes_and_reads_memory(void **state)
{
	memcpy(memory() + 0x10, "hello", 5);
	assert_int_equal(call(DBCN, 0, 5, RAM + 0x10, 0), SBI_SUCCESS);
	assert_int_equal(value(), 5);
	assert_int_equal(call(DBCN, 2, 0x100 + '!'), SBI_SUCCESS);
	assert_int_equal(value(), 0);
	assert_string_equal(fake.ports[0].output, "hello!");
	assert_int_equal(call(DBCN, 1, 16, RAM, 0), SBI_SUCCESS);
	assert_int_equal(value(), 0);
	fake.ports[0].input = "typed";
	console_interrupt();
	assert_int_equal(call(DBCN, 1, 3, RAM + SIZE - 3, 0), SBI_SUCCESS);
	assert_int_equal(value(), 3);
	assert_memory_equal(memory() + SIZE - 3, "typ", 3);
}

static void a_long_write_is_done_in_part(void **state)
{
	assert_int_equal(call(DBCN, 0, SIZE, RAM, 0), SBI_SUCCESS);
	assert_in_range(value(), 1, SIZE - 1);
	assert_int_equal(fake.ports[0].output_len, value());
}

static void memory_that_is_not_the_guests_is_refused(void **state)
{
	static const uint64_t buffers[][3] = {
		{1, RAM - 1, 0}, {1, RAM + SIZE, 0}, {2, RAM + SIZE - 1, 0}, {SIZE + 1, RAM, 0},
		{UINT64_MAX, RAM, 0}, {1, RAM, 1}, {1, UINT64_MAX, 0}, {UINT64_MAX - RAM + 2, RAM, 0},
	};

	fake.ports[0].input = "x";
	console_interrupt();
	for (size_t i = 0; i < COUNT(buffers); i++)
		for (unsigned function = 0; function < 2; function++)
			assert_int_equal(call(DBCN, function, buffers[i][0], buffers[i][1], buffers[i][2]),
					 SBI_ERR_INVALID_PARAM);
	assert_int_equal(fake.ports[0].output_len, 0);
	assert_true(capsule_has_input(capsule));
}

/* The UART's interrupt is of what is in the buffer that both read. */
static void input_read_by_sbi_takes_the_uarts_interrupt_away(void **state)
{
	const uint32_t *level = &capsule->machine->plic.level[0];

	uart_write(capsule, 1, 1, 1);
	fake.ports[0].input = "ab";
	console_interrupt();
	assert_int_equal(*level, 1u << DTGEN_UART_IRQ);
	assert_int_equal(call(2, 0, 0), 'a');
	assert_int_equal(*level, 1u << DTGEN_UART_IRQ);
	assert_int_equal(call(DBCN, 1, 9, RAM, 0), SBI_SUCCESS);
	assert_int_equal(value(), 1);
	assert_int_equal(*level, 0);
}

/* --- legacy ---------------------------------------------------------------------------------- */

static void the_legacy_console_writes_and_reads_bytes(void **state)
{
	assert_int_equal(call(1, 0, 'A'), 0);
	assert_string_equal(fake.ports[0].output, "A");
	assert_int_equal(call(2, 0, 0), -1);
	fake.ports[0].input = "\xff";
	console_interrupt();
	assert_int_equal(call(2, 0, 0), 0xff);
	assert_int_equal(call(2, 0, 0), -1);
}

static void legacy_masks_are_in_memory_and_none_means_all(void **state)
{
	uint64_t mask = 6;

	memcpy(memory() + 8, &mask, sizeof(mask));
	assert_int_equal(call(4, 0, RAM + 8), 0);
	assert_int_equal(requests(0), 0);
	assert_int_equal(requests(1), REQUEST_SOFT_IRQ);
	assert_int_equal(requests(2), REQUEST_SOFT_IRQ);
	assert_int_equal(call(4, 0, 0), 0);
	assert_int_equal(requests(0), REQUEST_SOFT_IRQ);
	assert_int_equal(call(5, 0, RAM + 8), 0);
	assert_int_equal(requests(1), REQUEST_SOFT_IRQ | REQUEST_FENCE_I);
	assert_int_equal(call(6, 0, 0, 0x1000, 0x1000), 0);
	vcpu_serve(self);
	assert_int_equal(fake.fence.size, UINT64_MAX);
	assert_true(call(4, 0, RAM + 4) < 0);
	mask = 8;
	memcpy(memory() + 8, &mask, sizeof(mask));
	assert_true(call(7, 0, RAM + 8) < 0);
}

static void a_legacy_mask_that_cannot_be_read_is_the_guests_fault_at_its_call(void **state)
{
	for (unsigned extension = 4; extension <= 7; extension++) {
		self->arch.pc = RAM + 0x104; /* behind the ecall */
		self->arch.cause = 0;
		call(extension, 0, RAM + SIZE, 7);
		assert_int_equal(self->arch.cause, ARCH_LOAD_ACCESS);
		assert_int_equal(self->arch.tval, RAM + SIZE);
		assert_int_equal(self->arch.pc, RAM + 0x100);
		assert_int_equal(self->arch.x[10], RAM + SIZE);
		assert_int_equal(self->arch.x[11], 7);
	}
	assert_int_equal(requests(0) | requests(1) | requests(2), 0);
}

static void a_legacy_ipi_is_cleared_and_a_legacy_shutdown_shuts_down(void **state)
{
	assert_int_equal(call(3, 0, 0), 0); /* none had been pending */
	arch_set_irq(self, ARCH_IRQ_SOFT, true);
	assert_true(call(3, 0, 0) > 0);
	assert_int_equal(self->arch.irqs, 0);
	vcpu_post(self, REQUEST_SOFT_IRQ);
	assert_true(call(3, 0, 0) > 0);
	assert_int_equal(requests(0), 0);
	assert_int_equal(call(3, 0, 0), 0);
	call(8, 0, 0);
	assert_true(retire_all());
	assert_true(fake.success);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_not_there_is_not_supported, setup, teardown),
		cmocka_unit_test_setup_teardown(base_says_what_this_is, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a0_and_a1_change_and_of_legacy_calls_only_a0, setup, teardown),
		cmocka_unit_test_setup_teardown(masks_name_harts_from_their_base_on, setup, teardown),
		cmocka_unit_test_setup_teardown(sixty_four_vcpus_fill_a_mask, setup, teardown),
		cmocka_unit_test_setup_teardown(a_timer_takes_the_pending_interrupt_away_and_sets_the_next, setup, teardown),
		cmocka_unit_test_setup_teardown(a_timer_in_the_past_fires_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(fences_cover_the_pages_that_they_touch, setup, teardown),
		cmocka_unit_test_setup_teardown(fences_that_wrap_or_name_nobody_are_refused_and_not_done, setup, teardown),
		cmocka_unit_test_setup_teardown(hypervisor_fences_are_for_harts_with_that_extension, setup, teardown),
		cmocka_unit_test_setup_teardown(a_remote_fence_reaches_those_it_names, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stopped_hart_starts_where_it_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(starts_are_refused_with_the_reason_that_the_table_gives, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_is_about_to_stop_cannot_be_started_until_it_has, setup, teardown),
		cmocka_unit_test_setup_teardown(suspending_waits_for_an_interrupt, setup, teardown),
		cmocka_unit_test_setup_teardown(after_a_non_retentive_suspend_it_goes_on_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(suspends_of_kinds_that_are_not_there_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_shutdown_ends_the_capsule_and_the_last_one_the_board, setup, teardown),
		cmocka_unit_test_setup_teardown(a_system_failure_is_a_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reboot_loads_the_capsule_again, setup, teardown),
		cmocka_unit_test_setup_teardown(who_loses_a_race_to_reset_does_not_come_back_either, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_crash_restarts_what_is_to_restart_on_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(a_guest_whose_last_vcpu_stops_has_shut_down, setup, teardown),
		cmocka_unit_test_setup_teardown(resets_that_are_reserved_or_of_others_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_debug_console_writes_and_reads_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_write_is_done_in_part, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_that_is_not_the_guests_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(input_read_by_sbi_takes_the_uarts_interrupt_away, setup, teardown),
		cmocka_unit_test_setup_teardown(the_legacy_console_writes_and_reads_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(legacy_masks_are_in_memory_and_none_means_all, setup, teardown),
		cmocka_unit_test_setup_teardown(a_legacy_mask_that_cannot_be_read_is_the_guests_fault_at_its_call, setup, teardown),
		cmocka_unit_test_setup_teardown(a_legacy_ipi_is_cleared_and_a_legacy_shutdown_shuts_down, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
