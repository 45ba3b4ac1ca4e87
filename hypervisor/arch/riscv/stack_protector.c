/* SPDX-License-Identifier: MIT */
/* What -fstack-protector needs: the value between locals and return address, and the end of whoever changes it. */
#include <stdint.h>

#include "arch/hart.h"
#include "asm.h"
#include "board_io.h"
#include "log.h"

uintptr_t __stack_chk_guard = 0x5eed0ff1ce0dd0b1;
_Noreturn void __stack_chk_fail(void);

/*
 * Called by a function that never returns, so that none sees the value change. The lowest byte is 0: no
 * overrun by a string can write it.
 */
void stack_protector_init(const uint8_t *seed, uint32_t len)
{
	uintptr_t value = __stack_chk_guard ^ arch_time();

	for (uint32_t i = 0; i < len; i++)
		value = (value ^ seed[i]) * 0x100000001b3;
	__stack_chk_guard = value & ~(uintptr_t)0xff;
}

void __stack_chk_fail(void)
{
	log_panic();
	log_line(DIOSIX_LOG_ERROR, "diosix: panic: a stack overrun in %p: a bug in the hypervisor",
		 __builtin_return_address(0));
	board_stop(false);
}
