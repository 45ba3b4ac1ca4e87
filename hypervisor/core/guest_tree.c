/* SPDX-License-Identifier: MIT */
#include "guest_tree.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include <sodium/crypto_generichash_blake2b.h>

#include "board_io.h"

#define SEED_LEN 64u
#define ISA_LEN	 256u

static uint8_t seed[SEED_LEN];
static bool seeded;

void guest_seed_init(const uint8_t *from, uint32_t len)
{
	if (len == 0)
		return;
	crypto_generichash_blake2b(seed, sizeof(seed), from, len, NULL, 0);
	seeded = true;
}

/* A seed of its own for each start of each capsule. */
static void next_seed(const struct capsule *capsule, uint8_t out[SEED_LEN])
{
	struct {
		uint8_t seed[SEED_LEN];
		uint64_t capsule, start, time;
	} mix;

	memset(&mix, 0, sizeof(mix));
	memcpy(mix.seed, seed, SEED_LEN);
	mix.capsule = capsule->index;
	mix.start = capsule->starts;
	mix.time = arch_time();
	crypto_generichash_blake2b(out, SEED_LEN, (const uint8_t *)&mix, sizeof(mix), NULL, 0);
}

/* --- ISA string ------------------------------------------------------------------------------ */

/* Single letters and extensions that need nothing of the hypervisor, or that it passes on. */
static const char guest_letters[] = "imafdc";
static const char *const guest_extensions[] = {
	"zicsr",  "zifencei", "zicntr",	 "zihintpause", "zba",	   "zbb",  "zbc",
	"zbs",	  "zbkb",     "zbkc",	 "zbkx",	"zfh",	   "zfhmin", "zicond",
	"zicbom", "zicboz",   "zkn",	 "zknd",	"zkne",	   "zknh",
	"zks",	  "zksed",    "zksh",	 "zkt",		"svinval", "svnapot", "svpbmt",
};

static bool is_guest_extension(const char *name, size_t len, const struct arch_features *features)
{
	if (len == 4 && memcmp(name, "sstc", 4) == 0)
		return features->sstc;
	/* All of these have their state in the vector registers. */
	if (len > 2 && memcmp(name, "zv", 2) == 0)
		return features->vector;
	for (size_t i = 0; i < sizeof(guest_extensions) / sizeof(guest_extensions[0]); i++)
		if (strlen(guest_extensions[i]) == len && memcmp(guest_extensions[i], name, len) == 0)
			return true;
	return false;
}

static size_t append(char *out, size_t at, size_t len, const char *text, size_t text_len)
{
	if (at + text_len + 1 > len)
		return at;
	memcpy(out + at, text, text_len);
	out[at + text_len] = '\0';
	return at + text_len;
}

void guest_isa(const char *isa, const struct arch_features *features, char *out, size_t len)
{
	size_t at = append(out, 0, len, "rv64", 4);

	if (isa == NULL || strncmp(isa, "rv64", 4) != 0)
		isa = "rv64imac";
	for (isa += 4; *isa != '\0' && strchr("_sxz", *isa) == NULL; isa++)
		if (*isa == 'g') /* by its definition */
			at = append(out, at, len, "imafd", 5);
		else if (strchr(guest_letters, *isa) != NULL || (*isa == 'v' && features->vector))
			at = append(out, at, len, isa, 1);
	while (*isa != '\0') {
		size_t name_len;

		isa += strspn(isa, "_");
		name_len = strcspn(isa, "_");
		if (is_guest_extension(isa, name_len, features)) {
			at = append(out, at, len, "_", 1);
			at = append(out, at, len, isa, name_len);
		}
		isa += name_len;
	}
	/* It is the hypervisor that gives this one, whatever the tree says. */
	if (features->sstc && strstr(out, "_sstc") == NULL)
		append(out, at, len, "_sstc", 5);
}

/* The same as a list of strings: riscv,isa-extensions of the bindings' riscv/extensions.yaml. */
static int isa_list(const char *isa, char *out)
{
	int len = 0;

	for (isa += 4; *isa != '\0' && *isa != '_'; isa++) {
		out[len++] = *isa;
		out[len++] = '\0';
	}
	while (*isa == '_') {
		for (isa++; *isa != '\0' && *isa != '_'; isa++)
			out[len++] = *isa;
		out[len++] = '\0';
	}
	return len;
}

/* --- the tree -------------------------------------------------------------------------------- */

static int set_cpu(void *fdt, int node, const char *isa)
{
	char list[2 * ISA_LEN];
	int error = fdt_setprop_string(fdt, node, "riscv,isa", isa);

	if (error == 0)
		error = fdt_setprop_string(fdt, node, "riscv,isa-base", "rv64i");
	if (error == 0)
		error = fdt_setprop(fdt, node, "riscv,isa-extensions", list, isa_list(isa, list));
	return error;
}

static int set_cpus(void *fdt)
{
	char isa[ISA_LEN];
	int cpus = fdt_path_offset(fdt, "/cpus"), node, error;

	if (cpus < 0)
		return cpus;
	guest_isa(harts[0]->board->isa, &arch_features, isa, sizeof(isa));
	error = fdt_setprop_u32(fdt, cpus, "timebase-frequency", board.timebase_hz);
	fdt_for_each_subnode(node, fdt, cpus)
	{
		if (strncmp(fdt_get_name(fdt, node, NULL), "cpu@", 4) != 0)
			continue;
		if (error == 0)
			error = set_cpu(fdt, node, isa);
	}
	return error;
}

static int move_u64(void *fdt, int node, const char *name, uint64_t distance)
{
	int len;
	const void *value = fdt_getprop(fdt, node, name, &len);
	fdt64_t old;

	if (value == NULL || len != 8)
		return 0;
	memcpy(&old, value, 8);
	return fdt_setprop_inplace_u64(fdt, node, name, fdt64_to_cpu(old) + distance);
}

/* In `pmp` mode RAM, and what lies in it, is elsewhere. */
static int move_memory(void *fdt, uint64_t base, uint64_t size, uint64_t distance)
{
	char name[32];
	fdt64_t reg[2] = {cpu_to_fdt64(base), cpu_to_fdt64(size)};
	int memory = fdt_path_offset(fdt, "/memory"), chosen, error;

	if (memory < 0)
		return memory;
	snprintf(name, sizeof(name), "memory@%lx", (unsigned long)base);
	error = fdt_setprop(fdt, memory, "reg", reg, sizeof(reg));
	if (error == 0)
		error = fdt_set_name(fdt, memory, name);
	chosen = fdt_path_offset(fdt, "/chosen");
	if (error == 0 && chosen >= 0)
		error = move_u64(fdt, chosen, "linux,initrd-start", distance);
	if (error == 0 && chosen >= 0)
		error = move_u64(fdt, chosen, "linux,initrd-end", distance);
	return error;
}

/* A guest credits this as entropy: with none to give, it must not be there. */
static int set_seed(void *fdt, const struct capsule *capsule)
{
	uint8_t bytes[SEED_LEN];
	int chosen = fdt_path_offset(fdt, "/chosen"), error;

	if (chosen < 0)
		return 0;
	if (!seeded) {
		error = fdt_delprop(fdt, chosen, "rng-seed");
		return error == -FDT_ERR_NOTFOUND ? 0 : error;
	}
	next_seed(capsule, bytes);
	return fdt_setprop(fdt, chosen, "rng-seed", bytes, sizeof(bytes));
}

bool guest_tree_complete(struct capsule *capsule, uint64_t len)
{
	uint64_t distance = capsule->memory.base.v - DMFS_GUEST_RAM_BASE;
	hpa_t at = hpa(capsule->memory.host.v + (capsule->config.devicetree_load - DMFS_GUEST_RAM_BASE));
	void *fdt = hpa_ptr(at);
	int error;

	/* Whoever signed it: libfdt moves what it has not been told to doubt. */
	if (fdt_check_full(fdt, len) != 0)
		return false;
	error = fdt_open_into(fdt, fdt, (int)(len + DMFS_DEVICETREE_ROOM));
	if (error == 0)
		error = set_cpus(fdt);
	if (error == 0 && distance != 0)
		error = move_memory(fdt, capsule->memory.base.v, capsule->memory.size, distance);
	if (error == 0)
		error = set_seed(fdt, capsule);
	if (error == 0)
		error = fdt_pack(fdt);
	return error == 0;
}
