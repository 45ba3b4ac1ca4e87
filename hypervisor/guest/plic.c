/* SPDX-License-Identifier: MIT */
/*
 * The guest's PLIC (RISC-V PLIC specification 1.0.0). All its sources are levels: one is pending while its line is
 * raised and nobody has claimed it.
 */
#include "bits.h"
#include "machine.h"

#define PRIORITY_END	0x000180u /* 4 bytes a source */
#define PENDING		0x001000u
#define ENABLE		0x002000u
#define ENABLE_STRIDE	0x80u
#define CONTEXT		0x200000u
#define CONTEXT_STRIDE	0x1000u
#define PRIORITY_MASK	7u

static unsigned contexts(const struct capsule *capsule)
{
	return 2 * capsule->config.cpus;
}

static uint32_t pending(const struct plic *plic, unsigned word)
{
	return plic->level[word] & ~plic->claimed[word];
}

/* The source that the context would claim now: highest priority, then lowest number; 0 for none. */
static uint32_t best(const struct plic *plic, unsigned context)
{
	uint32_t source = 0, priority = plic->threshold[context];

	for (unsigned word = 0; word < PLIC_WORDS; word++)
		for (uint32_t left = pending(plic, word) & plic->enable[context][word]; left != 0;
		     left &= left - 1) {
			uint32_t candidate = word * 32 + lowest_bit(left);

			if (plic->priority[candidate] > priority) {
				source = candidate;
				priority = plic->priority[candidate];
			}
		}
	return source;
}

/* Tells the vCPUs whose external interrupt has changed. */
static void update(struct capsule *capsule)
{
	for (uint32_t i = 0; i < capsule->config.cpus; i++) {
		struct vcpu *vcpu = &capsule->vcpus[i];
		bool level = best(&capsule->machine->plic, 2 * i + 1) != 0;

		if (atomic_load(&vcpu->external) == level)
			continue;
		atomic_store(&vcpu->external, level);
		vcpu_post(vcpu, REQUEST_LINES);
	}
}

void plic_set_level(struct capsule *capsule, uint32_t source, bool level)
{
	uint32_t *word = &capsule->machine->plic.level[source / 32], bit = UINT32_C(1) << source % 32;

	if (!(*word & bit) == !level)
		return;
	*word ^= bit;
	update(capsule);
}

static uint32_t claim(struct capsule *capsule, unsigned context)
{
	struct plic *plic = &capsule->machine->plic;
	uint32_t source = best(plic, context);

	plic->claimed[source / 32] |= UINT32_C(1) << source % 32;
	plic->claimed[0] &= ~1u; /* source 0 means none */
	if (source != 0)
		update(capsule);
	return source;
}

/* What is completed has to be enabled for the context, or the write is ignored. */
static void complete(struct capsule *capsule, unsigned context, uint64_t source)
{
	struct plic *plic = &capsule->machine->plic;

	if (source > DTGEN_PLIC_SOURCES || !(plic->enable[context][source / 32] >> source % 32 & 1))
		return;
	plic->claimed[source / 32] &= ~(UINT32_C(1) << source % 32);
	update(capsule);
}

static uint32_t read_context(struct capsule *capsule, uint64_t offset)
{
	uint64_t context = offset / CONTEXT_STRIDE;

	if (context >= contexts(capsule))
		return 0;
	switch (offset % CONTEXT_STRIDE) {
	case 0:
		return capsule->machine->plic.threshold[context];
	case 4:
		return claim(capsule, (unsigned)context);
	default:
		return 0;
	}
}

/* Reserved registers read 0. */
static uint32_t read_register(struct capsule *capsule, uint64_t offset)
{
	const struct plic *plic = &capsule->machine->plic;

	if (offset < PRIORITY_END)
		return plic->priority[offset / 4];
	if (offset >= PENDING && offset < PENDING + 4 * PLIC_WORDS)
		return pending(plic, (unsigned)(offset - PENDING) / 4);
	if (offset >= CONTEXT)
		return read_context(capsule, offset - CONTEXT);
	if (offset >= ENABLE) {
		uint64_t context = (offset - ENABLE) / ENABLE_STRIDE, word = (offset - ENABLE) % ENABLE_STRIDE / 4;

		if (context < contexts(capsule) && word < PLIC_WORDS)
			return plic->enable[context][word];
	}
	return 0;
}

static void write_context(struct capsule *capsule, uint64_t offset, uint32_t value)
{
	uint64_t context = offset / CONTEXT_STRIDE;

	if (context >= contexts(capsule))
		return;
	switch (offset % CONTEXT_STRIDE) {
	case 0:
		capsule->machine->plic.threshold[context] = value & PRIORITY_MASK;
		update(capsule);
		break;
	case 4:
		complete(capsule, (unsigned)context, value);
		break;
	}
}

/* Writes to reserved registers are ignored. */
static void write_register(struct capsule *capsule, uint64_t offset, uint32_t value)
{
	struct plic *plic = &capsule->machine->plic;

	if (offset >= 4 && offset < PRIORITY_END) {
		plic->priority[offset / 4] = value & PRIORITY_MASK;
		update(capsule);
	} else if (offset >= CONTEXT) {
		write_context(capsule, offset - CONTEXT, value);
	} else if (offset >= ENABLE) {
		uint64_t context = (offset - ENABLE) / ENABLE_STRIDE, word = (offset - ENABLE) % ENABLE_STRIDE / 4;

		if (context >= contexts(capsule) || word >= PLIC_WORDS)
			return;
		plic->enable[context][word] = word == 0 ? value & ~1u : value;
		update(capsule);
	}
}

bool plic_read(struct capsule *capsule, uint64_t offset, unsigned width, uint64_t *value)
{
	if (width != 4)
		return false;
	lock(&capsule->machine->lock);
	*value = read_register(capsule, offset);
	unlock(&capsule->machine->lock);
	return true;
}

bool plic_write(struct capsule *capsule, uint64_t offset, unsigned width, uint64_t value)
{
	if (width != 4)
		return false;
	lock(&capsule->machine->lock);
	write_register(capsule, offset, (uint32_t)value);
	unlock(&capsule->machine->lock);
	return true;
}
