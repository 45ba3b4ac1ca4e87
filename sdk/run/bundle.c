/* SPDX-License-Identifier: MIT */
#include "bundle.h"

#include <elf.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/diag.h"
#include "common/json.h"
#include "sign/seal.h"

/* Copies a record out of the file; false when it is not all there. */
static bool get(const struct bytes *elf, uint64_t offset, void *record, size_t len)
{
	if (offset > elf->len || elf->len - offset < len)
		return false;
	memcpy(record, elf->data + offset, len);
	return true;
}

static bool is_riscv(const Elf64_Ehdr *header)
{
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       header->e_machine == EM_RISCV && header->e_shentsize == sizeof(Elf64_Shdr);
}

static bool section_at(const struct bytes *elf, const Elf64_Ehdr *header, unsigned index,
		       Elf64_Shdr *section)
{
	uint64_t offset;

	return index < header->e_shnum &&
	       !__builtin_add_overflow(header->e_shoff, (uint64_t)index * sizeof(*section),
				       &offset) &&
	       get(elf, offset, section, sizeof(*section));
}

/* Is the section's name, terminated, exactly this? */
static bool is_named(const struct bytes *elf, const Elf64_Shdr *names, const Elf64_Shdr *section,
		     const char *name)
{
	char found[32];
	uint64_t offset;

	return section->sh_name < names->sh_size &&
	       names->sh_size - section->sh_name > strlen(name) && strlen(name) < sizeof(found) &&
	       !__builtin_add_overflow(names->sh_offset, section->sh_name, &offset) &&
	       get(elf, offset, found, strlen(name) + 1) &&
	       memcmp(found, name, strlen(name) + 1) == 0;
}

static bool find_trust(const struct bytes *elf, Elf64_Shdr *section)
{
	Elf64_Ehdr header;
	Elf64_Shdr names;

	if (!get(elf, 0, &header, sizeof(header)) || !is_riscv(&header) ||
	    !section_at(elf, &header, header.e_shstrndx, &names))
		return false;
	for (unsigned i = 0; i < header.e_shnum; i++) {
		if (section_at(elf, &header, i, section) && section->sh_type == SHT_PROGBITS &&
		    is_named(elf, &names, section, DMFS_TRUST_SECTION))
			return true;
	}
	return false;
}

const char *bundle_fill(struct bytes *elf, const struct trust_keys *keys, uint64_t rollback,
			const uint8_t *unseal)
{
	const struct dmfs_trust *trust = &keys->trust;
	struct dmfs_trust_section place;
	Elf64_Shdr section;

	if (!find_trust(elf, &section))
		return "it is no hypervisor of Diosix: a 64-bit RISC-V ELF with a "
		       "section " DMFS_TRUST_SECTION;
	if (section.sh_size < sizeof(place) ||
	    !get(elf, section.sh_offset, &place, sizeof(place)) ||
	    strncmp(place.magic, DMFS_TRUST_MAGIC, sizeof(place.magic)) != 0)
		return "its section " DMFS_TRUST_SECTION " is of another version";
	/* RISC-V boards and the machines that this runs on are both little-endian. */
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the section is little-endian");
	memset(place.keys, 0, sizeof(place.keys));
	memcpy(place.keys, trust->keys, trust->count * sizeof(place.keys[0]));
	place.count = trust->count;
	place.threshold = trust->threshold;
	place.rollback = rollback;
	/* Versions only go up, whichever hypervisor is bundled again. */
	if (trust->next && keys->next_version <= place.set_version)
		return "it has been given that version of the trust set, or a newer one, already";
	memset(place.next_keys, 0, sizeof(place.next_keys));
	memcpy(place.next_keys, keys->next_keys, keys->next.count * sizeof(place.next_keys[0]));
	place.next_count = keys->next.count;
	place.next_threshold = keys->next.threshold;
	if (trust->next)
		place.set_version = keys->next_version;
	memset(place.unseal, 0, sizeof(place.unseal));
	if (unseal)
		memcpy(place.unseal, unseal, sizeof(place.unseal));
	memcpy(elf->data + section.sh_offset, &place, sizeof(place));
	sodium_memzero(&place, sizeof(place));
	return NULL;
}

int bundle_read(struct bytes *elf, const char *path, const struct args *args)
{
	struct trust_keys trust;
	uint64_t rollback = 0;
	const char *wrong;
	uint8_t *unseal;
	int status = trust_keys_read(&trust, args);

	if (status == STATUS_DONE && !args_number(args, "rollback", 0, UINT64_MAX, &rollback))
		status = STATUS_USAGE;
	if (status == STATUS_DONE)
		status = file_read_or_say(path, FILE_LIMIT, elf);
	if (status != STATUS_DONE)
		return status;
	status = unseal_key_read(&unseal, args);
	if (status != STATUS_DONE) {
		free(elf->data);
		return status;
	}
	wrong = bundle_fill(elf, &trust, rollback, unseal);
	sodium_free(unseal);
	if (!wrong)
		return STATUS_DONE;
	diag_error("'%s' cannot be given trusted keys: %s", path, wrong);
	free(elf->data);
	return STATUS_REFUSED;
}

static int print_json(const struct args *args, const char *path, size_t len)
{
	struct json json = {.out = stdout};
	char id[KEY_ID_TEXT_LEN];
	struct trust_keys trust;
	uint64_t rollback = 0;
	int status = trust_keys_read(&trust, args);

	if (status != STATUS_DONE || !args_number(args, "rollback", 0, UINT64_MAX, &rollback))
		return STATUS_FAILED;
	json_begin_result(&json, "bundle");
	json_text(&json, "output", path);
	json_number(&json, "output_len", len);
	json_begin_array(&json, "trusted");
	for (uint32_t i = 0; i < trust.trust.count; i++)
		json_text(&json, NULL, key_id_text(id, trust.trust.keys[i]));
	json_end_array(&json);
	json_number(&json, "threshold", trust.trust.threshold);
	json_number(&json, "rollback", rollback);
	json_bool(&json, "unseals", args_has(args, "unseal"));
	json_end_object(&json);
	return STATUS_DONE;
}

int bundle_command(const struct args *args)
{
	const char *path = args_value(args, "output", 0);
	struct bytes elf;
	size_t len;
	int status;

	if (binary_on_terminal(path))
		return STATUS_USAGE;
	if (args_has(args, "json") && strcmp(path, "-") == 0)
		return args_wrong(args->command, "--json and the hypervisor both want standard output");
	status = bundle_read(&elf, args->operands[0], args);
	if (status != STATUS_DONE)
		return status;
	/* A file with a secret in it is its owner's. */
	if (args_has(args, "unseal"))
		umask(077);
	len = elf.len;
	status = file_write(path, elf.data, len);
	sodium_memzero(elf.data, elf.len);
	free(elf.data);
	if (status == STATUS_DONE)
		diag_info("%s: takes images signed by the trusted key%s only", path,
			  args_count(args, "trust") == 1 ? "" : "s");
	return status == STATUS_DONE && args_has(args, "json") ? print_json(args, path, len) : status;
}
