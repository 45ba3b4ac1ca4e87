/* SPDX-License-Identifier: MIT */
/* Sleeping until there is something to do. Interrupts are enabled in sie and never in sstatus: they end a wfi, that is all. */
#include "diosix.h"
#include "runtime.h"

/* PLIC specification 1.0.0: registers of the boot vCPU's S-mode context. */
static volatile uint32_t *plic(uint32_t base, uint32_t stride)
{
	return (volatile uint32_t *)(uintptr_t)(PLIC + base + stride * (2 * machine.boot_hart + 1));
}

#define PLIC_PRIORITY(source) ((volatile uint32_t *)(uintptr_t)PLIC + (source))
#define PLIC_ENABLE	      plic(0x2000, 0x80)
#define PLIC_THRESHOLD	      plic(0x200000, 0x1000)
#define PLIC_CLAIM	      (plic(0x200000, 0x1000) + 1)

#define UART_IER ((volatile uint8_t *)(uintptr_t)UART + 1)
#define UART_IER_RECEIVED 1

uint64_t diosix_time(void)
{
	return csr_read(time);
}

static void enable(uint32_t sources)
{
	static uint32_t enabled;

	if (enabled == sources)
		return;
	*PLIC_PRIORITY(DIOSIX_DOORBELL_IRQ) = 1;
	*PLIC_PRIORITY(UART_IRQ) = 1;
	*PLIC_THRESHOLD = 0;
	*UART_IER = sources & SOURCE(UART_IRQ) ? UART_IER_RECEIVED : 0;
	*PLIC_ENABLE = sources;
	enabled = sources;
}

void wait_for_interrupt(uint64_t deadline, uint32_t sources)
{
	uint32_t source;

	enable(sources);
	sbi_call(SBI_TIME, 0, deadline, 0, 0, 0);
	csr_write(sie, SUPERVISOR_TIMER | SUPERVISOR_EXTERNAL);
	__asm__ volatile("wfi" : : : "memory");
	/* Levels: what is not seen to by then is pending again at once. */
	if (csr_read(sip) & SUPERVISOR_EXTERNAL) {
		source = *PLIC_CLAIM;
		if (source)
			*PLIC_CLAIM = source;
	}
}

/*
 * Nothing is missed between the look at the events and the sleep: an event that comes in between raises the doorbell, and a
 * wfi with an interrupt pending does not sleep.
 */
uint64_t diosix_wait(uint64_t deadline)
{
	uint64_t events;

	while ((events = diosix_events()) == 0 && diosix_time() < deadline)
		wait_for_interrupt(deadline, SOURCE(DIOSIX_DOORBELL_IRQ));
	return events;
}
