/* SPDX-License-Identifier: MIT */
/*
 * What a board has, read from its device tree (Devicetree Specification 0.4, and the bindings that
 * are named at each field). Nothing about a board is known from the build.
 *
 * board_read() is plain code over libfdt: it touches no hardware, so it runs on a host over the
 * trees of real boards (tests/unit/test_board.c).
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_MAX_HARTS 128u	/* harts in the tree, with or without S-mode */
#define BOARD_MAX_BANKS 16u	/* RAM banks */
#define BOARD_MAX_RESERVED 64u	/* reserved ranges */
#define BOARD_MAX_COMPATIBLE 8u /* compatible strings of the root */
#define BOARD_MAX_VIRTIO 8u
#define BOARD_NONE UINT32_C(0xffffffff)

/* Host-physical bytes from base on; base + size does not wrap. */
struct board_range {
	uint64_t base;
	uint64_t size;
};

/* One hart (bindings: riscv/cpus.yaml). Addresses are 0 where there is nothing. */
struct board_hart {
	uint64_t id;		/* mhartid: any value, holes are usual */
	uint32_t xlen;		/* 32 or 64; 0 where the tree does not say */
	bool usable;		/* status okay (or absent), rv64 with i, m, a and c */
	bool has_s;		/* has S-mode: an mmu-type other than none */
	bool has_h;		/* the tree names the H extension */
	bool has_sstc;		/* the tree names Sstc; to be probed nevertheless */
	const char *isa;	/* riscv,isa; NULL where only riscv,isa-extensions is there */
	uint64_t msip;		/* 32-bit register: 1 raises, 0 clears the machine software interrupt */
	uint64_t mtimecmp;	/* 64-bit register */
	uint32_t plic_context;	/* context of the machine external interrupt; BOARD_NONE without */
};

enum board_uart_type { BOARD_UART_NONE, BOARD_UART_NS16550, BOARD_UART_SIFIVE, BOARD_UART_VIRTIO };

/* A serial port (bindings: serial/8250.yaml, serial/sifive-serial.yaml). */
struct board_uart {
	enum board_uart_type type;
	const char *compatible; /* in the tree, also where the type is none; or NULL */
	uint64_t base;	     /* first register, reg-offset applied */
	uint32_t reg_shift;  /* log2 of the distance between registers */
	uint32_t io_width;   /* bytes of an access: 1 or 4 */
	uint32_t irq;	     /* PLIC source, 0 without */
	uint32_t clock_hz;   /* 0 where the tree does not say */
	uint32_t baud;	     /* from stdout-path's options or current-speed, 0 where neither says */
};

/* A slot for a virtio device (binding: virtio/mmio.yaml); what is in it, if anything, its registers say. */
struct board_virtio {
	uint64_t base;
	uint32_t irq; /* PLIC source, 0 without */
};

/* The interrupt controller (bindings: interrupt-controller/sifive,plic-1.0.0.yaml). */
struct board_plic {
	uint64_t base; /* 0 without */
	uint64_t size;
	uint32_t sources;	/* riscv,ndev */
	const char *compatible; /* with base 0: the controller that is there instead, or NULL */
};

enum board_reset_type { BOARD_RESET_NONE, BOARD_RESET_SYSCON, BOARD_RESET_GPIO };

/*
 * How to power off or reboot (bindings: power/reset/syscon-poweroff.yaml, gpio-restart.yaml). GPIO
 * controllers are SiFive's (gpio/sifive,gpio.yaml).
 */
struct board_reset {
	enum board_reset_type type;
	uint64_t address; /* register to write; for GPIO the controller's base */
	uint32_t value;	  /* what to write; for GPIO the pin's number */
	bool active_low;  /* GPIO */
	bool test_finisher; /* the register is a sifive,test: 0x3333 | status << 16 tells a failure */
};

struct board {
	const char *model;	/* root's model, or its first compatible string; never NULL */
	const char *compatible[BOARD_MAX_COMPATIBLE];
	uint32_t compatible_count;

	struct board_hart harts[BOARD_MAX_HARTS];
	uint32_t hart_count;
	uint32_t timebase_hz;	/* of the timer and the time CSR, 0 where the tree does not say */

	struct board_range ram[BOARD_MAX_BANKS]; /* not overlapping, ascending */
	uint32_t ram_count;
	/* /memreserve/ and /reserved-memory with fixed addresses; overlaps are possible, order is the tree's */
	struct board_range reserved[BOARD_MAX_RESERVED];
	uint32_t reserved_count;

	uint64_t mtime;		/* 64-bit register, 0 where only the time CSR counts (thead,c900-clint) */
	bool mtimecmp_32bit;	/* registers take 32-bit accesses only */
	struct board_uart uart;	   /* the console */
	struct board_uart control; /* the second port: the UART of alias serial1, or the first other one that is known */
	struct board_virtio virtio[BOARD_MAX_VIRTIO]; /* where a virtio console may be, in the tree's order */
	uint32_t virtio_count;
	struct board_plic plic;
	struct board_reset poweroff;
	struct board_reset reboot;
	struct board_range store; /* the second bank of a cfi-flash, two chips of 16 bits; size 0 without */

	uint64_t initrd_start;	/* /chosen linux,initrd-start and -end; both 0 without */
	uint64_t initrd_end;
	const char *bootargs;	/* never NULL */
	bool has_rng_seed;	/* /chosen rng-seed */
	const uint8_t *rng_seed;
	uint32_t rng_seed_len;
};

/*
 * Fills *board from the flattened tree at `fdt`, of at most `len` bytes (as much as is known to be
 * readable). Strings in *board point into the tree, which has to stay.
 *
 * Returns NULL, or a sentence that says what of the tree cannot be used; then *board is undefined.
 * A tree is good when it is well-formed and gives at least one hart. RAM may be missing: the trees
 * that ship with kernels often leave it to the firmware to fill in; board_obstacle() tells.
 */
const char *board_read(struct board *board, const void *fdt, size_t len);

/*
 * What this version of the hypervisor cannot drive on the board although it needs to: NULL when
 * there is nothing, otherwise a sentence (an XLEN that is not 64, no usable hart with S-mode, no RAM,
 * no console, timer, interprocessor interrupt or interrupt controller that it knows). `buf` is room
 * for it.
 */
const char *board_obstacle(const struct board *board, char *buf, size_t len);

#endif
