/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/boards.h"
#include "common/size.h"
#include "dtgen/dtgen.h"
#include "layout.h"
#include "yamltree.h"

/* A tree of 64 vCPUs takes 20 KiB. */
#define DEVICETREE_MAX_LEN (1u << 20)

/* Where an object's bytes come from: the same file in the same role is one object. */
struct plan_file {
	dev_t device;
	ino_t inode;
	bool raw; /* taken as it is, for an address in the manifest */
	struct bytes bytes;
	struct kernel kernel; /* of kernels and programs */
};

static uint32_t add_object(struct plan *plan, const char *owner, uint32_t type, const char *suffix)
{
	uint32_t index = plan->write.object_count++;
	struct dmfs_write_object *object = &plan->objects[index];

	object->name = arena_printf(&plan->arena, "%s.%s", owner, suffix);
	object->type = type;
	return index;
}

/*
 * The object for a file, read when it is new. DMFS_NONE after a message. The file was there when
 * the manifest was read.
 */
static uint32_t file_object(struct plan *plan, const struct manifest_text *file, const char *owner,
			    uint32_t type, const char *suffix, bool raw)
{
	const char *path = manifest_path(&plan->manifest, &plan->arena, file->text);
	struct plan_file now = {.raw = raw};
	struct stat st;
	uint32_t index;
	int error;

	error = stat(path, &st) < 0 ? errno : 0;
	now.device = st.st_dev;
	now.inode = st.st_ino;
	for (index = 0; !error && index < plan->write.object_count; index++) {
		const struct plan_file *known = &plan->files[index];

		if (known->bytes.data && known->inode == now.inode && known->device == now.device &&
		    known->raw == raw && plan->objects[index].type == type)
			return index;
	}
	if (!error)
		error = file_read(path, FILE_LIMIT, &now.bytes);
	if (error) {
		report_error(&plan->report, file->place, NULL, "cannot read '%s': %s", path,
			     strerror(error));
		return DMFS_NONE;
	}
	index = add_object(plan, owner, type, suffix);
	plan->files[index] = now;
	plan->objects[index].data = now.bytes.data;
	plan->objects[index].raw_len = plan->objects[index].mem_len = now.bytes.len;
	return index;
}

/* The kernel's or program's object, recognised; false after a message. */
static bool kernel_object(struct plan *plan, const struct manifest_capsule *from,
			  struct dmfs_capsule *capsule, struct kernel *kernel)
{
	bool guest = from->kind == DMFS_GUEST, raw = from->kernel.load.given, good;
	char why[KERNEL_WHY_LEN];
	struct plan_file *file;

	capsule->kernel = file_object(plan, &from->kernel.file, from->name.text,
				      guest ? DMFS_OBJECT_KERNEL : DMFS_OBJECT_PROGRAM,
				      guest ? "kernel" : "program", raw);
	if (capsule->kernel == DMFS_NONE)
		return false;
	file = &plan->files[capsule->kernel];
	good = raw ? kernel_raw(kernel, file->bytes.data, file->bytes.len, from->kernel.load.value,
				why)
		   : file->kernel.data ||
			       kernel_read(&file->kernel, file->bytes.data, file->bytes.len, why);
	if (!good) {
		report_error(&plan->report, from->kernel.file.place, NULL, "'%s' %s",
			     from->kernel.file.text, why);
		return false;
	}
	if (!raw)
		*kernel = file->kernel;
	plan->objects[capsule->kernel].data = kernel->data;
	plan->objects[capsule->kernel].raw_len = kernel->len;
	plan->objects[capsule->kernel].mem_len = kernel->mem_len;
	if (from->kernel.relocatable.given)
		kernel->relocatable = from->kernel.relocatable.value;
	if (kernel->relocatable)
		capsule->flags |= DMFS_CAPSULE_RELOCATABLE;
	return true;
}

/* --- device trees ---------------------------------------------------------------------------- */

static bool apply_overlay(struct plan *plan, const struct manifest_text *file, struct bytes *tree)
{
	const char *path = manifest_path(&plan->manifest, &plan->arena, file->text);
	struct bytes overlay;
	int error = file_read(path, DEVICETREE_MAX_LEN, &overlay);

	if (error) {
		report_error(&plan->report, file->place, NULL, "cannot read '%s': %s", path,
			     strerror(error));
		return false;
	}
	/* Room first: a failed attempt leaves both trees damaged. */
	if (fdt_check_full(overlay.data, overlay.len) != 0) {
		report_error(&plan->report, file->place, NULL,
			     "'%s' is no compiled device tree; compile it: dtc -@ -O dtb -o x.dtbo "
			     "x.dtso",
			     path);
		free(overlay.data);
		return false;
	}
	error = fdt_open_into(tree->data, tree->data, DEVICETREE_MAX_LEN);
	if (!error)
		error = fdt_overlay_apply(tree->data, overlay.data);
	if (!error)
		error = fdt_pack(tree->data);
	free(overlay.data);
	if (error)
		report_error(&plan->report, file->place, NULL, "overlay '%s' does not apply: %s",
			     path, fdt_strerror(error));
	else
		tree->len = fdt_totalsize(tree->data);
	return !error;
}

static bool make_tree(struct plan *plan, const struct manifest_capsule *from,
		      const struct dmfs_capsule *capsule, uint64_t initrd_len, struct bytes *tree)
{
	const struct dtgen_guest guest = {
		.name = from->name.text,
		.memory = capsule->memory,
		.cpus = capsule->cpus,
		.cmdline = from->cmdline.text,
		.initrd_start = capsule->initrd_load,
		.initrd_end = capsule->initrd_load + initrd_len,
	};
	int len = dtgen_build(&guest, tree->data, DEVICETREE_MAX_LEN);

	if (len < 0) {
		report_error(&plan->report, from->place, NULL,
			     "cannot make the device tree of '%s': %s", from->name.text,
			     fdt_strerror(len));
		return false;
	}
	tree->len = (size_t)len;
	return !from->overlay.text || apply_overlay(plan, &from->overlay, tree);
}

/* --- placing --------------------------------------------------------------------------------- */

static bool say_layout(struct plan *plan, const struct manifest_capsule *from,
		       enum layout_result result, const struct layout *layout,
		       const struct kernel *kernel)
{
	const struct diag_place place =
		from->kernel.load.given ? from->kernel.load.place : from->kernel.file.place;
	char needed[24], has[24];

	if (result == LAYOUT_OUTSIDE)
		report_error(&plan->report, place, NULL,
			     "'%s' belongs at address 0x%" PRIx64 ", but RAM begins at 0x%" PRIx64,
			     from->kernel.file.text, kernel->load, DMFS_GUEST_RAM_BASE);
	else if (result == LAYOUT_TOO_SMALL)
		report_error(&plan->report, from->memory.place, NULL,
			     "'%s' needs %s of memory for what is loaded, but has %s",
			     from->name.text, size_text(needed, layout->needed),
			     size_text(has, from->memory.value));
	return result == LAYOUT_GOOD;
}

/*
 * Places everything and makes the tree. The tree says where the RAM disk is, and its length decides
 * that: so it is made twice, the second time as long as the first.
 */
static void place(struct plan *plan, const struct manifest_capsule *from,
		  struct dmfs_capsule *capsule, const struct kernel *kernel)
{
	uint64_t initrd_len =
		capsule->initrd == DMFS_NONE ? 0 : plan->objects[capsule->initrd].raw_len;
	struct bytes tree = {arena_alloc(&plan->arena, DEVICETREE_MAX_LEN), 0};
	struct dmfs_write_object *object;
	enum layout_result result;
	struct layout layout;

	capsule->initrd_load = DMFS_GUEST_RAM_BASE;
	if (!make_tree(plan, from, capsule, initrd_len, &tree))
		return;
	result = layout_place(&layout, capsule->memory, kernel, initrd_len, tree.len);
	if (!say_layout(plan, from, result, &layout, kernel))
		return;
	capsule->kernel_load = layout.kernel_load;
	capsule->entry = layout.entry;
	capsule->initrd_load = layout.initrd_load;
	capsule->devicetree_load = layout.devicetree_load;
	if (!make_tree(plan, from, capsule, initrd_len, &tree))
		return;
	capsule->devicetree =
		add_object(plan, from->name.text, DMFS_OBJECT_DEVICETREE, "devicetree");
	object = &plan->objects[capsule->devicetree];
	object->data = tree.data;
	object->raw_len = object->mem_len = tree.len;
}

static struct dmfs_str borrow(const char *text)
{
	return (struct dmfs_str){text, (uint32_t)strlen(text)};
}

/* What several capsules use is encrypted when one of them wants it. */
static void encrypt_capsule(struct plan *plan, const struct dmfs_capsule *capsule)
{
	plan->objects[capsule->kernel].encrypted = true;
	plan->objects[capsule->devicetree].encrypted = true;
	if (capsule->initrd != DMFS_NONE)
		plan->objects[capsule->initrd].encrypted = true;
	plan->encrypts = true;
}

static void add_capsule(struct plan *plan, const struct manifest_capsule *from)
{
	struct dmfs_capsule *capsule = &plan->capsules[plan->write.capsule_count++];
	struct kernel kernel;
	bool good;

	*capsule = (struct dmfs_capsule){
		.name = borrow(from->name.text),
		.cmdline = borrow(from->cmdline.text),
		.kind = from->kind,
		.cpus = (uint32_t)from->cpus.value,
		.priority = (uint32_t)from->priority.value,
		.restart = (uint32_t)from->restart.value,
		.cpu_limit = (uint32_t)from->cpu_limit.value,
		.restart_limit = (uint32_t)from->restart_limit.value,
		.initrd = DMFS_NONE,
		.memory = from->memory.value,
		.affinity = from->affinity.value,
		.permissions = from->permissions.value,
	};
	good = kernel_object(plan, from, capsule, &kernel);
	if (from->initrd.text) {
		capsule->initrd = file_object(plan, &from->initrd, from->name.text,
					      DMFS_OBJECT_INITRD, "initrd", true);
		good = good && capsule->initrd != DMFS_NONE;
	}
	if (good)
		place(plan, from, capsule, &kernel);
	if (good && !plan->report.errors && from->encrypt.value)
		encrypt_capsule(plan, capsule);
}

/* --- the whole ------------------------------------------------------------------------------- */

static void add_banners(struct plan *plan)
{
	const struct manifest_list *banners = &plan->manifest.banners;

	for (unsigned i = 0; i < banners->count; i++)
		file_object(plan, &banners->items[i], "banner", DMFS_OBJECT_BANNER,
			    arena_printf(&plan->arena, "%u", i + 1), true);
}

static void add_boards(struct plan *plan)
{
	const struct manifest_list *boards = &plan->manifest.image.boards;
	struct dmfs_write_property *properties =
		arena_alloc(&plan->arena, boards->count * sizeof(*properties) + 1);

	for (unsigned i = 0; i < boards->count; i++)
		properties[i] = (struct dmfs_write_property){
			0, "board", board_compatible(boards->items[i].text)};
	plan->write.properties = properties;
	plan->write.property_count = boards->count;
}

static void make_room(struct plan *plan)
{
	const struct manifest *m = &plan->manifest;
	uint32_t capsules = m->guest_count + m->service_count;
	uint32_t objects = m->banners.count + 3 * capsules;

	plan->objects = arena_alloc(&plan->arena, objects * sizeof(*plan->objects) + 1);
	plan->files = arena_alloc(&plan->arena, objects * sizeof(*plan->files) + 1);
	plan->capsules = arena_alloc(&plan->arena, capsules * sizeof(*plan->capsules) + 1);
	plan->write.name = m->image.name.text;
	plan->write.version = m->image.version.text;
	plan->write.rollback = m->image.rollback.value;
	plan->write.objects = plan->objects;
	plan->write.capsules = plan->capsules;
}

static char *folder_of(struct plan *plan, const char *path)
{
	const char *slash = strrchr(path, '/');

	return arena_copy(&plan->arena, path, slash ? (size_t)(slash - path) + 1 : 0);
}

int plan_make(struct plan *plan, const char *path)
{
	const struct manifest *m = &plan->manifest;
	int status;

	memset(plan, 0, sizeof(*plan));
	status = file_read(path, YAML_MAX_LEN, &plan->source);
	if (status == EFBIG) {
		diag_error("'%s' is larger than 1 MiB: this is no manifest", path);
		return STATUS_REFUSED;
	}
	if (status)
		return diag_file("read", path, status);
	plan->report.source = (struct diag_source){strcmp(path, "-") ? path : "stdin",
						   (char *)plan->source.data, plan->source.len};
	manifest_read(&plan->manifest, &plan->report, &plan->arena, folder_of(plan, path));
	if (plan->report.errors)
		return STATUS_REFUSED;
	make_room(plan);
	add_banners(plan);
	add_boards(plan);
	for (unsigned i = 0; i < m->guest_count; i++)
		add_capsule(plan, &m->guests[i]);
	for (unsigned i = 0; i < m->service_count; i++)
		add_capsule(plan, &m->services[i]);
	if (plan->write.object_count > DMFS_MAX_OBJECTS)
		report_error(&plan->report, (struct diag_place){1, 1, 1}, NULL,
			     "kernels, initrds, device trees and banners make %u objects; an image has at most %u",
			     plan->write.object_count, DMFS_MAX_OBJECTS);
	return plan->report.errors ? STATUS_REFUSED : STATUS_DONE;
}

void plan_free(struct plan *plan)
{
	for (uint32_t i = 0; plan->files && i < plan->write.object_count; i++) {
		kernel_free(&plan->files[i].kernel);
		free(plan->files[i].bytes.data);
	}
	free(plan->source.data);
	arena_free(&plan->arena);
}
