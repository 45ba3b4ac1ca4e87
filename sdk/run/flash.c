/* SPDX-License-Identifier: MIT */
#include "flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board_store.h"
#include "common/diag.h"

/* Of QEMU's `virt`. */
#define BANK_LEN   (UINT64_C(32) << 20)
#define SECTOR_LEN (UINT64_C(256) << 10)

/*
 * li t0, 1; slli t0, t0, 31; jr t0. Some QEMUs begin in flash when there is any: there to where the
 * hypervisor is.
 */
static const uint8_t to_ram[] = {0x93, 0x02, 0x10, 0x00, 0x93, 0x92, 0xf2, 0x01, 0x67, 0x80, 0x02, 0x00};
_Static_assert(sizeof(to_ram) <= STORE_MARK_AT, "the code comes before the mark");

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return false;
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* Marked and erased; what no store needs is a hole. */
static int fill(int fd)
{
	size_t len = STORE_SECTORS * SECTOR_LEN;
	uint8_t *bytes = malloc(len);
	int error = 0;

	if (!bytes)
		return ENOMEM;
	memset(bytes, 0xff, len);
	memcpy(bytes, to_ram, sizeof(to_ram));
	memcpy(bytes + STORE_MARK_AT, STORE_MARK, STORE_MARK_LEN);
	if (!write_all(fd, bytes, len) || ftruncate(fd, BANK_LEN) < 0)
		error = errno;
	free(bytes);
	return error;
}

static int check(int fd, const char *path)
{
	char mark[STORE_MARK_LEN];
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size == BANK_LEN &&
	    pread(fd, mark, sizeof(mark), STORE_MARK_AT) == sizeof(mark) &&
	    memcmp(mark, STORE_MARK, sizeof(mark)) == 0)
		return STATUS_DONE;
	diag_error("'%s' is no flash memory of a board ('dmfs run --flash' makes one where there "
		   "is no file)",
		   path);
	return STATUS_REFUSED;
}

static int make_or_check(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), error, status;

	if (fd >= 0) {
		error = fill(fd);
		close(fd);
		if (!error)
			return STATUS_DONE;
		unlink(path);
		return diag_file("write", path, error);
	}
	if (errno == EEXIST)
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return diag_file("open", path, errno);
	status = check(fd, path);
	close(fd);
	return status;
}

int flash_prepare(const char *path, char **blockdev)
{
	static const char begin[] = "driver=raw,node-name=" FLASH_NODE ",file.driver=file,file.filename=";
	int status = make_or_check(path);
	char *out;

	if (status != STATUS_DONE)
		return status;
	*blockdev = out = malloc(sizeof(begin) + 2 * strlen(path));
	if (!out)
		return diag_file("use", path, ENOMEM);
	out = stpcpy(out, begin);
	/* A comma that belongs to the name is written twice. */
	for (; *path; path++) {
		*out++ = *path;
		if (*path == ',')
			*out++ = ',';
	}
	*out = '\0';
	return STATUS_DONE;
}
