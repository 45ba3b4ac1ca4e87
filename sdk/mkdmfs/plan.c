/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <errno.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "common/boards.h"
#include "common/size.h"
#include "dtgen/dtgen.h"
#include "layout.h"
#include "overlay.h"
#include "yamltree.h"

/* A tree of 64 vCPUs takes 20 KiB. */
#define DEVICETREE_MAX_LEN (1u << 20)

/*
 * A file that an object is made of: the same files in the same role are one object, but for those that a capsule finds by the
 * object's name.
 */
struct plan_file {
	struct source origin; /* the files that the manifest names */
	struct source source; /* where the object's bytes are read from */
	bool raw;             /* taken as it is, for an address in the manifest */
	bool recognised;
	struct kernel kernel; /* of kernels and programs; without its bytes */
};

static uint32_t add_object(struct plan *plan, const char *owner, uint32_t type, const char *suffix)
{
	uint32_t index = plan->write.object_count++;
	struct dmfs_write_object *object = &plan->objects[index];

	object->name = arena_printf(&plan->arena, "%s.%s", owner, suffix);
	object->type = type;
	return index;
}

/* A plan's `read`: an object's bytes are those of its file's source. */
static bool read_object(void *context, uint32_t index, uint64_t offset, void *to, size_t len)
{
	const struct plan *plan = context;

	return source_read(&plan->files[index].source, offset, to, len);
}

static void set_source(struct plan *plan, uint32_t index, const struct source *source)
{
	plan->files[index].source = *source;
	plan->objects[index].raw_len = plan->objects[index].mem_len = source->len;
}

static uint32_t find_object(const struct plan *plan, const struct plan_file *file, uint32_t type)
{
	for (uint32_t i = 0; i < plan->write.object_count && type != DMFS_OBJECT_FILE; i++) {
		const struct plan_file *known = &plan->files[i];

		if (plan->objects[i].type == type && known->raw == file->raw &&
		    known->origin.count > 0 && source_same(&known->origin, &file->origin))
			return i;
	}
	return DMFS_NONE;
}

static void cannot_read(struct plan *plan, struct diag_place place, const char *path, int error)
{
	if (error == ESTALE)
		report_error(&plan->report, place, NULL, "'%s' has changed while it was read", path);
	else
		report_error(&plan->report, place, NULL, "cannot read '%s': %s", path,
			     strerror(error));
}

/*
 * The object for files that are stored one after the other; added when they are new. DMFS_NONE after a
 * message. The files were there when the manifest was read.
 */
static uint32_t files_object(struct plan *plan, const struct manifest_text *files, unsigned count,
			     const char *owner, uint32_t type, const char *suffix, bool raw)
{
	struct plan_file now = {.raw = raw};
	uint32_t index;

	source_init(&now.origin, &plan->arena, count, &plan->failure);
	for (unsigned i = 0; i < count; i++) {
		const char *path = manifest_path(&plan->manifest, &plan->arena, files[i].text);
		int error = source_add(&now.origin, path, files[i].place);

		if (error) {
			cannot_read(plan, files[i].place, path, error);
			return DMFS_NONE;
		}
	}
	index = find_object(plan, &now, type);
	if (index != DMFS_NONE)
		return index;
	index = add_object(plan, owner, type, suffix);
	plan->files[index] = now;
	set_source(plan, index, &now.origin);
	return index;
}

static uint32_t file_object(struct plan *plan, const struct manifest_text *file, const char *owner,
			    uint32_t type, const char *suffix, bool raw)
{
	return files_object(plan, file, 1, owner, type, suffix, raw);
}

/* --- kernels --------------------------------------------------------------------------------- */

/*
 * A kernel that is stored otherwise than as its file goes to a temporary file, so that no more than
 * one is in memory, however many there are. False with errno set.
 */
static bool spool(struct plan *plan, uint32_t index)
{
	const struct kernel *kernel = &plan->files[index].kernel;
	struct source source;

	if (!plan->spool)
		plan->spool = tmpfile();
	if (!plan->spool || fwrite(kernel->data, 1, kernel->len, plan->spool) != kernel->len ||
	    fflush(plan->spool) != 0)
		return false;
	source_init(&source, &plan->arena, 1, &plan->failure);
	source_add_open(&source, fileno(plan->spool), plan->spooled, kernel->len);
	set_source(plan, index, &source);
	plan->spooled += kernel->len;
	return true;
}

/* Finds out what the kernel is, and has its bytes ready to be read. False after a message. */
static bool recognise(struct plan *plan, const struct manifest_text *from, uint32_t index)
{
	struct plan_file *file = &plan->files[index];
	const char *path = file->origin.parts[0].path;
	char why[KERNEL_WHY_LEN];
	struct bytes bytes;
	int error = file_read(path, KERNEL_MAX_LEN, &bytes);
	bool good = false;

	if (error == EFBIG)
		report_error(&plan->report, from->place, NULL,
			     "'%s' is larger than 1G; no kernel is so large", from->text);
	else if (error)
		cannot_read(plan, from->place, path, error);
	else if (!kernel_read(&file->kernel, bytes.data, bytes.len, why))
		report_error(&plan->report, from->place, NULL, "'%s' %s", from->text, why);
	else if (file->kernel.owned && !spool(plan, index))
		report_error(&plan->report, from->place, NULL, "cannot write a temporary file: %s",
			     strerror(errno));
	else
		good = true;
	free(file->kernel.owned);
	file->kernel.owned = NULL;
	file->kernel.data = NULL;
	free(bytes.data);
	file->recognised = good;
	return good;
}

/* Of raw bytes only the first are looked at, which would tell that they are something else. */
static bool take_raw(struct plan *plan, const struct manifest_kernel *from, uint32_t index,
		     struct kernel *kernel)
{
	const struct source *source = &plan->files[index].source;
	char why[KERNEL_WHY_LEN];
	uint8_t start[64];
	size_t len = source->len < sizeof(start) ? (size_t)source->len : sizeof(start);

	if (!source_read(source, 0, start, len)) {
		plan_has_changed(plan);
		return false;
	}
	if (!kernel_raw(kernel, start, len, from->load.value, why)) {
		report_error(&plan->report, from->file.place, NULL, "'%s' %s", from->file.text, why);
		return false;
	}
	kernel->data = NULL;
	kernel->len = kernel->mem_len = source->len;
	return true;
}

/* The kernel's or program's object, recognised; false after a message. */
static bool kernel_object(struct plan *plan, const struct manifest_capsule *from,
			  struct dmfs_capsule *capsule, struct kernel *kernel)
{
	bool guest = from->kind == DMFS_GUEST, raw = from->kernel.load.given;
	struct plan_file *file;

	capsule->kernel = file_object(plan, &from->kernel.file, from->name.text,
				      guest ? DMFS_OBJECT_KERNEL : DMFS_OBJECT_PROGRAM,
				      guest ? "kernel" : "program", raw);
	if (capsule->kernel == DMFS_NONE)
		return false;
	file = &plan->files[capsule->kernel];
	if (raw ? !take_raw(plan, &from->kernel, capsule->kernel, kernel)
		: !file->recognised && !recognise(plan, &from->kernel.file, capsule->kernel))
		return false;
	if (!raw)
		*kernel = file->kernel;
	plan->objects[capsule->kernel].mem_len = kernel->mem_len;
	if (from->kernel.relocatable.given)
		kernel->relocatable = from->kernel.relocatable.value;
	if (kernel->relocatable)
		capsule->flags |= DMFS_CAPSULE_RELOCATABLE;
	return true;
}

/* --- device trees ---------------------------------------------------------------------------- */

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
		.doorbell = capsule->kind == DMFS_SERVICE || capsule->permissions != 0,
	};
	int len = dtgen_build(&guest, tree->data, DEVICETREE_MAX_LEN);

	if (len < 0) {
		report_error(&plan->report, from->place, NULL,
			     "cannot make the device tree of '%s': %s", from->name.text,
			     fdt_strerror(len));
		return false;
	}
	tree->len = (size_t)len;
	return !from->overlay.text ||
	       overlay_apply(&plan->report, from->overlay.place,
			     manifest_path(&plan->manifest, &plan->arena, from->overlay.text), tree,
			     DEVICETREE_MAX_LEN);
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
	struct bytes tree = {plan->tree, 0};
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
	object->data = arena_copy(&plan->arena, (const char *)tree.data, tree.len);
	object->raw_len = object->mem_len = tree.len;
}

static struct dmfs_str borrow(const char *text)
{
	return (struct dmfs_str){text, (uint32_t)strlen(text)};
}

/* An object that the last capsule has beyond what it boots with. */
static void add_extra(struct plan *plan, const struct manifest_text *file, uint32_t type,
		      const char *suffix, bool encrypt)
{
	const char *key = dmfs_object_type_name(type);
	uint32_t index = file_object(plan, file, plan->capsules[plan->write.capsule_count - 1].name.data,
				     type, suffix, true);

	if (index == DMFS_NONE)
		return;
	plan->objects[index].encrypted |= encrypt;
	plan->properties[plan->write.property_count++] = (struct dmfs_write_property){
		plan->write.capsule_count, key, plan->objects[index].name};
}

static void add_extras(struct plan *plan, const struct manifest_capsule *from)
{
	for (unsigned i = 0; i < from->disks.count; i++)
		add_extra(plan, &from->disks.items[i], DMFS_OBJECT_DISK,
			  arena_printf(&plan->arena, "disk.%u", i), from->encrypt.value);
	for (unsigned i = 0; i < from->files.count; i++)
		add_extra(plan, &from->files.items[i].file, DMFS_OBJECT_FILE,
			  arena_printf(&plan->arena, "file.%s", from->files.items[i].name.text),
			  from->encrypt.value);
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
	if (from->initrd.count) {
		capsule->initrd =
			files_object(plan, from->initrd.items, from->initrd.count, from->name.text,
				     DMFS_OBJECT_INITRD, "initrd", true);
		good = good && capsule->initrd != DMFS_NONE;
	}
	if (good)
		place(plan, from, capsule, &kernel);
	add_extras(plan, from);
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

	for (unsigned i = 0; i < boards->count; i++)
		plan->properties[plan->write.property_count++] = (struct dmfs_write_property){
			0, "board", board_compatible(boards->items[i].text)};
}

/* Disks and files of all capsules. */
static uint32_t count_extras(const struct manifest *m)
{
	uint32_t count = 0;

	for (unsigned i = 0; i < m->guest_count; i++)
		count += m->guests[i].disks.count;
	for (unsigned i = 0; i < m->service_count; i++)
		count += m->services[i].disks.count + m->services[i].files.count;
	return count;
}

static void make_room(struct plan *plan)
{
	const struct manifest *m = &plan->manifest;
	uint32_t capsules = m->guest_count + m->service_count, extras = count_extras(m);
	uint32_t objects = m->banners.count + 3 * capsules + extras;
	uint32_t properties = m->image.boards.count + extras;

	plan->objects = arena_alloc(&plan->arena, objects * sizeof(*plan->objects) + 1);
	plan->files = arena_alloc(&plan->arena, objects * sizeof(*plan->files) + 1);
	plan->capsules = arena_alloc(&plan->arena, capsules * sizeof(*plan->capsules) + 1);
	plan->tree = arena_alloc(&plan->arena, DEVICETREE_MAX_LEN);
	plan->properties = arena_alloc(&plan->arena, properties * sizeof(*plan->properties) + 1);
	plan->write.name = m->image.name.text;
	plan->write.version = m->image.version.text;
	plan->write.rollback = m->image.rollback.value;
	plan->write.objects = plan->objects;
	plan->write.capsules = plan->capsules;
	plan->write.properties = plan->properties;
	plan->write.read = read_object;
	plan->write.read_context = plan;
}

/* Two capsules may have names that make one: "a" with the file "b.file.c", and "a.file.b" with "c". */
static void check_object_names(struct plan *plan)
{
	for (uint32_t i = 0; i < plan->write.object_count; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (strcmp(plan->objects[i].name, plan->objects[j].name) != 0)
				continue;
			report_error(&plan->report, (struct diag_place){1, 1, 1}, NULL,
				     "two objects would be called '%s'; rename a capsule or a file",
				     plan->objects[i].name);
			break;
		}
	}
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
	pthread_mutex_init(&plan->failure.lock, NULL);
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
			     "kernels, initrds, device trees, banners, disks and files make %u objects; an "
			     "image has at most %u",
			     plan->write.object_count, DMFS_MAX_OBJECTS);
	else
		check_object_names(plan);
	return plan->report.errors ? STATUS_REFUSED : STATUS_DONE;
}

bool plan_has_changed(struct plan *plan)
{
	struct source_failure *failure = &plan->failure;

	for (uint32_t i = 0; !failure->path && i < plan->write.object_count; i++)
		source_check(&plan->files[i].origin);
	if (!failure->path)
		return false;
	cannot_read(plan, failure->place, failure->path, failure->error);
	return true;
}

void plan_free(struct plan *plan)
{
	if (plan->spool)
		fclose(plan->spool);
	free(plan->source.data);
	arena_free(&plan->arena);
}
