/* SPDX-License-Identifier: MIT */
/* The end of a run, by whatever the board's device tree offers. */
#include "arch/hart.h"
#include "board_io.h"
#include "mmio.h"

#define TEST_FAIL   0x3333u /* sifive,test: a failure, the status above it */
#define TEST_STATUS (1u << 16)

#define GPIO_OUTPUT_ENABLE 0x08
#define GPIO_OUTPUT_VALUE  0x0c

static void gpio_pulse(const struct board_reset *reset)
{
	uint64_t value = reset->address + GPIO_OUTPUT_VALUE, enable = reset->address + GPIO_OUTPUT_ENABLE;
	uint32_t pin = UINT32_C(1) << reset->value, idle = reset->active_low ? pin : 0;

	mmio_write32(value, (mmio_read32(value) & ~pin) | idle);
	mmio_write32(enable, mmio_read32(enable) | pin);
	mmio_write32(value, mmio_read32(value) ^ pin);
	mmio_write32(value, mmio_read32(value) ^ pin);
}

static void apply(const struct board_reset *reset, bool success)
{
	switch (reset->type) {
	case BOARD_RESET_SYSCON:
		mmio_write32(reset->address,
			     reset->test_finisher && !success ? TEST_FAIL | TEST_STATUS : reset->value);
		break;
	case BOARD_RESET_GPIO:
		gpio_pulse(reset);
		break;
	case BOARD_RESET_NONE:
		break;
	}
}

void board_stop(bool success)
{
	apply(&board.poweroff, success);
	apply(&board.reboot, success); /* where power cannot be switched off */
	arch_park();
}
