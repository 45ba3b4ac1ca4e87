/* SPDX-License-Identifier: MIT */
/*
 * A file as the flash memory that an emulated board keeps its rollback index in.
 */
#ifndef RUN_FLASH_H
#define RUN_FLASH_H

/* What QEMU calls it. */
#define FLASH_NODE "store"

/*
 * Makes the file at `path` if there is none, and gives QEMU's description of it (-blockdev), to be
 * freed. A STATUS_..., after a message when it is not STATUS_DONE.
 */
int flash_prepare(const char *path, char **blockdev);

#endif
