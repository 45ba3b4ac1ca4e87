/* SPDX-License-Identifier: MIT */
/*
 * A sentence for every status. Boards print them as they are, so tests and people know them by
 * heart.
 */
#include "dmfs.h"

static const char *const sentences[DMFS_STATUS_COUNT] = {
	[DMFS_OK] = "no error",
	[DMFS_ERR_TRUNCATED] = "the image ends before the end that its lengths give",
	[DMFS_ERR_TRAILING] = "there are bytes after the end of the image",
	[DMFS_ERR_MAGIC] = "this is not a DMFS image",
	[DMFS_ERR_VERSION] = "the image has a format version that is not supported here",
	[DMFS_ERR_ALGORITHM] = "the image uses an algorithm that is not supported here",
	[DMFS_ERR_LIMIT] = "a count or length is outside its limits",
	[DMFS_ERR_LENGTH] = "the lengths in the header contradict each other",
	[DMFS_ERR_RESERVED] = "a reserved byte or bit is not zero",
	[DMFS_ERR_STRING] = "a string is outside the string table or has forbidden bytes",
	[DMFS_ERR_NAME_TWICE] = "two objects or two capsules have the same name",
	[DMFS_ERR_OBJECT] = "the fields of an object contradict each other",
	[DMFS_ERR_CAPSULE] =
		"the fields of a capsule contradict each other or the objects it names",
	[DMFS_ERR_PROPERTY] = "a property is unknown, or not allowed for its owner",
	[DMFS_ERR_CHUNK] = "the chunks do not fill the payload one after the other",
	[DMFS_ERR_NO_TRUST] = "no key is trusted, so nothing can be accepted",
	[DMFS_ERR_THRESHOLD] =
		"the number of signatures demanded is 0 or above that of trusted keys",
	[DMFS_ERR_UNSIGNED] = "the image is not signed",
	[DMFS_ERR_UNTRUSTED] = "the image is signed by too few trusted keys",
	[DMFS_ERR_SIGNATURE] =
		"the signature of a trusted key does not hold: the image was changed",
	[DMFS_ERR_KEY_TWICE] = "the same key occurs twice",
	[DMFS_ERR_TOO_MANY_SIGNATURES] = "there are more than 16 signatures",
	[DMFS_ERR_ROLLBACK] = "the rollback index is below the least that is accepted",
	[DMFS_ERR_BOARD] = "the image is not made for this board",
	[DMFS_ERR_HASH] = "the payload is not the one that was signed",
	[DMFS_ERR_INFLATE] = "a chunk is not a zlib stream of the lengths that were signed",
	[DMFS_ERR_SEALED] = "it is encrypted, and not to a key that is here",
	[DMFS_ERR_DECRYPT] = "a chunk cannot be decrypted: the content key is not the one of this image",
	[DMFS_ERR_SPACE] = "there is not enough space",
};

const char *dmfs_strerror(enum dmfs_status status)
{
	if ((unsigned)status >= DMFS_STATUS_COUNT)
		return "unknown status";
	return sentences[status];
}
