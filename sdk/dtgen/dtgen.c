/* SPDX-License-Identifier: MIT */
#include "dtgen.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "dmfs.h"

/* Placeholders for what only the board knows. */
#define TIMEBASE 10000000u
#define RNG_SEED_LEN 64u

/* Contexts of the PLIC: each hart's machine mode, then its supervisor mode, as on QEMU's `virt`. */
#define IRQ_S_EXTERNAL 9u
#define IRQ_M_EXTERNAL 11u

/* Cells of an address and of a size everywhere but among the harts. */
#define ADDRESS_CELLS 2u
#define SIZE_CELLS 2u

/* After the first error nothing more is written. */
struct writer {
	void *fdt;
	int error;
};

static void begin(struct writer *out, const char *name)
{
	if (!out->error)
		out->error = fdt_begin_node(out->fdt, name);
}

static void begin_at(struct writer *out, const char *name, uint64_t address)
{
	char full[32];

	snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)address);
	begin(out, full);
}

static void end(struct writer *out)
{
	if (!out->error)
		out->error = fdt_end_node(out->fdt);
}

static void bytes(struct writer *out, const char *name, const void *value, size_t len)
{
	if (!out->error)
		out->error = fdt_property(out->fdt, name, value, (int)len);
}

static void flag(struct writer *out, const char *name)
{
	bytes(out, name, NULL, 0);
}

static void string(struct writer *out, const char *name, const char *value)
{
	bytes(out, name, value, strlen(value) + 1);
}

/* Several strings, with the NUL that C puts after the last one. */
#define STRINGS(out, name, value) bytes(out, name, value, sizeof(value))

static void cell(struct writer *out, const char *name, uint32_t value)
{
	fdt32_t big_endian = cpu_to_fdt32(value);

	bytes(out, name, &big_endian, sizeof(big_endian));
}

static void number(struct writer *out, const char *name, uint64_t value)
{
	fdt64_t big_endian = cpu_to_fdt64(value);

	bytes(out, name, &big_endian, sizeof(big_endian));
}

static void reg(struct writer *out, uint64_t base, uint64_t size)
{
	fdt64_t big_endian[2] = { cpu_to_fdt64(base), cpu_to_fdt64(size) };

	bytes(out, "reg", big_endian, sizeof(big_endian));
}

static void cell_counts(struct writer *out, uint32_t address, uint32_t size)
{
	cell(out, "#address-cells", address);
	cell(out, "#size-cells", size);
}

/* Phandles: 1 to `cpus` the harts' own interrupt controllers, then the PLIC. */
static uint32_t cpu_phandle(uint32_t cpu)
{
	return cpu + 1;
}

static uint32_t plic_phandle(const struct dtgen_guest *guest)
{
	return guest->cpus + 1;
}

static void write_chosen(struct writer *out, const struct dtgen_guest *guest)
{
	static const uint8_t seed[RNG_SEED_LEN];
	char console[64];

	snprintf(console, sizeof(console), "/soc/serial@%llx", (unsigned long long)DTGEN_UART_BASE);
	begin(out, "chosen");
	string(out, "bootargs", guest->cmdline);
	string(out, "stdout-path", console);
	if (guest->initrd_end != 0) {
		number(out, "linux,initrd-start", guest->initrd_start);
		number(out, "linux,initrd-end", guest->initrd_end);
	}
	bytes(out, "rng-seed", seed, sizeof(seed));
	end(out);
}

static void write_memory(struct writer *out, const struct dtgen_guest *guest)
{
	begin_at(out, "memory", DMFS_GUEST_RAM_BASE);
	string(out, "device_type", "memory");
	reg(out, DMFS_GUEST_RAM_BASE, guest->memory);
	end(out);
}

static void write_cpu(struct writer *out, uint32_t cpu)
{
	begin_at(out, "cpu", cpu);
	string(out, "device_type", "cpu");
	string(out, "compatible", "riscv");
	cell(out, "reg", cpu);
	string(out, "status", "okay");
	string(out, "mmu-type", "riscv,sv39");
	string(out, "riscv,isa", "rv64imafdc");
	string(out, "riscv,isa-base", "rv64i");
	STRINGS(out, "riscv,isa-extensions", "i\0m\0a\0f\0d\0c\0zicntr\0zicsr\0zifencei");

	begin(out, "interrupt-controller");
	string(out, "compatible", "riscv,cpu-intc");
	cell(out, "#address-cells", 0);
	cell(out, "#interrupt-cells", 1);
	flag(out, "interrupt-controller");
	cell(out, "phandle", cpu_phandle(cpu));
	end(out);
	end(out);
}

static void write_cpus(struct writer *out, const struct dtgen_guest *guest)
{
	begin(out, "cpus");
	cell_counts(out, 1, 0);
	cell(out, "timebase-frequency", TIMEBASE);
	for (uint32_t cpu = 0; cpu < guest->cpus; cpu++)
		write_cpu(out, cpu);
	end(out);
}

static void write_plic(struct writer *out, const struct dtgen_guest *guest)
{
	fdt32_t wires[DMFS_MAX_VCPUS][4];

	for (uint32_t cpu = 0; cpu < guest->cpus; cpu++) {
		wires[cpu][0] = wires[cpu][2] = cpu_to_fdt32(cpu_phandle(cpu));
		wires[cpu][1] = cpu_to_fdt32(IRQ_M_EXTERNAL);
		wires[cpu][3] = cpu_to_fdt32(IRQ_S_EXTERNAL);
	}
	begin_at(out, "plic", DTGEN_PLIC_BASE);
	STRINGS(out, "compatible", "sifive,plic-1.0.0\0riscv,plic0");
	reg(out, DTGEN_PLIC_BASE, DTGEN_PLIC_SIZE);
	cell(out, "#address-cells", 0);
	cell(out, "#interrupt-cells", 1);
	flag(out, "interrupt-controller");
	bytes(out, "interrupts-extended", wires, guest->cpus * sizeof(wires[0]));
	cell(out, "riscv,ndev", DTGEN_PLIC_SOURCES);
	cell(out, "phandle", plic_phandle(guest));
	end(out);
}

static void write_uart(struct writer *out, const struct dtgen_guest *guest)
{
	begin_at(out, "serial", DTGEN_UART_BASE);
	string(out, "compatible", "ns16550a");
	reg(out, DTGEN_UART_BASE, DTGEN_UART_SIZE);
	cell(out, "clock-frequency", DTGEN_UART_CLOCK);
	cell(out, "interrupt-parent", plic_phandle(guest));
	cell(out, "interrupts", DTGEN_UART_IRQ);
	end(out);
}

static void write_doorbell(struct writer *out, const struct dtgen_guest *guest)
{
	begin(out, "doorbell");
	string(out, "compatible", "diosix,doorbell");
	cell(out, "interrupt-parent", plic_phandle(guest));
	cell(out, "interrupts", DTGEN_DOORBELL_IRQ);
	end(out);
}

static void write_soc(struct writer *out, const struct dtgen_guest *guest)
{
	begin(out, "soc");
	string(out, "compatible", "simple-bus");
	cell_counts(out, ADDRESS_CELLS, SIZE_CELLS);
	flag(out, "ranges");
	write_plic(out, guest);
	write_uart(out, guest);
	end(out);
}

static void write_root(struct writer *out, const struct dtgen_guest *guest)
{
	char model[sizeof("Diosix capsule ") + DMFS_MAX_CAPSULE_NAME_LEN];

	snprintf(model, sizeof(model), "Diosix capsule %s", guest->name);
	begin(out, "");
	cell_counts(out, ADDRESS_CELLS, SIZE_CELLS);
	/* Kernels that know QEMU's board, and nothing else, look for its name. */
	STRINGS(out, "compatible", "diosix,virt\0riscv-virtio");
	string(out, "model", model);
	write_chosen(out, guest);
	write_memory(out, guest);
	write_cpus(out, guest);
	write_soc(out, guest);
	if (guest->doorbell)
		write_doorbell(out, guest);
	end(out);
}

int dtgen_build(const struct dtgen_guest *guest, void *buf, size_t len)
{
	struct writer out = { .fdt = buf };

	if (guest->cpus == 0 || guest->cpus > DMFS_MAX_VCPUS || len > INT32_MAX)
		return -FDT_ERR_BADVALUE;
	/* libfdt leaves gaps as they are: without this they would differ from run to run. */
	memset(buf, 0, len);
	out.error = fdt_create(buf, (int)len);
	if (!out.error)
		out.error = fdt_finish_reservemap(buf);
	write_root(&out, guest);
	if (!out.error)
		out.error = fdt_finish(buf);
	return out.error ? out.error : (int)fdt_totalsize(buf);
}
