/* SPDX-License-Identifier: MIT */
/* A guest has touched an address that is not its RAM: one of its devices, or a fault of its own. */
#include "machine.h"

#include <string.h>

#include "arch/guest.h"
#include "decode.h"
#include "service_abi.h"

struct device {
	uint64_t base, size;
	bool (*read)(struct capsule *capsule, uint64_t offset, unsigned width, uint64_t *value);
	bool (*write)(struct capsule *capsule, uint64_t offset, unsigned width, uint64_t value);
};

static const struct device devices[] = {
	{DTGEN_UART_BASE, DTGEN_UART_SIZE, uart_read, uart_write},
	{DTGEN_PLIC_BASE, DTGEN_PLIC_SIZE, plic_read, plic_write},
};

static const struct device *find(gpa_t at)
{
	for (unsigned i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (at.v - devices[i].base < devices[i].size)
			return &devices[i];
	return NULL;
}

static bool perform(struct vcpu *vcpu, const struct device *device, uint64_t offset,
		    const struct access *access)
{
	uint64_t value = 0;

	if (offset % access->width != 0)
		return false;
	if (access->store)
		return device->write(vcpu->capsule, offset, access->width, vcpu_reg(vcpu, access->reg));
	if (!device->read(vcpu->capsule, offset, access->width, &value))
		return false;
	vcpu_set_reg(vcpu, access->reg, extend_load(access, value));
	return true;
}

void guest_access(struct vcpu *vcpu, gpa_t at, gva_t va, enum arch_exception fault)
{
	const struct device *device = find(at);
	struct access access;
	uint32_t insn;
	bool known;

	if (device == NULL) {
		arch_inject(vcpu, fault, va.v);
		return;
	}
	vcpu->exits[DIOSIX_EXIT_DEVICE]++;
	if (arch_fetch(vcpu, &insn) != 0)
		return; /* it cannot be read any more: the guest will find out itself */
	known = decode_access(insn, &access) && !access.fp; /* devices know no floating point */
	if (known && access.store != (fault == ARCH_STORE_ACCESS))
		return; /* another vCPU has changed it: what is there now was not found permitted, and is tried anew */
	if (!known || !perform(vcpu, device, at.v - device->base, &access)) {
		arch_inject(vcpu, fault, va.v);
		return;
	}
	vcpu->arch.pc += access.insn_len;
}

uint64_t machine_size(const struct dmfs_capsule *config)
{
	(void)config;
	return sizeof(struct machine);
}

void machine_reset(struct capsule *capsule)
{
	/* Input may be coming at this very moment, on another hart. */
	lock(&capsule->machine->lock);
	memset(&capsule->machine->plic, 0, sizeof(capsule->machine->plic));
	memset(&capsule->machine->uart, 0, sizeof(capsule->machine->uart));
	memset(&capsule->machine->event, 0, sizeof(capsule->machine->event));
	for (uint32_t i = 0; i < capsule->config.cpus; i++)
		atomic_store(&capsule->vcpus[i].external, false);
	unlock(&capsule->machine->lock);
}

void machine_uart(struct capsule *capsule)
{
	lock(&capsule->machine->lock);
	uart_update(capsule);
	unlock(&capsule->machine->lock);
}

void machine_ask_to_stop(struct capsule *capsule)
{
	capsule_post_events(capsule, DIOSIX_EVENT_STOP);
	if (capsule->config.kind == DMFS_SERVICE)
		return;
	lock(&capsule->machine->lock);
	uart_ask_to_stop(capsule);
	unlock(&capsule->machine->lock);
}

void machine_doorbell(struct capsule *capsule)
{
	lock(&capsule->machine->lock);
	plic_set_level(capsule, DIOSIX_DOORBELL_IRQ, atomic_load(&capsule->events) != 0);
	unlock(&capsule->machine->lock);
}

uint64_t machine_take_events(struct capsule *capsule)
{
	uint64_t events;

	lock(&capsule->machine->lock);
	events = atomic_exchange(&capsule->events, 0);
	plic_set_level(capsule, DIOSIX_DOORBELL_IRQ, false);
	unlock(&capsule->machine->lock);
	/* One that came in between finds its bit unset, and raises the level again when it has the lock. */
	return events;
}

void guest_lost(struct vcpu *vcpu)
{
	capsule_crash(vcpu, "its trap handler is not in its memory");
}
