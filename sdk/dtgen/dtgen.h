/* SPDX-License-Identifier: MIT */
/*
 * Device trees for guests: the machine that a capsule sees, laid out as QEMU's `virt`
 * (bindings as in the Devicetree Specification 0.4 and Linux' Documentation/devicetree/bindings).
 *
 * What only the board knows is left as a placeholder that the hypervisor replaces at boot:
 *   /cpus timebase-frequency, each cpu's riscv,isa, riscv,isa-base and riscv,isa-extensions, mmu-type,
 *   /memory reg (and unit address) and /chosen linux,initrd-start/-end where RAM has to be elsewhere,
 *   /chosen rng-seed (64 zero bytes).
 */
#ifndef DTGEN_H
#define DTGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The machine's fixed addresses and interrupts, guest-physical. */
#define DTGEN_PLIC_BASE UINT64_C(0x0c000000)
#define DTGEN_PLIC_SIZE UINT64_C(0x00600000)
#define DTGEN_PLIC_SOURCES 95u
#define DTGEN_UART_BASE UINT64_C(0x10000000)
#define DTGEN_UART_SIZE UINT64_C(0x100)
#define DTGEN_UART_IRQ 10u
#define DTGEN_DOORBELL_IRQ 11u /* of the service ABI, docs/service-abi.md */
#define DTGEN_UART_CLOCK 3686400u

struct dtgen_guest {
	const char *name;      /* the capsule's name */
	uint64_t memory;       /* bytes of RAM, from DMFS_GUEST_RAM_BASE */
	uint32_t cpus;	       /* 1 to DMFS_MAX_VCPUS; hart numbers from 0 */
	const char *cmdline;   /* /chosen bootargs; "" for none */
	uint64_t initrd_start; /* guest-physical; both 0 without an initrd */
	uint64_t initrd_end;
	bool doorbell; /* it has the service ABI's interrupt */
};

/*
 * Writes the flattened tree to `buf`, of `len` bytes. Returns its length, or a negative libfdt error
 * (-FDT_ERR_NOSPACE when `len` is too small).
 */
int dtgen_build(const struct dtgen_guest *guest, void *buf, size_t len);

/*
 * Merges the compiled overlay, `len` bytes of any origin, into the tree, which has `room` bytes (at
 * most INT32_MAX) to grow in. Returns the tree's new length, or a negative libfdt error:
 * -FDT_ERR_BADSTRUCTURE where the overlay is no device tree. After an error both are damaged.
 */
int dtgen_apply_overlay(void *tree, size_t room, void *overlay, size_t len);

/*
 * Prints the flattened tree at `fdt` as device tree source into a malloc'ed C string that the caller
 * frees; NULL when memory ends.
 */
char *dtgen_to_source(const void *fdt);

#endif
