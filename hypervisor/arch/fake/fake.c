/* SPDX-License-Identifier: MIT */
#include "fake.h"

#include <stdlib.h>
#include <string.h>

#include "boot.h"
#include "console.h"
#include "line.h"
#include "loader.h"
#include "machine.h"
#include "scheduler.h"

struct arch_features arch_features;
struct board board;
struct fake fake;
struct hart fake_harts[FAKE_HARTS];
struct hart *fake_self;

static struct board_hart board_harts[FAKE_HARTS];
#define FAKE_CPUS 4u
static struct capsule all[FAKE_CAPSULES];
static struct vcpu vcpus[DMFS_MAX_VCPUS];
static struct machine machines[FAKE_CAPSULES];
static char rings[FAKE_CAPSULES][CONSOLE_RING_LEN];
static _Alignas(4096) uint8_t ram[1 << 20], more_ram[FAKE_CAPSULES][1 << 20];

void fake_reset(unsigned count)
{
	memset(&fake, 0, sizeof(fake));
	memset(fake_harts, 0, sizeof(fake_harts));
	memset(&arch_features, 0, sizeof(arch_features));
	board.timebase_hz = 1000000;
	for (unsigned i = 0; i < count; i++) {
		board_harts[i].id = i;
		fake.timer[i] = UINT64_MAX;
		fake_harts[i].index = i;
		fake_harts[i].id = i;
		fake_harts[i].board = &board_harts[i];
		sched_init_hart(&fake_harts[i]);
		harts[i] = &fake_harts[i];
	}
	hart_count = count;
	fake_self = &fake_harts[0];
	memset(lines, 0, sizeof(lines));
	console_init();
}

static void make(struct capsule *capsule, struct vcpu *its, unsigned cpus, void *memory, uint64_t size)
{
	capsule->config.cpus = cpus;
	capsule->config.priority = DMFS_PRIORITY_NORMAL;
	capsule->config.entry = capsule->config.devicetree_load = DMFS_GUEST_RAM_BASE;
	capsule->config.memory = size;
	capsule->config.flags = DMFS_CAPSULE_RELOCATABLE;
	capsule->memory = (struct guest_memory){gpa(DMFS_GUEST_RAM_BASE), ptr_hpa(memory), size};
	capsule->vcpus = its;
	capsule->machine = &machines[capsule->index];
	capsule->printed.ring = rings[capsule->index];
	capsule->state = CAPSULE_RUNNING;
	for (unsigned i = 0; i < cpus; i++) {
		its[i].capsule = capsule;
		its[i].id = i;
		its[i].hsm = HSM_STOPPED;
		list_init(&its[i].node);
		sched_place(&its[i], 0);
	}
}

struct capsule *fake_capsule(unsigned cpus, uint64_t size)
{
	memset(all, 0, sizeof(all));
	memset(vcpus, 0, sizeof(vcpus));
	memset(machines, 0, sizeof(machines));
	memset(ram, 0, sizeof(ram));
	make(&all[0], vcpus, cpus, ram, size < sizeof(ram) ? size : sizeof(ram));
	memcpy(all[0].name, "fake", 5);
	capsules = all;
	capsule_count = 1;
	return all;
}

void fake_more_capsules(unsigned count, unsigned cpus)
{
	static struct vcpu theirs[FAKE_CAPSULES][FAKE_CPUS];

	memset(theirs, 0, sizeof(theirs));
	memset(more_ram, 0, sizeof(more_ram));
	for (; capsule_count < count; capsule_count++) {
		all[capsule_count].index = capsule_count;
		make(&all[capsule_count], theirs[capsule_count], cpus, more_ram[capsule_count], sizeof(more_ram[0]));
		all[capsule_count].name[0] = (char)('0' + capsule_count);
	}
}

/* --- harts ----------------------------------------------------------------------------------- */

uint64_t arch_time(void)
{
	return fake.time;
}

void arch_sleep(void)
{
	uint64_t timer = fake.timer[fake_self->index];

	if (fake.asleep != NULL)
		fake.asleep();
	if (fake.kicked[fake_self->index])
		return;
	if (timer == UINT64_MAX)
		abort(); /* it would never wake */
	if (fake.time < timer)
		fake.time = timer;
}

uint32_t arch_pending(void)
{
	return (fake.kicked[fake_self->index] ? ARCH_PENDING_KICK : 0) |
	       (fake.timer[fake_self->index] <= fake.time ? ARCH_PENDING_TIMER : 0);
}

/* --- capsules and vCPUs ---------------------------------------------------------------------- */

gpa_t arch_ram_base(hpa_t host)
{
	return gpa(arch_features.gstage ? DMFS_GUEST_RAM_BASE : host.v);
}

bool arch_space_create(struct capsule *capsule)
{
	return !fake.no_memory;
}

void arch_space_destroy(struct capsule *capsule)
{
}

void arch_window_map(struct capsule *capsule, uint32_t slot, hpa_t host, uint32_t pages, bool writable)
{
	capsule->space.window[slot].at = host;
	capsule->space.window[slot].pages = pages;
	capsule->space.window[slot].writable = writable;
}

void arch_window_unmap(struct capsule *capsule, uint32_t slot)
{
	capsule->space.window[slot].pages = 0;
}

void arch_fence_space(void)
{
	fake_self->current->arch.fences_space++;
}

uint64_t arch_vcpu_extra(void)
{
	return 0;
}

void arch_vcpu_create(struct vcpu *vcpu, void *extra)
{
}

void arch_vcpu_reset(struct vcpu *vcpu, uint64_t pc, uint64_t a0, uint64_t a1)
{
	memset(&vcpu->arch, 0, sizeof(vcpu->arch));
	vcpu->arch.pc = pc;
	vcpu->arch.x[10] = a0;
	vcpu->arch.x[11] = a1;
}

void arch_allow_short_calls(struct vcpu *vcpu, bool allowed)
{
	vcpu->arch.no_short_calls = !allowed;
}

void arch_vcpu_restart(struct vcpu *vcpu, uint64_t pc)
{
	vcpu->arch.pc = pc;
}

void arch_vcpu_load(struct vcpu *vcpu)
{
	fake.loads++;
}

void arch_vcpu_save(struct vcpu *vcpu)
{
}

void arch_set_irq(struct vcpu *vcpu, enum arch_irq irq, bool level)
{
	uint64_t bit = UINT64_C(1) << irq;

	vcpu->arch.irqs = level ? vcpu->arch.irqs | bit : vcpu->arch.irqs & ~bit;
}

bool arch_irq(const struct vcpu *vcpu, enum arch_irq irq)
{
	return vcpu->arch.irqs >> irq & 1;
}

bool arch_interrupt_waits(const struct vcpu *vcpu)
{
	return vcpu->arch.irqs & vcpu->arch.enabled;
}

void arch_inject(struct vcpu *vcpu, enum arch_exception cause, uint64_t tval)
{
	vcpu->exits[DIOSIX_EXIT_FAULT]++;
	if (sbi_pmu_counts_events(vcpu))
		sbi_pmu_trapped(vcpu, cause);
	vcpu->arch.cause = cause;
	vcpu->arch.tval = tval;
}

void arch_interrupt(struct vcpu *vcpu, uint64_t handler, struct arch_interrupted *was)
{
	struct arch_vcpu *arch = &vcpu->arch;

	*was = (struct arch_interrupted){arch->epc, arch->spp, arch->spie};
	arch->epc = arch->pc;
	arch->spp = !arch->user;
	arch->spie = arch->sie;
	arch->sie = arch->user = false;
	arch->pc = handler;
}

void arch_end_interrupt(struct vcpu *vcpu, const struct arch_interrupted *was)
{
	struct arch_vcpu *arch = &vcpu->arch;

	arch->pc = arch->epc;
	arch->user = !arch->spp;
	arch->sie = arch->spie;
	arch->epc = was->epc;
	arch->spp = was->spp;
	arch->spie = was->spie;
}

bool arch_has_switch(enum arch_switch which)
{
	return fake.switches >> which & 1;
}

void arch_set_switch(struct vcpu *vcpu, enum arch_switch which, bool on)
{
	uint64_t bit = UINT64_C(1) << which;

	vcpu->arch.switches = on ? vcpu->arch.switches | bit : vcpu->arch.switches & ~bit;
}

uint64_t arch_counter(const struct vcpu *vcpu, enum arch_counter counter)
{
	return vcpu->arch.counter[counter];
}

void arch_set_counter(struct vcpu *vcpu, enum arch_counter counter, uint64_t value)
{
	vcpu->arch.counter[counter] = value;
}

void arch_run_counter(struct vcpu *vcpu, enum arch_counter counter, bool run)
{
	uint64_t bit = UINT64_C(1) << counter;

	vcpu->arch.stopped = run ? vcpu->arch.stopped & ~bit : vcpu->arch.stopped | bit;
}

void arch_fence_i(void)
{
	fake_self->current->arch.fences_i++;
}

void arch_sfence(const struct fence_range *range)
{
	fake_self->current->arch.fences++;
	fake.fence = *range;
}

uint64_t arch_deadline(const struct vcpu *vcpu)
{
	return vcpu->deadline;
}

void arch_set_deadline(struct vcpu *vcpu, uint64_t when)
{
	arch_set_irq(vcpu, ARCH_IRQ_TIMER, false);
	vcpu->deadline = when;
}

static uint64_t read_guest(const struct vcpu *vcpu, gva_t at, void *out, uint64_t len)
{
	hpa_t where;

	if (!capsule_memory(vcpu->capsule, gpa(at.v), len, &where))
		return ARCH_LOAD_ACCESS;
	memcpy(out, hpa_ptr(where), len);
	return 0;
}

uint64_t arch_fetch(const struct vcpu *vcpu, uint32_t *insn)
{
	uint16_t low, high = 0;
	uint64_t fault = read_guest(vcpu, gva(vcpu->arch.pc), &low, sizeof(low));

	if (fault == 0 && (low & 3) == 3)
		fault = read_guest(vcpu, gva(vcpu->arch.pc + 2), &high, sizeof(high));
	*insn = (uint32_t)high << 16 | low;
	return fault;
}

uint64_t arch_read_u64(const struct vcpu *vcpu, gva_t at, uint64_t *out)
{
	return read_guest(vcpu, at, out, sizeof(*out));
}

uint64_t arch_read_u8(const struct vcpu *vcpu, gva_t at, uint8_t *out)
{
	if (fake.unreadable != 0 && align_down(at.v, PAGE_SIZE) == fake.unreadable)
		return ARCH_LOAD_PAGE;
	return read_guest(vcpu, at, out, sizeof(*out));
}

uint64_t arch_check_write(const struct vcpu *vcpu, gva_t at)
{
	hpa_t where;

	if (fake.unwritable != 0 && align_down(at.v, PAGE_SIZE) == fake.unwritable)
		return ARCH_STORE_PAGE;
	return capsule_memory(vcpu->capsule, gpa(at.v), 1, &where) ? 0 : ARCH_STORE_ACCESS;
}

uint64_t arch_write_u8(const struct vcpu *vcpu, gva_t at, uint8_t value)
{
	uint64_t fault = arch_check_write(vcpu, at);
	hpa_t where;

	if (fault == 0 && capsule_memory(vcpu->capsule, gpa(at.v), 1, &where))
		*(uint8_t *)hpa_ptr(where) = value;
	return fault;
}

bool arch_fp_enabled(const struct vcpu *vcpu)
{
	return vcpu->arch.fp_on;
}

uint64_t arch_fp_reg(struct vcpu *vcpu, unsigned n)
{
	return vcpu->arch.f[n];
}

void arch_set_fp_reg(struct vcpu *vcpu, unsigned n, uint64_t value)
{
	vcpu->arch.f[n] = value;
}

void arch_report(const struct vcpu *vcpu)
{
}

static bool has_work(const struct hart *hart)
{
	const struct run_queue *queue = &hart->queue;

	return hart->current != NULL || queue->ready_count != 0 ||
	       (!list_empty(&queue->waiting) && list_entry(queue->waiting.next, struct vcpu, node)->wake != UINT64_MAX);
}

bool fake_run(void)
{
	struct hart *hart = fake_self;

	while (has_work(hart)) {
		struct vcpu *vcpu = hart->current;

		if (vcpu == NULL || hart->resched)
			vcpu = sched_pick();
		if (atomic_load(&vcpu->requests) & REQUEST_CHORE) {
			capsule_chore(vcpu);
			sched_poll();
		} else if (vcpu_serve(vcpu)) {
			return true;
		} else {
			capsule_vcpu_retired(vcpu);
		}
	}
	return false;
}

/* --- the board ------------------------------------------------------------------------------- */

bool board_port_init(enum board_port port)
{
	return true;
}

uint32_t board_port_irq(enum board_port port)
{
	return fake.ports[port].irq;
}

size_t board_port_send(enum board_port port, const char *bytes, size_t len)
{
	struct fake_port *to = &fake.ports[port];
	size_t n = 0;

	to->asked++;
	for (; n < len && !(to->limited && to->room == 0); n++) {
		to->room -= to->limited;
		if (to->output_len < sizeof(to->output) - 1)
			to->output[to->output_len++] = bytes[n];
	}
	return n;
}

int board_port_receive(enum board_port port)
{
	struct fake_port *from = &fake.ports[port];

	return from->input != NULL && *from->input != '\0' ? (unsigned char)*from->input++ : -1;
}

void board_port_interrupts(enum board_port port, bool input, bool room)
{
	fake.ports[port].input_on = input;
	fake.ports[port].room_on = room;
}

void board_port_acknowledge(enum board_port port)
{
}

bool board_irq_enable(uint32_t source)
{
	return source != 0;
}

uint32_t board_irq_claim(void)
{
	return 0;
}

void board_irq_complete(uint32_t source)
{
}

void board_set_timer(const struct board_hart *hart, uint64_t when)
{
	fake.timer[hart->id] = when;
}

void board_kick(const struct board_hart *hart)
{
	fake.kicked[hart->id] = true;
}

void board_clear_kick(struct hart *hart)
{
	fake.kicked[hart->id] = false;
}

/* --- what core/boot.c and core/loader.c would do ------------------------------------------------- */

void board_end(bool success)
{
	fake.ended = true;
	fake.success = success;
	if (fake.end == NULL)
		abort();
	longjmp(*fake.end, 1);
}

void loader_plan_reload(struct capsule *capsule)
{
	fake.reloads++;
	capsule->chore = (struct unpack_plan){.pieces = fake.chore_pieces};
}

void loader_plan_scrub(struct capsule *capsule)
{
	fake.scrubs++;
	capsule->chore = (struct unpack_plan){.pieces = fake.chore_pieces};
}

void loader_describe(struct diosix_board_info *info)
{
	memcpy(info->image, "fake", 5);
}

bool loader_complete(struct capsule *capsule)
{
	return !fake.reload_fails;
}

enum dmfs_status unpack_chunk(uint32_t index, bool encrypted, void *to)
{
	fake.unpacked++;
	memcpy(to, &index, sizeof(index));
	return fake.unpack_fails ? DMFS_ERR_HASH : DMFS_OK;
}

bool unpack_next(struct unpack_plan *plan, void *scratch)
{
	return plan->next++ < plan->pieces;
}
