/* SPDX-License-Identifier: MIT */
/*
 * Executes words that look random, the same each time, as supervisor and as user: every opcode, reserved and custom ones
 * among them, with registers that hold addresses of its own memory, of its devices, of the hypervisor, and anything.
 * Each has to end in a trap that the specification knows, or reach the breakpoint behind it.
 */
#include "attack.h"

#define ROUNDS 12000

/* One page of code by two addresses, for each mode one, and data; nothing else for a MiB around them. */
#define GIB	  (UINT64_C(1) << 30)
#define SV39	  (UINT64_C(8) << 60)
#define WINDOW	  (4 * GIB) /* the root's fifth entry */
#define MIB2	  UINT64_C(0x200000)
#define CODE	  (WINDOW + 2048)
#define USER_CODE (CODE + 2 * MIB2)
#define SCRATCH	  (WINDOW + 4 * MIB2)
#define PLIC	  (WINDOW + 6 * MIB2)
#define FOREIGN	  (WINDOW + 8 * MIB2)

#define LEAF	  0xcfu /* valid, read, write, execute, accessed, dirty */
#define LEAF_USER 0xdfu
#define TABLE	  0x01u
#define PTE(at, bits) ((uint64_t)(at) >> 12 << 10 | (bits))

typedef uint64_t page[512] __attribute__((aligned(4096)));
static page root, middle, tables[5], scratch;
static uint16_t code[2048] __attribute__((aligned(4096)));

/* What runs: registers x1 to x31, and what the runner needs afterwards. */
static struct run {
	uint64_t x[32];
	uint64_t cause, tval, pc;
	uint64_t runner[15];
} run;

/* void enter(struct run *run): to sepc with its registers, until it traps; sscratch holds `run` then. */
void enter(struct run *how);
extern char leave[];
__asm__(".section .text\n"
	".macro runner op\n"
	"\\op ra, 280(a0)\n\\op sp, 288(a0)\n\\op gp, 296(a0)\n\\op tp, 304(a0)\n\\op s0, 312(a0)\n\\op s1, 320(a0)\n"
	"\\op s2, 328(a0)\n\\op s3, 336(a0)\n\\op s4, 344(a0)\n\\op s5, 352(a0)\n\\op s6, 360(a0)\n\\op s7, 368(a0)\n"
	"\\op s8, 376(a0)\n\\op s9, 384(a0)\n\\op s10, 392(a0)\n"
	".endm\n"
	".global enter\nenter:\n"
	"addi sp, sp, -16\nsd s11, 0(sp)\n"
	"runner sd\n"
	".irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	"ld x\\n, 8*\\n(a0)\n"
	".endr\n"
	"ld a0, 80(a0)\n"
	"sret\n"
	".balign 4\n.global leave\nleave:\n"
	"csrrw a0, sscratch, a0\n"
	"runner ld\n"
	"ld s11, 0(sp)\naddi sp, sp, 16\n"
	"csrr t0, scause\nsd t0, 256(a0)\ncsrr t0, stval\nsd t0, 264(a0)\ncsrr t0, sepc\nsd t0, 272(a0)\n"
	"ret\n");
_Static_assert(offsetof(struct run, cause) == 256 && offsetof(struct run, runner) == 280, "enter and leave");

static void map(uint64_t at, unsigned table, uint64_t target, uint64_t bits)
{
	middle[at / MIB2 % 512] = PTE(tables[table], TABLE);
	for (unsigned i = 0; i < 2; i++)
		tables[table][i] = PTE(target + i * PAGE, bits);
}

static void map_all(void)
{
	root[ram_base() / GIB] = PTE(ram_base() / GIB * GIB, LEAF);
	root[WINDOW / GIB] = PTE(middle, TABLE);
	map(WINDOW, 0, (uintptr_t)code, LEAF);
	map(WINDOW + 2 * MIB2, 1, (uintptr_t)code, LEAF_USER);
	map(SCRATCH, 2, (uintptr_t)scratch, LEAF_USER);
	map(PLIC, 3, PLIC_BASE, LEAF_USER);
	map(FOREIGN, 4, is_gstage() ? RAM_DEFAULT + RAM_SIZE : RAM_DEFAULT, LEAF_USER);
	tables[0][1] = tables[1][1] = tables[2][1] = 0;
	__asm__ volatile("sfence.vma\ncsrw satp, %0\nsfence.vma" ::"r"(SV39 | (uintptr_t)root >> 12) : "memory");
}

#define C_EBREAK     0x9002
#define OPCODE(insn) ((insn) & 0x7f)
#define SYSTEM	     0x73u
#define FUNCT3(insn) ((insn) >> 12 & 7)
#define CSR(insn)    ((insn) >> 20)

/* Calls are another attack's; without these registers, and with its own memory changed, the runner cannot go on. */
static bool is_excluded(uint32_t insn)
{
	if (OPCODE(insn) != SYSTEM)
		return false;
	if (FUNCT3(insn) == 0)
		return insn == 0x00000073;
	return CSR(insn) == 0x105 || CSR(insn) == 0x140 || CSR(insn) == 0x180; /* stvec, sscratch, satp */
}

/* Opcodes that nobody has but vendors, the prefixes of longer instructions, and what is reserved. */
static bool must_be_illegal(uint32_t insn)
{
	switch (OPCODE(insn)) {
	case 0x0b: case 0x2b: case 0x5b: case 0x7b: /* custom-0 to custom-3 */
	case 0x1f: case 0x3f: case 0x5f: case 0x7f: /* 48 bits, 64 and more */
	case 0x6b:
		return true;
	default:
		return (insn & 0xffff) == 0;
	}
}

static uint32_t choose_word(uint64_t *state)
{
	uint64_t random = next_random(state);
	uint32_t insn = (uint32_t)(random >> 32);

	switch (random & 3) {
	case 0:
		return insn;
	case 1: /* an instruction of 32 bits */
		return insn | 3;
	case 2:
		return (insn & ~0x7fu) | SYSTEM;
	default:
		return insn & ~3u;
	}
}

static uint64_t choose_value(uint64_t *state)
{
	static const uint64_t near[] = {SCRATCH + 2048, PLIC + PAGE, FOREIGN + 2048, CODE, 0};
	uint64_t random = next_random(state);

	if (random & 1)
		return random >> 8 & UINT64_C(0xfff) << 44; /* mostly no address at all */
	return near[(random >> 8) % 5] + (random >> 16 & 0xff);
}

/* Bit n: exception n. Calls from supervisor mode have been excluded. */
#define EXPECTED_CAUSES UINT64_C(0xb1ff)
#define SIE		UINT64_C(0x2)
#define SPIE		UINT64_C(0x20)
#define SPP		UINT64_C(0x100)
#define TIMER		UINT64_C(0x20) /* in sie */
#define INTERRUPT	(UINT64_C(1) << 63)

/* From its first instruction on, until it traps; an endless loop ends after a millisecond. */
static void run_word(bool supervisor, uint64_t status)
{
	sbi(SBI_TIME, 0, ticks() + 10000, 0, 0, 0);
	__asm__ volatile("csrw stvec, %0\ncsrw sscratch, %1\ncsrw sepc, %2\ncsrw sstatus, %3\ncsrw sie, %4" ::"r"(leave),
			 "r"(&run), "r"(supervisor ? CODE : USER_CODE), "r"(status | (supervisor ? SPP : 0)), "r"(TIMER));
	enter(&run);
	__asm__ volatile("csrci sstatus, 2\ncsrw sscratch, %0\ncsrw stvec, %1" ::"r"(self), "r"(trap_entry));
}

static void execute(uint32_t insn, bool supervisor, uint64_t status, uint64_t *state)
{
	/* A word that is no instruction loops nowhere: if it was interrupted, the hart was others' for that millisecond. */
	unsigned tries = must_be_illegal(insn) ? 100000 : 4;

	code[1024] = (uint16_t)insn;
	code[1025] = (insn & 3) == 3 ? (uint16_t)(insn >> 16) : C_EBREAK;
	__asm__ volatile("fence.i" ::: "memory");
	for (unsigned n = 1; n < 32; n++)
		run.x[n] = choose_value(state);
	do /* others may have had the hart for that millisecond */
		run_word(supervisor, status);
	while (run.cause & INTERRUPT && --tries != 0);
	if (must_be_illegal(insn))
		expect("a word that is no instruction", insn, run.cause, ILLEGAL);
	else if (run.cause & INTERRUPT)
		expect("the interrupt that ends it", insn, run.cause & ~INTERRUPT, 5);
	else
		expect("its trap", insn, run.cause < 64 && (EXPECTED_CAUSES >> run.cause & 1), true);
}

void main(void)
{
	uint64_t state = UINT64_C(0x0123456789abcdef), status;

	for (unsigned i = 0; i < 2048; i++)
		code[i] = C_EBREAK;
	map_all();
	__asm__ volatile("csrs sstatus, %1\ncsrr %0, sstatus" : "=r"(status) : "r"(UINT64_C(3) << 13));
	status = (status & ~(SPP | SIE)) | SPIE;
	for (unsigned i = 0; i < 2 * ROUNDS; i++) {
		uint32_t insn = choose_word(&state);

		if (!is_excluded(insn))
			execute(insn, i & 1, status, &state);
	}
	__asm__ volatile("csrw satp, zero\nsfence.vma");
}
