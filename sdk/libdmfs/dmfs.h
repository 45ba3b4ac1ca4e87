/* SPDX-License-Identifier: MIT */
/*
 * DMFS images: reading, verifying and (on a host) writing them.
 *
 * The bytes are defined in docs/dmfs-format.md; "section" below means a section of
 * that page. The reader and verifier (everything but dmfs_write.h) are freestanding: they allocate
 * nothing, print nothing, never exit and need of libc only memcpy, memmove, memset and
 * memcmp. The same sources are compiled into the hypervisor and into the host's tools, so both
 * accept exactly the same images.
 *
 * Lengths and offsets are in bytes. Strings in an image have no terminator. Structures here
 * borrow from the buffer that was passed in and own nothing.
 */
#ifndef DMFS_H
#define DMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits, section 2 onwards. */
#define DMFS_FORMAT_VERSION 1u
#define DMFS_HEADER_LEN 256u
#define DMFS_MAX_OBJECTS 1024u
#define DMFS_MAX_CAPSULES 128u
#define DMFS_MAX_PROPERTIES 4096u
#define DMFS_MAX_CHUNKS 1048576u
#define DMFS_MAX_STRINGS_LEN 1048576u
#define DMFS_MAX_NAME_LEN 63u
#define DMFS_MAX_FILE_NAME_LEN 26u /* of a capsule's file: CAPSULE.file.NAME is an object's name */
#define DMFS_MAX_CAPSULE_NAME_LEN 31u
#define DMFS_MAX_VALUE_LEN 4095u
#define DMFS_MAX_VCPUS 64u
#define DMFS_MAX_SIGNATURES 16u
#define DMFS_MAX_RAW_LEN (UINT64_C(1) << 40) /* and of an object's mem_len */
#define DMFS_MAX_MEMORY (UINT64_C(1) << 40)
#define DMFS_MAX_PAYLOAD_LEN (UINT64_C(1) << 42)
#define DMFS_MIN_CHUNK_LEN 4096u
#define DMFS_MAX_CHUNK_LEN 1048576u
#define DMFS_DEFAULT_CHUNK_LEN 262144u

#define DMFS_HASH_LEN 32u
#define DMFS_PUBLIC_KEY_LEN 32u
#define DMFS_SIGNATURE_LEN 64u
#define DMFS_KEY_ID_LEN 8u
#define DMFS_CONTENT_KEY_LEN 32u
#define DMFS_SEALED_KEY_LEN 80u
#define DMFS_MAX_SEALED_KEYS 16u
/* What encryption adds to a stored chunk: nonce and tag. */
#define DMFS_COVER_LEN 40u

/* Where a guest believes its RAM to be, section 4. */
#define DMFS_GUEST_RAM_BASE UINT64_C(0x80000000)
/* Capsule memory comes in multiples of this. */
#define DMFS_MEMORY_UNIT (UINT64_C(2) << 20)
/* Kept free after a device tree for what the board adds. */
#define DMFS_DEVICETREE_ROOM (UINT64_C(64) << 10)
/* "No such object" in dmfs_capsule. */
#define DMFS_NONE UINT32_C(0xffffffff)

/* What can be wrong. Each has a sentence: dmfs_strerror(). */
enum dmfs_status {
	DMFS_OK = 0,
	DMFS_ERR_TRUNCATED,	     /* ends before its own lengths say so */
	DMFS_ERR_TRAILING,	     /* bytes after the end */
	DMFS_ERR_MAGIC,		     /* not a DMFS image */
	DMFS_ERR_VERSION,	     /* a format version this reader does not know */
	DMFS_ERR_ALGORITHM,	     /* an algorithm this reader does not know */
	DMFS_ERR_LIMIT,		     /* a count or length above its maximum */
	DMFS_ERR_LENGTH,	     /* lengths that contradict each other */
	DMFS_ERR_RESERVED,	     /* a reserved byte is not zero */
	DMFS_ERR_STRING,	     /* a string outside the string table, or of forbidden bytes */
	DMFS_ERR_NAME_TWICE,	     /* two objects or two capsules of one name */
	DMFS_ERR_OBJECT,	     /* an object's fields contradict each other */
	DMFS_ERR_CAPSULE,	     /* a capsule's fields contradict each other */
	DMFS_ERR_PROPERTY,	     /* unknown key, bad owner */
	DMFS_ERR_CHUNK,		     /* chunks that do not tile the payload */
	DMFS_ERR_NO_TRUST,	     /* there is no trust anchor */
	DMFS_ERR_THRESHOLD,	     /* threshold 0, or above the number of anchors */
	DMFS_ERR_UNSIGNED,	     /* no signature at all */
	DMFS_ERR_UNTRUSTED,	     /* signed, but by too few of the trusted keys */
	DMFS_ERR_SIGNATURE,	     /* a trusted key's signature does not hold */
	DMFS_ERR_KEY_TWICE,	     /* the same key twice among signatures or anchors */
	DMFS_ERR_TOO_MANY_SIGNATURES,
	DMFS_ERR_ROLLBACK,	     /* rollback index below what is demanded */
	DMFS_ERR_BOARD,		     /* not made for this board */
	DMFS_ERR_HASH,		     /* a chunk's bytes are not those that were signed */
	DMFS_ERR_INFLATE,	     /* a chunk is not a zlib stream of the signed lengths */
	DMFS_ERR_SEALED,	     /* encrypted, and not to the key that is here, or there is none */
	DMFS_ERR_DECRYPT,	     /* a chunk is not what the content key encrypted */
	DMFS_ERR_SPACE,		     /* the caller's buffer is too small */
	DMFS_STATUS_COUNT
};

/* A sentence for people, without a full stop; never NULL. */
const char *dmfs_strerror(enum dmfs_status status);

/* len bytes at data; not terminated. */
struct dmfs_str {
	const char *data;
	uint32_t len;
};

/* Does s consist of exactly the bytes of the C string? */
bool dmfs_str_is(struct dmfs_str s, const char *text);

enum dmfs_object_type {
	DMFS_OBJECT_KERNEL = 1,
	DMFS_OBJECT_INITRD = 2,
	DMFS_OBJECT_DEVICETREE = 3,
	DMFS_OBJECT_BANNER = 4,
	DMFS_OBJECT_PROGRAM = 5,
	DMFS_OBJECT_FILE = 6,
	DMFS_OBJECT_DISK = 7,
};

enum dmfs_capsule_kind { DMFS_GUEST = 1, DMFS_SERVICE = 2 };
enum dmfs_priority { DMFS_PRIORITY_LOW, DMFS_PRIORITY_NORMAL, DMFS_PRIORITY_HIGH };
enum dmfs_restart { DMFS_RESTART_NEVER, DMFS_RESTART_ON_CRASH, DMFS_RESTART_ALWAYS };

/* dmfs_capsule.flags: runs at any address that keeps its offset within 2 MiB. */
#define DMFS_CAPSULE_RELOCATABLE (1u << 0)

/* dmfs_object.flags */
#define DMFS_OBJECT_ENCRYPTED (1u << 0)

/* Permission bit numbers, section 7; names through dmfs_permission_name(). */
enum dmfs_permission {
	DMFS_PERM_SERVICE_CONSOLE,
	DMFS_PERM_SERVICE_STORAGE,
	DMFS_PERM_SERVICE_NETWORK,
	DMFS_PERM_SERVICE_CONTROL,
	DMFS_PERM_CONSOLE_READ,
	DMFS_PERM_CONSOLE_WRITE,
	DMFS_PERM_HV_LOG_READ,
	DMFS_PERM_HV_STATS_READ,
	DMFS_PERM_CAPSULE_LIST,
	DMFS_PERM_CAPSULE_START,
	DMFS_PERM_CAPSULE_STOP,
	DMFS_PERM_CAPSULE_RESTART,
	DMFS_PERM_CAPSULE_FOCUS,
	DMFS_PERM_MESSAGE_SEND,
	DMFS_PERM_MESSAGE_RECEIVE,
	DMFS_PERM_MEMORY_GRANT,
	DMFS_PERM_COUNT
};

/* Words for the enumerations above, as the manifest spells them; NULL for an unknown value. */
const char *dmfs_permission_name(unsigned bit);
const char *dmfs_object_type_name(uint32_t type);
const char *dmfs_priority_name(uint32_t priority);
const char *dmfs_restart_name(uint32_t restart);

/* Section 3. */
struct dmfs_object {
	struct dmfs_str name;
	uint32_t type; /* enum dmfs_object_type */
	uint32_t flags;
	uint64_t raw_len;
	uint64_t mem_len;
	uint32_t first_chunk;
	uint32_t chunk_count;
};

/* Section 4. Addresses are guest-physical. */
struct dmfs_capsule {
	struct dmfs_str name;
	struct dmfs_str cmdline;
	uint32_t kind;	   /* enum dmfs_capsule_kind */
	uint32_t cpus;
	uint32_t flags;
	uint32_t priority; /* enum dmfs_priority */
	uint32_t restart;  /* enum dmfs_restart */
	uint32_t cpu_limit;
	uint32_t restart_limit;
	uint32_t kernel;     /* object indices; initrd may be DMFS_NONE */
	uint32_t initrd;
	uint32_t devicetree;
	uint64_t memory;
	uint64_t entry;
	uint64_t kernel_load;
	uint64_t initrd_load;
	uint64_t devicetree_load;
	uint64_t affinity;
	uint64_t permissions;
};

/* Section 5. */
struct dmfs_property {
	uint32_t owner; /* 0 the image, n the capsule n - 1 */
	struct dmfs_str key;
	struct dmfs_str value;
};

/* Section 6. */
struct dmfs_chunk {
	uint64_t offset; /* into the payload */
	uint32_t stored_len;
	uint32_t raw_len;
	const uint8_t *hash; /* DMFS_HASH_LEN bytes */
};

/*
 * What the fixed-size header says of the image's lengths: all that may be known
 * before a signature is checked (section 9, step 1).
 */
struct dmfs_extent {
	uint64_t signed_len;	 /* the signed region begins at offset 0 */
	uint64_t payload_offset; /* signed region and signature block together */
	uint64_t payload_len;
	uint64_t image_len;
	uint32_t signatures;
	uint32_t sealed_keys;
};

/*
 * Reads the extent of the image that begins at `image`. `len` is the exact length of the image, or
 * with `exact` false the most that it can have (a board may be told a buffer rounded up). At least
 * the header and signature block have to be there. Nothing is believed but lengths.
 */
enum dmfs_status dmfs_read_extent(const void *image, uint64_t len, bool exact,
				  struct dmfs_extent *extent);

/*
 * Trust anchors: `count` distinct public keys, at most DMFS_MAX_ANCHORS, of which `threshold` must have
 * signed.
 */
struct dmfs_trust {
	const uint8_t (*keys)[DMFS_PUBLIC_KEY_LEN];
	uint32_t count;
	uint32_t threshold;
	const struct dmfs_trust *next; /* while trust changes: another set that is enough as well; or NULL */
};

/* Anchors of the next set in a word of signers: from this bit on. */
#define DMFS_NEXT_SIGNERS DMFS_MAX_ANCHORS

/* A validated image; all fields are private to libdmfs but those described. */
struct dmfs_image {
	const uint8_t *base;	   /* the whole image or, with dmfs_open_region, what precedes the payload */
	struct dmfs_extent extent; /* public */
	struct dmfs_str name;	   /* public */
	struct dmfs_str version;   /* public */
	uint64_t rollback;	   /* public */
	uint64_t created;	   /* public: seconds since 1970, or 0 */
	uint32_t chunk_len;	   /* public */
	bool encrypted;		   /* public: some object is */
	uint32_t objects;	   /* public: counts */
	uint32_t capsules;
	uint32_t properties;
	uint32_t chunks;
	uint32_t strings_len;
	uint64_t objects_at, capsules_at, properties_at, chunks_at, strings_at;
};

/*
 * Steps 1 to 4 of section 9 over `len` bytes at `image`, which have to stay unchanged for as long
 * as *out is used. `signers`, which may be NULL, receives a bit for each anchor that signed. The
 * payload's bytes are not looked at: dmfs_unpack_chunk() checks each before it is used.
 */
enum dmfs_status dmfs_open_verified(struct dmfs_image *out, const void *image, uint64_t len, bool exact,
				    const struct dmfs_trust *trust, uint32_t *signers);

/*
 * The same without step 3, for tools that look at images of unknown origin. A caller has to say
 * that nothing was verified.
 */
enum dmfs_status dmfs_open_unverified(struct dmfs_image *out, const void *image, uint64_t len,
				      bool exact);

/*
 * Like dmfs_open_unverified() when only the first extent.payload_offset bytes are at hand
 * (`region`, of `region_len` bytes); `image_len` is the length of the whole. For files too large to
 * be in memory.
 */
enum dmfs_status dmfs_open_region(struct dmfs_image *out, const void *region, uint64_t region_len,
				  uint64_t image_len);

/* Step 3 alone, over an image opened by any of the above. */
enum dmfs_status dmfs_check_signatures(const struct dmfs_image *image, const struct dmfs_trust *trust,
				       uint32_t *signers);

/*
 * Is the image's rollback index at least this? Every check of it is this one: DMFS_OK or
 * DMFS_ERR_ROLLBACK.
 */
enum dmfs_status dmfs_check_rollback(const struct dmfs_image *image, uint64_t least);

/* Step 5. `boards` are the board's own `count` compatible strings, `rollback` the least index it takes. */
enum dmfs_status dmfs_check_board(const struct dmfs_image *image, const char *const *boards,
				  uint32_t count, uint64_t rollback);

/* Records by index, which has to be below the image's count. They cannot fail: the image is valid. */
struct dmfs_object dmfs_object(const struct dmfs_image *image, uint32_t index);
struct dmfs_capsule dmfs_capsule(const struct dmfs_image *image, uint32_t index);
struct dmfs_property dmfs_property(const struct dmfs_image *image, uint32_t index);
struct dmfs_chunk dmfs_chunk(const struct dmfs_image *image, uint32_t index);

/* The object of exactly this name, or DMFS_NONE. */
uint32_t dmfs_find_object(const struct dmfs_image *image, struct dmfs_str name);

/* Signature i, below extent.signatures: the signer's public key, unverified. */
const uint8_t *dmfs_signature_key(const struct dmfs_image *image, uint32_t index);

/* First DMFS_KEY_ID_LEN bytes of BLAKE2b-256 of a public key: how people tell keys apart. */
void dmfs_key_id(uint8_t id[DMFS_KEY_ID_LEN], const uint8_t key[DMFS_PUBLIC_KEY_LEN]);

/* Scratch for one dmfs_unpack_chunk() at a time; 16-byte aligned by the caller's declaration. */
#define DMFS_WORKSPACE_LEN 8192u
struct dmfs_workspace {
	_Alignas(16) uint8_t bytes[DMFS_WORKSPACE_LEN];
};

/*
 * Hashes `stored` (chunk.stored_len bytes, which nobody else may write meanwhile), compares, and
 * inflates into `raw`, which has room for chunk.raw_len bytes. On an error the contents of `raw`
 * are undefined and must not be used.
 */
enum dmfs_status dmfs_unpack_chunk(const struct dmfs_chunk *chunk, const void *stored, void *raw,
				   struct dmfs_workspace *workspace);

/*
 * Section 8a: the content key of an encrypted image, unsealed with an X25519 secret key.
 * DMFS_ERR_SEALED when it is sealed to others only.
 */
enum dmfs_status dmfs_unseal(const struct dmfs_image *image, const uint8_t secret[DMFS_PUBLIC_KEY_LEN],
			     uint8_t content_key[DMFS_CONTENT_KEY_LEN]);

/*
 * dmfs_unpack_chunk() for a chunk of an encrypted object. `opened` is room for chunk.stored_len -
 * DMFS_COVER_LEN bytes, apart from both others.
 */
enum dmfs_status dmfs_unpack_encrypted(const struct dmfs_chunk *chunk, const void *stored,
				       const uint8_t content_key[DMFS_CONTENT_KEY_LEN], void *opened,
				       void *raw, struct dmfs_workspace *workspace);

/* The hash of a stored chunk alone: all that can be said of an encrypted one without its key. */
enum dmfs_status dmfs_check_chunk(const struct dmfs_chunk *chunk, const void *stored);

/*
 * The section of the hypervisor that `dmfs run` and `dmfs bundle` fill (ELF section ".dmfs.trust"). All zero
 * but the magic as built: refuse everything. Little-endian, as is every board.
 */
#define DMFS_TRUST_MAGIC "DIOSIX TRUST V3"
#define DMFS_TRUST_SECTION ".dmfs.trust"
#define DMFS_MAX_ANCHORS 16u
struct dmfs_trust_section {
	char magic[16];	    /* DMFS_TRUST_MAGIC */
	uint32_t count;	    /* anchors, at most DMFS_MAX_ANCHORS */
	uint32_t threshold; /* of them that must have signed */
	uint64_t rollback;  /* least rollback index */
	uint8_t keys[DMFS_MAX_ANCHORS][DMFS_PUBLIC_KEY_LEN];
	uint8_t unseal[DMFS_PUBLIC_KEY_LEN]; /* the board's X25519 secret key; zeros: it has none */
	uint64_t set_version;	 /* of the newest trust set that this hypervisor was given */
	uint32_t next_count;	 /* that set, for the time of a change; 0: none */
	uint32_t next_threshold;
	uint8_t next_keys[DMFS_MAX_ANCHORS][DMFS_PUBLIC_KEY_LEN];
};
_Static_assert(sizeof(struct dmfs_trust_section) == 1104, "layout shared with bundled hypervisors");

#endif
