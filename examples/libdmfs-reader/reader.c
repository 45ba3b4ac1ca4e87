/* SPDX-License-Identifier: MIT */
/* Verifies an image with libdmfs and lists what is in it. */
#include <dmfs.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_PREFIX "diosix-ed25519-public-v1 "

/* The whole file, malloc'ed; NULL after a message. */
static void *read_file(const char *path, uint64_t *len)
{
	FILE *file = fopen(path, "rb");
	void *data = NULL;
	long end = -1;

	if (file && fseek(file, 0, SEEK_END) == 0)
		end = ftell(file);
	if (end >= 0)
		data = malloc((size_t)end + 1);
	if (data) {
		rewind(file);
		*len = fread(data, 1, (size_t)end, file);
		((char *)data)[*len] = '\0';
	} else {
		perror(path);
	}
	if (file)
		fclose(file);
	return data;
}

/* The key in a NAME.pub: a prefix and 64 hexadecimal digits. */
static bool read_key(const char *path, uint8_t key[DMFS_PUBLIC_KEY_LEN])
{
	uint64_t len;
	char *text = read_file(path, &len);
	bool good = text && len >= strlen(KEY_PREFIX) + 2 * DMFS_PUBLIC_KEY_LEN &&
		    strncmp(text, KEY_PREFIX, strlen(KEY_PREFIX)) == 0;

	for (unsigned i = 0; good && i < DMFS_PUBLIC_KEY_LEN; i++)
		good = sscanf(text + strlen(KEY_PREFIX) + 2 * i, "%2" SCNx8, &key[i]) == 1;
	free(text);
	return good;
}

static void list(const struct dmfs_image *image)
{
	printf("%.*s %.*s\n", (int)image->name.len, image->name.data, (int)image->version.len,
	       image->version.data);
	for (uint32_t i = 0; i < image->objects; i++) {
		struct dmfs_object object = dmfs_object(image, i);

		printf("%-10s %12" PRIu64 " %.*s\n", dmfs_object_type_name(object.type),
		       object.raw_len, (int)object.name.len, object.name.data);
	}
}

int main(int argc, char **argv)
{
	uint8_t keys[1][DMFS_PUBLIC_KEY_LEN];
	struct dmfs_trust trust = {(const uint8_t(*)[DMFS_PUBLIC_KEY_LEN])keys, 1, 1, NULL};
	struct dmfs_image image;
	enum dmfs_status status;
	uint64_t len = 0;
	void *data;

	if (argc != 3) {
		fprintf(stderr, "usage: reader IMAGE NAME.pub\n");
		return 2;
	}
	if (!read_key(argv[2], keys[0])) {
		fprintf(stderr, "%s is no public key\n", argv[2]);
		return 1;
	}
	data = read_file(argv[1], &len);
	if (!data)
		return 3;
	/* The image borrows from `data`, which has to outlive it. */
	status = dmfs_open_verified(&image, data, len, true, &trust, NULL);
	if (status == DMFS_OK)
		list(&image);
	else
		fprintf(stderr, "%s is refused: %s\n", argv[1], dmfs_strerror(status));
	free(data);
	return status == DMFS_OK ? 0 : 1;
}
