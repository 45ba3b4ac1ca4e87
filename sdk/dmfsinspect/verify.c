/* SPDX-License-Identifier: MIT */
#include "inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/boards.h"
#include "common/diag.h"
#include "common/json.h"
#include "common/size.h"
#include "common/suggest.h"
#include "sign/seal.h"
#include "unpack.h"

/* --- dmfs verify ----------------------------------------------------------------------------- */

int inspect_read_board(const struct args *args, struct board_demand *demand)
{
	const char *name = args_value(args, "board", 0);
	char hint[96];
	const char *near;

	*demand = (struct board_demand){name ? board_compatible(name) : NULL, 0};
	if (!args_number(args, "rollback", 0, UINT64_MAX, &demand->rollback))
		return STATUS_USAGE;
	if (!name || demand->compatible)
		return STATUS_DONE;
	near = suggest_hint(hint, sizeof(hint), name, board_short_name, NULL);
	return args_wrong(args->command, "unknown board '%s'%s%s", name, near ? "; " : "",
			  near ? near : "; give its compatible string");
}

enum dmfs_status inspect_check_board(const struct dmfs_image *image,
				     const struct board_demand *demand)
{
	if (demand->compatible)
		return dmfs_check_board(image, &demand->compatible, 1, demand->rollback);
	/* Without a board any of the image's own will do, so only the index is compared. */
	return dmfs_check_rollback(image, demand->rollback);
}

static uint64_t raw_len(const struct dmfs_image *image)
{
	uint64_t raw = 0;

	for (uint32_t i = 0; i < image->objects; i++)
		raw += dmfs_object(image, i).raw_len;
	return raw;
}

static void print_verdict(const struct image_file *file, const struct trust_keys *trust)
{
	const struct dmfs_image *image = &file->image;
	char id[KEY_ID_TEXT_LEN], raw_text[24];

	printf("%s: verified: %.*s %.*s, rollback %" PRIu64 ", %u object%s, %s unpacked\n",
	       file->path, (int)image->name.len, image->name.data, (int)image->version.len,
	       image->version.data, image->rollback, image->objects, image->objects == 1 ? "" : "s",
	       size_text(raw_text, raw_len(image)));
	if (image->encrypted && !file->content_key)
		printf("encrypted objects by their hashes alone: there is no key\n");
	for (uint32_t i = 0; i < trust->trust.count; i++) {
		if (file->signers >> i & 1)
			printf("signed by trusted key %s\n", key_id_text(id, trust->keys[i]));
	}
	for (uint32_t i = 0; i < trust->next.count; i++) {
		if (file->signers >> (DMFS_NEXT_SIGNERS + i) & 1)
			printf("signed by key %s of the next trust set\n",
			       key_id_text(id, trust->next_keys[i]));
	}
}

/* Nothing of an image that is refused is repeated: nobody answers for it. */
static void print_verdict_json(const struct image_file *file, const struct trust_keys *trust,
			       enum dmfs_status refused)
{
	struct json json = {.out = stdout};
	const struct dmfs_image *image = &file->image;
	char id[KEY_ID_TEXT_LEN];

	json_begin_result(&json, "verify");
	json_text(&json, "image", file->path);
	json_bool(&json, "verified", refused == DMFS_OK);
	json_text(&json, "reason", refused == DMFS_OK ? NULL : dmfs_strerror(refused));
	if (refused == DMFS_OK) {
		json_bytes(&json, "name", image->name.data, image->name.len);
		json_bytes(&json, "version", image->version.data, image->version.len);
		json_number(&json, "rollback", image->rollback);
		json_number(&json, "objects", image->objects);
		json_number(&json, "raw_len", raw_len(image));
		json_begin_array(&json, "signed_by");
		for (uint32_t i = 0; i < trust->trust.count; i++) {
			if (file->signers >> i & 1)
				json_text(&json, NULL, key_id_text(id, trust->keys[i]));
		}
		for (uint32_t i = 0; i < trust->next.count; i++) {
			if (file->signers >> (DMFS_NEXT_SIGNERS + i) & 1)
				json_text(&json, NULL, key_id_text(id, trust->next_keys[i]));
		}
		json_end_array(&json);
		json_bool(&json, "unpacked", !image->encrypted || file->content_key);
	}
	json_end_object(&json);
}

/* What follows the signatures; *refused says why the image is, when it is. */
static int check_rest(struct image_file *file, const struct args *args,
		      const struct board_demand *demand, enum dmfs_status *refused)
{
	struct unpack_failure failure;
	int status;

	*refused = inspect_check_board(&file->image, demand);
	if (*refused != DMFS_OK)
		return image_refused(file->path, *refused);
	status = image_file_unseal(file, args);
	*refused = file->refused;
	if (status != STATUS_DONE)
		return status;
	if (unpack_quietly(file, 0, file->image.chunks, -1, "verifying", &failure))
		return STATUS_DONE;
	*refused = failure.status;
	return unpack_say(file, &failure, "");
}

int verify_command(const struct args *args)
{
	enum dmfs_status refused = DMFS_OK;
	struct board_demand demand;
	struct trust_keys trust;
	struct image_file file;
	int status = inspect_read_board(args, &demand);
	bool json = args_has(args, "json");

	if (status == STATUS_DONE)
		status = trust_keys_read(&trust, args);
	if (status != STATUS_DONE)
		return status;
	status = image_file_read(&file, args->operands[0], &trust.trust);
	refused = file.refused;
	if (status == STATUS_DONE)
		status = check_rest(&file, args, &demand, &refused);
	/* A verdict is on the image; what kept from one has been said. */
	if (json && (status == STATUS_DONE || refused != DMFS_OK))
		print_verdict_json(&file, &trust, refused);
	else if (status == STATUS_DONE && !args_has(args, "quiet"))
		print_verdict(&file, &trust);
	image_file_free(&file);
	return status;
}

/* --- dmfs extract ---------------------------------------------------------------------------- */

/*
 * A file that is to have this name in the folder, and has none yet; on file systems that cannot do
 * that one that begins with a dot, as no object's name does. -1 with errno.
 */
static int begin_file(int folder, const char *name, char *temporary, size_t len)
{
	int fd = openat(folder, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);

	temporary[0] = '\0';
	if (fd >= 0 || faccessat(folder, ".", W_OK | X_OK, 0) < 0)
		return fd;
	snprintf(temporary, len, ".%s.%ld", name, (long)getpid());
	return openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

/* Gives the complete file its name, unless there is a file of that name. */
static int name_file(int fd, int folder, const char *name, const char *temporary)
{
	char self[64];

	if (temporary[0] != '\0')
		return renameat2(folder, temporary, folder, name, RENAME_NOREPLACE);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, folder, name, AT_SYMLINK_FOLLOW);
}

static int cannot_create(const char *name, int error)
{
	if (error != EEXIST)
		return diag_file("create", name, error);
	diag_error("'%s' exists and is not overwritten; choose another folder with -C", name);
	return STATUS_FAILED;
}

/* An object's name has no slash and does not begin with a dot, so it stays in the folder. */
static int extract_object(const struct image_file *file, const struct dmfs_object *object,
			  int folder)
{
	char name[DMFS_MAX_NAME_LEN + 1], temporary[DMFS_MAX_NAME_LEN + 32], size[24];
	int fd, status;

	snprintf(name, sizeof(name), "%.*s", (int)object->name.len, object->name.data);
	if (faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return cannot_create(name, EEXIST);
	fd = begin_file(folder, name, temporary, sizeof(temporary));
	if (fd < 0)
		return cannot_create(name, errno);
	status = unpack_chunks(file, object->first_chunk, object->chunk_count, fd, name,
			       "extracting");
	if (status == STATUS_DONE && name_file(fd, folder, name, temporary) < 0)
		status = cannot_create(name, errno);
	else if (status == STATUS_DONE)
		temporary[0] = '\0';
	if (close(fd) < 0 && status == STATUS_DONE) {
		status = diag_file("write", name, errno);
		unlinkat(folder, name, 0);
	}
	if (temporary[0] != '\0')
		unlinkat(folder, temporary, 0);
	if (status == STATUS_DONE)
		diag_info("%s: %s", name, size_text(size, object->raw_len));
	return status;
}

static const char *object_name(const void *context, unsigned index)
{
	/* Terminated copies: names in an image are not. */
	static char names[DMFS_MAX_OBJECTS][DMFS_MAX_NAME_LEN + 1];
	const struct dmfs_image *image = context;
	struct dmfs_object object;

	if (index >= image->objects)
		return NULL;
	object = dmfs_object(image, index);
	snprintf(names[index], sizeof(names[index]), "%.*s", (int)object.name.len,
		 object.name.data);
	return names[index];
}

/* All operands have to be objects before the first file is written. */
static int check_wanted(const struct args *args, const struct image_file *file)
{
	char hint[96];

	for (unsigned i = 1; i < args->operand_count; i++) {
		const char *name = args->operands[i];
		struct dmfs_str wanted = {name, (uint32_t)strlen(name)};
		const char *near;

		if (dmfs_find_object(&file->image, wanted) != DMFS_NONE)
			continue;
		near = suggest_hint(hint, sizeof(hint), name, object_name, &file->image);
		diag_error("'%s' has no object '%s'%s%s", file->path, name, near ? "; " : "",
			   near ? near : "");
		return STATUS_REFUSED;
	}
	return STATUS_DONE;
}

static bool is_wanted(const struct args *args, const struct dmfs_object *object)
{
	for (unsigned i = 1; i < args->operand_count; i++) {
		if (dmfs_str_is(object->name, args->operands[i]))
			return true;
	}
	return args->operand_count == 1;
}

/* What was written, when all of it was. */
static void print_extracted_json(const struct args *args, const struct image_file *file,
				 const char *folder)
{
	struct json json = {.out = stdout};

	json_begin_result(&json, "extract");
	json_text(&json, "image", file->path);
	json_bool(&json, "verified", file->verified);
	json_text(&json, "directory", folder);
	json_begin_array(&json, "files");
	for (uint32_t i = 0; i < file->image.objects; i++) {
		struct dmfs_object object = dmfs_object(&file->image, i);

		if (!is_wanted(args, &object))
			continue;
		json_begin_object(&json, NULL);
		json_bytes(&json, "name", object.name.data, object.name.len);
		json_text(&json, "type", dmfs_object_type_name(object.type));
		json_number(&json, "raw_len", object.raw_len);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_end_object(&json);
}

static int extract_to(const struct args *args, const struct image_file *file, const char *path)
{
	int folder = -1, status = STATUS_DONE;

	if (mkdir(path, 0777) == 0 || errno == EEXIST)
		folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return diag_file("open", path, errno);
	for (uint32_t i = 0; i < file->image.objects && status == STATUS_DONE; i++) {
		struct dmfs_object object = dmfs_object(&file->image, i);

		if (is_wanted(args, &object))
			status = extract_object(file, &object, folder);
	}
	close(folder);
	if (status == STATUS_DONE && args_has(args, "json"))
		print_extracted_json(args, file, path);
	return status;
}

int extract_command(const struct args *args)
{
	const char *path = args_value(args, "directory", 0);
	struct trust_keys trust;
	struct image_file file;
	int status = inspect_read(&file, args, args->operands[0], &trust);

	if (status != STATUS_DONE)
		return status;
	status = check_wanted(args, &file);
	if (status == STATUS_DONE)
		status = image_file_unseal(&file, args);
	if (status == STATUS_DONE)
		status = extract_to(args, &file, path ? path : ".");
	image_file_free(&file);
	return status;
}
