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
#include "common/size.h"
#include "common/suggest.h"
#include "sign/seal.h"
#include "unpack.h"

/* --- dmfs verify ----------------------------------------------------------------------------- */

static int check_board(const struct args *args, const struct image_file *file)
{
	const char *name = args_value(args, "board", 0);
	const char *board = name ? board_compatible(name) : NULL;
	enum dmfs_status status;
	uint64_t rollback = 0;
	char hint[96];

	if (!args_number(args, "rollback", 0, UINT64_MAX, &rollback))
		return STATUS_USAGE;
	if (name && !board) {
		const char *near = suggest_hint(hint, sizeof(hint), name, board_short_name, NULL);

		return args_wrong(args->command, "unknown board '%s'%s%s", name, near ? "; " : "",
				  near ? near : "; give its compatible string");
	}
	/* Without a board any of the image's own will do, so that only the rollback index is
	 * compared. */
	status = board ? dmfs_check_board(&file->image, &board, 1, rollback)
		       : dmfs_check_rollback(&file->image, rollback);
	return status == DMFS_OK ? STATUS_DONE : image_refused(file->path, status);
}

static void print_verdict(const struct image_file *file, const struct trust_keys *trust)
{
	const struct dmfs_image *image = &file->image;
	char id[KEY_ID_TEXT_LEN], raw_text[24];
	uint64_t raw = 0;

	for (uint32_t i = 0; i < image->objects; i++)
		raw += dmfs_object(image, i).raw_len;
	printf("%s: verified: %.*s %.*s, rollback %" PRIu64 ", %u object%s, %s unpacked\n",
	       file->path, (int)image->name.len, image->name.data, (int)image->version.len,
	       image->version.data, image->rollback, image->objects, image->objects == 1 ? "" : "s",
	       size_text(raw_text, raw));
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

int verify_command(const struct args *args)
{
	struct trust_keys trust;
	struct image_file file;
	int status = trust_keys_read(&trust, args);

	if (status == STATUS_DONE)
		status = image_file_read(&file, args->operands[0], &trust.trust);
	if (status != STATUS_DONE)
		return status;
	status = check_board(args, &file);
	if (status == STATUS_DONE)
		status = image_file_unseal(&file, args);
	if (status == STATUS_DONE)
		status = unpack_chunks(&file, 0, file.image.chunks, -1, "", "verifying");
	if (status == STATUS_DONE && !args_has(args, "quiet"))
		print_verdict(&file, &trust);
	image_file_free(&file);
	return status;
}

/* --- dmfs extract ---------------------------------------------------------------------------- */

/* An object's name has no slash and does not begin with a dot, so it stays in the folder. */
static int extract_object(const struct image_file *file, const struct dmfs_object *object,
			  int folder)
{
	char name[DMFS_MAX_NAME_LEN + 1], size[24];
	int fd, status;

	snprintf(name, sizeof(name), "%.*s", (int)object->name.len, object->name.data);
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST) {
		diag_error("'%s' exists and is not overwritten; choose another folder with -C",
			   name);
		return STATUS_FAILED;
	}
	if (fd < 0)
		return diag_file("create", name, errno);
	status = unpack_chunks(file, object->first_chunk, object->chunk_count, fd, name,
			       "extracting");
	if (close(fd) < 0 && status == STATUS_DONE)
		status = diag_file("write", name, errno);
	if (status != STATUS_DONE)
		unlinkat(folder, name, 0);
	else
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

static int extract_to(const struct args *args, const struct image_file *file, int folder)
{
	for (uint32_t i = 0; i < file->image.objects; i++) {
		struct dmfs_object object = dmfs_object(&file->image, i);
		int status = is_wanted(args, &object) ? extract_object(file, &object, folder)
						      : STATUS_DONE;

		if (status != STATUS_DONE)
			return status;
	}
	return STATUS_DONE;
}

int extract_command(const struct args *args)
{
	const char *path = args_value(args, "directory", 0);
	struct trust_keys trust;
	struct image_file file;
	int folder, status = inspect_read(&file, args, args->operands[0], &trust);

	if (status != STATUS_DONE)
		return status;
	status = check_wanted(args, &file);
	if (status == STATUS_DONE)
		status = image_file_unseal(&file, args);
	if (status == STATUS_DONE) {
		path = path ? path : ".";
		folder = mkdir(path, 0777) < 0 && errno != EEXIST
				 ? -1
				 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		status = folder < 0 ? diag_file("open", path, errno)
				    : extract_to(args, &file, folder);
		if (folder >= 0)
			close(folder);
	}
	image_file_free(&file);
	return status;
}
