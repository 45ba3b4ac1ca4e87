/* SPDX-License-Identifier: MIT */
#include "manifest.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/boards.h"
#include "common/size.h"
#include "common/suggest.h"
#include "schema.h"
#include "yamltree.h"

#define SERVICE_MEMORY (UINT64_C(8) << 20)
#define RESTART_LIMIT  10

struct reader {
	struct report *report;
	struct arena *arena;
	struct manifest *manifest;
	bool look_for_files;
};

/* Where a value stands: the words for it in messages, and the record it goes to. */
struct spot {
	const struct key *key;
	const char *where; /* "guest 'linux'" */
	char *record;
};

typedef void read_value(struct reader *r, const struct spot *spot, const struct node *node);
static void read_mapping(struct reader *r, const struct key *keys, const char *where, void *record,
			 const struct node *node);

static const char *const kind_words[] = {
	[NODE_SCALAR] = "a single value", [NODE_MAPPING] = "a mapping", [NODE_SEQUENCE] = "a list"};

static void wrong(struct reader *r, const struct spot *spot, const struct node *node,
		  const char *expected)
{
	const char *name = spot->key->name, *where = spot->where;

	if (node->kind != NODE_SCALAR)
		report_error(r->report, node->place, NULL, "'%s' in %s has to be %s, not %s", name,
			     where, expected, kind_words[node->kind]);
	else if (yaml_is_null(node))
		report_error(r->report, node->place, NULL,
			     "'%s' in %s has no value; it has to be %s", name, where, expected);
	else
		report_error(r->report, node->place, NULL, "'%s' in %s has to be %s, not '%s'",
			     name, where, expected, node->text);
}

static bool is_value(struct reader *r, const struct spot *spot, const struct node *node,
		     const char *expected)
{
	if (node->kind == NODE_SCALAR && !yaml_is_null(node))
		return true;
	wrong(r, spot, node, expected);
	return false;
}

/* --- strings --------------------------------------------------------------------------------- */

static void set_text(const struct spot *spot, const struct node *node)
{
	struct manifest_text *field = (struct manifest_text *)(spot->record + spot->key->offset);

	field->text = node->text;
	field->place = node->place;
}

static bool fits(struct reader *r, const struct spot *spot, const struct node *node)
{
	size_t len = strlen(node->text);

	if (len <= spot->key->max)
		return true;
	report_error(r->report, node->place, NULL,
		     "'%s' in %s has %zu bytes; at most %" PRIu64 " are allowed", spot->key->name,
		     spot->where, len, spot->key->max);
	return false;
}

static void read_cmdline(struct reader *r, const struct spot *spot, const struct node *node)
{
	if (is_value(r, spot, node, "a string") && fits(r, spot, node))
		set_text(spot, node);
}

static void read_text(struct reader *r, const struct spot *spot, const struct node *node)
{
	if (!is_value(r, spot, node, "a string") || !fits(r, spot, node))
		return;
	for (const char *c = node->text; *c; c++) {
		if (*c < 0x20 || *c > 0x7e) {
			report_error(r->report, node->place, NULL,
				     "'%s' in %s may hold printable ASCII characters only",
				     spot->key->name, spot->where);
			return;
		}
	}
	set_text(spot, node);
}

static void read_name(struct reader *r, const struct spot *spot, const struct node *node)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char more[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";

	if (!is_value(r, spot, node, "a name") || !fits(r, spot, node))
		return;
	if (node->text[0] == '\0' || !strchr(letters, node->text[0]) ||
	    node->text[strspn(node->text, more)]) {
		report_error(r->report, node->place, NULL,
			     "'%s' is no name: use a to z, 0 to 9, '.', '_' and '-', first a "
			     "letter or digit",
			     node->text);
		return;
	}
	set_text(spot, node);
}

/* --- files ----------------------------------------------------------------------------------- */

const char *manifest_path(const struct manifest *manifest, struct arena *arena, const char *file)
{
	if (file[0] == '/' || !manifest->folder)
		return file;
	return arena_printf(arena, "%s%s", manifest->folder, file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

struct listing {
	struct dirent **entries;
	int count;
};

static const char *listed(const void *context, unsigned index)
{
	const struct listing *listing = context;

	return (int)index < listing->count ? listing->entries[index]->d_name : NULL;
}

/* The name of a file that is near to one that is missing, in the same folder. */
static const char *hint_file(char *buf, size_t len, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	struct listing listing = {NULL, 0};
	const char *hint = NULL;

	if (folder)
		listing.count = scandir(folder, &listing.entries, is_visible, by_name);
	if (listing.count > 0)
		hint = suggest_hint(buf, len, slash ? slash + 1 : path, listed, &listing);
	for (int i = 0; i < listing.count; i++)
		free(listing.entries[i]);
	free(listing.entries);
	free(folder);
	return hint;
}

static void look_for(struct reader *r, const struct node *node)
{
	const char *path = manifest_path(r->manifest, r->arena, node->text);
	char hint[320];
	struct stat st;

	if (stat(path, &st) < 0)
		report_error(r->report, node->place,
			     errno == ENOENT ? hint_file(hint, sizeof(hint), path) : NULL,
			     "cannot read '%s': %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		report_error(r->report, node->place, NULL, "'%s' is %s, not a file", path,
			     S_ISDIR(st.st_mode) ? "a folder" : "a device or pipe");
	else if (st.st_size == 0)
		report_error(r->report, node->place, NULL, "'%s' is empty", path);
}

static void read_file(struct reader *r, const struct spot *spot, const struct node *node)
{
	if (!is_value(r, spot, node, "a file name"))
		return;
	if (node->text[0] == '\0') {
		report_error(r->report, node->place, NULL, "'%s' in %s is an empty file name",
			     spot->key->name, spot->where);
		return;
	}
	if (r->look_for_files)
		look_for(r, node);
	set_text(spot, node);
}

/* --- numbers --------------------------------------------------------------------------------- */

static void set_number(const struct spot *spot, const struct node *node, uint64_t value)
{
	struct manifest_number *field =
		(struct manifest_number *)(spot->record + spot->key->offset);

	*field = (struct manifest_number){value, true, node->place};
}

/* A whole number; `text` is the node's, or what of it is to be the number. */
static void read_whole(struct reader *r, const struct spot *spot, const struct node *node, const char *text)
{
	const struct key *key = spot->key;
	const char *expected = arena_printf(r->arena, "a whole number from %" PRIu64 " to %" PRIu64,
					    key->min, key->max);
	uint64_t value;

	if (key->min == key->max)
		expected = arena_printf(r->arena, "%" PRIu64, key->min);
	if (!is_value(r, spot, node, expected))
		return;
	if (!node->plain || !number_parse(text, &value)) {
		wrong(r, spot, node, expected);
		return;
	}
	if (value < key->min || value > key->max) {
		if (key->min == key->max)
			report_error(r->report, node->place, NULL,
				     "'%s' is %" PRIu64 "; this version knows %" PRIu64, key->name,
				     value, key->max);
		else
			report_error(r->report, node->place, NULL,
				     "'%s' in %s is %" PRIu64 "; it has to be from %" PRIu64
				     " to %" PRIu64,
				     key->name, spot->where, value, key->min, key->max);
		return;
	}
	set_number(spot, node, value);
}

static void read_number(struct reader *r, const struct spot *spot, const struct node *node)
{
	read_whole(r, spot, node, node->text);
}

/* 25 and 25% are the same. */
static void read_percent(struct reader *r, const struct spot *spot, const struct node *node)
{
	size_t len = node->text ? strlen(node->text) : 0;

	if (len > 1 && node->text[len - 1] == '%')
		read_whole(r, spot, node, arena_printf(r->arena, "%.*s", (int)(len - 1), node->text));
	else
		read_whole(r, spot, node, node->text);
}

/* Sizes and addresses are written alike; an address has no upper bound. */
static bool parse_size(struct reader *r, const struct spot *spot, const struct node *node,
		       uint64_t *value)
{
	char has[24], least[24], most[24];
	const char *expected =
		spot->key->max == UINT64_MAX
			? "an address, such as 0x80200000"
			: arena_printf(r->arena, "a size from %s to %s, such as 256M",
				       size_text(least, spot->key->min),
				       size_text(most, spot->key->max));

	if (!is_value(r, spot, node, expected))
		return false;
	if (!size_parse(node->text, value)) {
		wrong(r, spot, node, expected);
		return false;
	}
	if (*value >= spot->key->min && *value <= spot->key->max)
		return true;
	report_error(r->report, node->place, NULL, "'%s' in %s is %s; it has to be from %s to %s",
		     spot->key->name, spot->where, size_text(has, *value),
		     size_text(least, spot->key->min), size_text(most, spot->key->max));
	return false;
}

static void read_size(struct reader *r, const struct spot *spot, const struct node *node)
{
	uint64_t value;

	if (parse_size(r, spot, node, &value))
		set_number(spot, node, value);
}

static void read_memory(struct reader *r, const struct spot *spot, const struct node *node)
{
	uint64_t value;

	if (!parse_size(r, spot, node, &value))
		return;
	if (value % DMFS_MEMORY_UNIT != 0) {
		report_error(r->report, node->place, NULL,
			     "'%s' in %s is %" PRIu64
			     " bytes, which is not a multiple of 2M; %" PRIu64 "M is",
			     spot->key->name, spot->where, value,
			     (value / DMFS_MEMORY_UNIT + 1) * 2);
		return;
	}
	set_number(spot, node, value);
}

static void read_bool(struct reader *r, const struct spot *spot, const struct node *node)
{
	if (!is_value(r, spot, node, "true or false"))
		return;
	if (strcmp(node->text, "true") != 0 && strcmp(node->text, "false") != 0)
		wrong(r, spot, node, "true or false");
	else
		set_number(spot, node, node->text[0] == 't');
}

/* --- words ----------------------------------------------------------------------------------- */

static const char *word_of(const void *context, unsigned index)
{
	return ((const struct key *)context)->words(index);
}

static const char *word_list(struct reader *r, const struct key *key)
{
	const char *list = key->words(0);

	for (unsigned i = 1; key->words(i); i++)
		list = arena_printf(r->arena, "%s%s%s", list, key->words(i + 1) ? ", " : " or ",
				    key->words(i));
	return list;
}

/* The number of the word, or -1 after a message. */
static int find_word(struct reader *r, const struct spot *spot, const struct node *node)
{
	const struct key *key = spot->key;
	char hint[96];

	for (unsigned i = 0; key->words(i); i++) {
		if (strcmp(key->words(i), node->text) == 0)
			return (int)i;
	}
	if (suggest_hint(hint, sizeof(hint), node->text, word_of, key))
		report_error(r->report, node->place, hint, "unknown '%s' for '%s' in %s",
			     node->text, key->name, spot->where);
	else
		report_error(r->report, node->place, NULL,
			     "unknown '%s' for '%s' in %s; there is %s", node->text, key->name,
			     spot->where, word_list(r, key));
	return -1;
}

static void read_word(struct reader *r, const struct spot *spot, const struct node *node)
{
	int index;

	if (!is_value(r, spot, node, word_list(r, spot->key)))
		return;
	index = find_word(r, spot, node);
	if (index >= 0)
		set_number(spot, node, (uint64_t)index);
}

/* --- lists ----------------------------------------------------------------------------------- */

static bool is_list(struct reader *r, const struct spot *spot, const struct node *node,
		    const char *expected)
{
	if (node->kind == NODE_SEQUENCE)
		return true;
	wrong(r, spot, node, expected);
	return false;
}

static void set_bit(struct reader *r, const struct spot *spot, const struct node *node,
		    uint64_t bit, uint64_t *bits)
{
	if (*bits >> bit & 1)
		report_error(r->report, node->place, NULL, "'%s' is given twice in %s of %s",
			     node->text, spot->key->name, spot->where);
	*bits |= UINT64_C(1) << bit;
}

static void read_words(struct reader *r, const struct spot *spot, const struct node *node)
{
	uint64_t bits = 0;

	if (!is_list(r, spot, node, "a list, such as [console_write]"))
		return;
	for (const struct node *item = node->first; item; item = item->next) {
		int bit;

		if (!is_value(r, spot, item, "a list of words"))
			continue;
		bit = find_word(r, spot, item);
		if (bit >= 0)
			set_bit(r, spot, item, (uint64_t)bit, &bits);
	}
	set_number(spot, node, bits);
}

static void read_bits(struct reader *r, const struct spot *spot, const struct node *node)
{
	static const char expected[] = "a list of numbers, such as [1, 2]";
	uint64_t bits = 0;

	if (!is_list(r, spot, node, expected))
		return;
	for (const struct node *item = node->first; item; item = item->next) {
		uint64_t bit;

		if (!is_value(r, spot, item, expected))
			continue;
		if (!number_parse(item->text, &bit))
			wrong(r, spot, item, expected);
		else if (bit > spot->key->max)
			report_error(r->report, item->place, NULL,
				     "%s in %s names hart %" PRIu64 "; harts are 0 to %" PRIu64,
				     spot->key->name, spot->where, bit, spot->key->max);
		else
			set_bit(r, spot, item, bit, &bits);
	}
	if (!node->first)
		report_error(r->report, node->place, NULL,
			     "'%s' in %s is empty; leave it out to allow any hart", spot->key->name,
			     spot->where);
	set_number(spot, node, bits);
}

/* Reads each item of a list of strings as if it stood alone. */
static void read_list(struct reader *r, const struct spot *spot, const struct node *node,
		      const char *expected, read_value *read)
{
	struct manifest_list *list = (struct manifest_list *)(spot->record + spot->key->offset);
	unsigned count = 0;

	if (!is_list(r, spot, node, expected))
		return;
	for (const struct node *item = node->first; item; item = item->next)
		count++;
	list->items = arena_alloc(r->arena, count * sizeof(*list->items) + 1);
	for (const struct node *item = node->first; item; item = item->next) {
		struct key one = *spot->key;
		struct spot at = {&one, spot->where, (char *)&list->items[list->count]};

		one.offset = 0;
		read(r, &at, item);
		if (list->items[list->count].text)
			list->count++;
	}
}

static void read_files(struct reader *r, const struct spot *spot, const struct node *node)
{
	read_list(r, spot, node, "a list of files", read_file);
}

static void read_some_files(struct reader *r, const struct spot *spot, const struct node *node)
{
	struct manifest_list *list = (struct manifest_list *)(spot->record + spot->key->offset);
	struct key one = *spot->key;
	struct spot at = {&one, spot->where, NULL};

	if (node->kind != NODE_SCALAR) {
		read_list(r, spot, node, "a file name or a list of them", read_file);
		return;
	}
	list->items = arena_alloc(r->arena, sizeof(*list->items));
	one.offset = 0;
	at.record = (char *)list->items;
	read_file(r, &at, node);
	list->count = list->items->text != NULL;
}

/* A name as a key, and its file; a name that is given twice is found by the caller. */
static void read_named_file(struct reader *r, const struct spot *spot, const struct node *name,
			    struct manifest_named_file *to)
{
	struct key key = *spot->key;
	struct spot at = {&key, spot->where, (char *)&to->name};

	key.offset = 0;
	read_name(r, &at, name);
	key.name = name->kind == NODE_SCALAR ? name->text : key.name;
	at.record = (char *)&to->file;
	read_file(r, &at, name->next);
}

static void read_named_files(struct reader *r, const struct spot *spot, const struct node *node)
{
	struct manifest_named_files *files =
		(struct manifest_named_files *)(spot->record + spot->key->offset);
	unsigned count = 0;

	if (node->kind != NODE_MAPPING) {
		wrong(r, spot, node, "a mapping, such as {motd: motd.txt}");
		return;
	}
	for (const struct node *name = node->first; name; name = name->next->next)
		count++;
	files->items = arena_alloc(r->arena, count * sizeof(*files->items) + 1);
	for (const struct node *name = node->first; name; name = name->next->next) {
		struct manifest_named_file *file = &files->items[files->count++];

		read_named_file(r, spot, name, file);
		for (unsigned i = 0; file->name.text && i + 1 < files->count; i++) {
			const char *other = files->items[i].name.text;

			if (other && strcmp(other, file->name.text) == 0)
				report_error(r->report, name->place, NULL,
					     "'%s' is given twice in %s of %s", other, spot->key->name,
					     spot->where);
		}
	}
}

static void read_board(struct reader *r, const struct spot *spot, const struct node *node)
{
	char hint[96];

	if (!is_value(r, spot, node, "a list of boards"))
		return;
	if (!board_compatible(node->text)) {
		report_error(r->report, node->place,
			     suggest_hint(hint, sizeof(hint), node->text, board_short_name, NULL),
			     "unknown board '%s'; other boards go by their compatible string, "
			     "such as \"vendor,board\"",
			     node->text);
		return;
	}
	read_text(r, spot, node);
}

static void read_boards(struct reader *r, const struct spot *spot, const struct node *node)
{
	const struct manifest_list *list;

	read_list(r, spot, node, "a list of boards, such as [virt]", read_board);
	list = (const struct manifest_list *)(spot->record + spot->key->offset);
	for (unsigned i = 0; i < list->count; i++) {
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(board_compatible(list->items[i].text),
				   board_compatible(list->items[j].text)) == 0) {
				report_error(r->report, list->items[i].place, NULL,
					     "board '%s' is given twice", list->items[i].text);
				break;
			}
		}
	}
}

/* --- mappings -------------------------------------------------------------------------------- */

static void read_nested(struct reader *r, const struct spot *spot, const struct node *node)
{
	const char *where = arena_printf(r->arena, "'%s'", spot->key->name);

	if (node->kind != NODE_MAPPING)
		wrong(r, spot, node, "a mapping");
	else
		read_mapping(r, spot->key->keys, where, spot->record, node);
}

static void read_kernel(struct reader *r, const struct spot *spot, const struct node *node)
{
	struct manifest_kernel *kernel =
		(struct manifest_kernel *)(spot->record + spot->key->offset);
	const char *where = arena_printf(r->arena, "'%s' of %s", spot->key->name, spot->where);

	if (node->kind == NODE_MAPPING) {
		read_mapping(r, spot->key->keys, where, kernel, node);
	} else if (node->kind == NODE_SCALAR) {
		read_file(r, spot, node);
	} else {
		wrong(r, spot, node, "a file name or a mapping");
	}
}

_Static_assert(offsetof(struct manifest_kernel, file) == 0,
	       "a kernel that is a string is its file");

static const char *capsule_where(struct reader *r, const char *list, const struct node *node)
{
	const char *kind = strcmp(list, "guests") == 0 ? "guest" : "service";

	for (const struct node *key = node->first; key; key = key->next->next) {
		if (key->kind == NODE_SCALAR && strcmp(key->text, "name") == 0 &&
		    key->next->kind == NODE_SCALAR && key->next->text[0])
			return arena_printf(r->arena, "%s '%s'", kind, key->next->text);
	}
	return arena_printf(r->arena, "this %s", kind);
}

static void read_capsules(struct reader *r, const struct spot *spot, const struct node *node)
{
	bool guests = spot->key->offset == offsetof(struct manifest, guests);
	struct manifest_capsule *capsules;
	unsigned count = 0;

	if (!is_list(r, spot, node, "a list"))
		return;
	for (const struct node *item = node->first; item; item = item->next)
		count++;
	capsules = arena_alloc(r->arena, count * sizeof(*capsules) + 1);
	count = 0;
	for (const struct node *item = node->first; item; item = item->next) {
		struct manifest_capsule *capsule = &capsules[count];

		if (item->kind != NODE_MAPPING) {
			wrong(r, spot, item, "a list of mappings");
			continue;
		}
		count++;
		capsule->place = item->place;
		capsule->kind = guests ? DMFS_GUEST : DMFS_SERVICE;
		read_mapping(r, spot->key->keys, capsule_where(r, spot->key->name, item), capsule,
			     item);
	}
	*(guests ? &r->manifest->guests : &r->manifest->services) = capsules;
	*(guests ? &r->manifest->guest_count : &r->manifest->service_count) = count;
}

static read_value *const readers[] = {
	[VALUE_TEXT] = read_text,     [VALUE_CMDLINE] = read_cmdline,
	[VALUE_NAME] = read_name,     [VALUE_FILE] = read_file,
	[VALUE_NUMBER] = read_number, [VALUE_PERCENT] = read_percent, [VALUE_SIZE] = read_size,
	[VALUE_MEMORY] = read_memory, [VALUE_BOOL] = read_bool,
	[VALUE_WORD] = read_word,     [VALUE_WORDS] = read_words,
	[VALUE_BITS] = read_bits,     [VALUE_FILES] = read_files,
	[VALUE_SOME_FILES] = read_some_files, [VALUE_NAMED_FILES] = read_named_files,
	[VALUE_BOARDS] = read_boards, [VALUE_MAPPING] = read_nested,
	[VALUE_KERNEL] = read_kernel, [VALUE_CAPSULES] = read_capsules,
};

static const char *key_name(const void *context, unsigned index)
{
	/* The table's end has no name, and nobody asks beyond it. */
	return ((const struct key *)context)[index].name;
}

static const struct key *find_key(const struct key *keys, const char *name)
{
	for (const struct key *key = keys; key->name; key++) {
		if (strcmp(key->name, name) == 0)
			return key;
	}
	return NULL;
}

static const struct node *find_pair(const struct node *mapping, const char *name,
				    const struct node *before)
{
	for (const struct node *key = mapping->first; key && key != before; key = key->next->next) {
		if (key->kind == NODE_SCALAR && strcmp(key->text, name) == 0)
			return key;
	}
	return NULL;
}

static void read_pair(struct reader *r, const struct key *keys, const struct spot *in,
		      const struct node *mapping, const struct node *name)
{
	struct spot spot = *in;
	const struct node *first;
	char hint[96];

	if (name->kind != NODE_SCALAR) {
		report_error(r->report, name->place, NULL, "a key in %s has to be a word, not %s",
			     in->where, kind_words[name->kind]);
		return;
	}
	spot.key = find_key(keys, name->text);
	if (!spot.key) {
		report_error(r->report, name->place,
			     suggest_hint(hint, sizeof(hint), name->text, key_name, keys),
			     "unknown key '%s' in %s", name->text, in->where);
		return;
	}
	first = find_pair(mapping, name->text, name);
	if (first) {
		report_error(r->report, name->place, NULL,
			     "'%s' is given twice in %s, first in line %u", name->text, in->where,
			     first->place.line);
		return;
	}
	readers[spot.key->kind](r, &spot, name->next);
}

/* A key that is missing because it is misspelt was reported as that. */
static bool is_misspelt(const struct node *mapping, const struct key *keys,
			const struct key *missing)
{
	for (const struct node *name = mapping->first; name; name = name->next->next) {
		if (name->kind == NODE_SCALAR && !find_key(keys, name->text) &&
		    suggest(name->text, key_name, keys) == missing->name)
			return true;
	}
	return false;
}

static void read_mapping(struct reader *r, const struct key *keys, const char *where, void *record,
			 const struct node *node)
{
	const struct spot in = {NULL, where, record};

	for (const struct node *name = node->first; name; name = name->next->next) {
		/* What nobody will see need not be found. */
		if (r->report->errors <= REPORT_LIMIT)
			read_pair(r, keys, &in, node, name);
	}
	for (const struct key *key = keys; key->name; key++) {
		if (key->required && !find_pair(node, key->name, NULL) &&
		    !is_misspelt(node, keys, key))
			report_error(r->report, node->place, NULL, "%s has no '%s'", where,
				     key->name);
	}
}

/* --- the whole ------------------------------------------------------------------------------- */

static struct manifest_capsule *capsule_at(struct manifest *m, unsigned index)
{
	return index < m->guest_count ? &m->guests[index] : &m->services[index - m->guest_count];
}

static void check_names(struct reader *r)
{
	unsigned count = r->manifest->guest_count + r->manifest->service_count;

	for (unsigned i = 0; i < count && count <= DMFS_MAX_CAPSULES; i++) {
		const struct manifest_text *name = &capsule_at(r->manifest, i)->name;

		for (unsigned j = 0; j < i; j++) {
			const struct manifest_text *other = &capsule_at(r->manifest, j)->name;

			if (!name->text || !other->text || strcmp(name->text, other->text) != 0)
				continue;
			report_error(r->report, name->place, NULL,
				     "the name '%s' is taken by the capsule in line %u", name->text,
				     other->place.line);
			break;
		}
	}
}

static void check_counts(struct reader *r, const struct node *root)
{
	unsigned count = r->manifest->guest_count + r->manifest->service_count;

	/* A list that could not be read was reported as that. */
	if (count == 0 && r->report->errors == 0)
		report_error(r->report, root->place, NULL,
			     "the manifest has no guest and no service: nothing would run");
	if (count > DMFS_MAX_CAPSULES)
		report_error(r->report, root->place, NULL,
			     "%u guests and services; an image has at most %u", count,
			     DMFS_MAX_CAPSULES);
}

static void fill_in(struct manifest_number *number, uint64_t value, struct diag_place place)
{
	if (!number->given)
		*number = (struct manifest_number){value, false, place};
}

static void fill_in_defaults(struct manifest *m)
{
	for (unsigned i = 0; i < m->guest_count + m->service_count; i++) {
		struct manifest_capsule *capsule = capsule_at(m, i);

		fill_in(&capsule->memory, SERVICE_MEMORY, capsule->place);
		fill_in(&capsule->cpus, 1, capsule->place);
		fill_in(&capsule->restart_limit, RESTART_LIMIT, capsule->place);
		fill_in(&capsule->priority, DMFS_PRIORITY_NORMAL, capsule->place);
		if (!capsule->cmdline.text)
			capsule->cmdline.text = "";
	}
	if (!m->image.version.text)
		m->image.version.text = "";
}

void manifest_read(struct manifest *manifest, struct report *report, struct arena *arena,
		   const char *folder)
{
	struct reader reader = {report, arena, manifest, folder != NULL};
	struct node *root;

	memset(manifest, 0, sizeof(*manifest));
	manifest->folder = folder;
	root = yaml_read(report, arena);
	if (!root)
		return;
	if (root->kind != NODE_MAPPING) {
		report_error(report, root->place, NULL,
			     "a manifest has to be a mapping that begins with 'dmfs: 1', not %s",
			     kind_words[root->kind]);
		return;
	}
	read_mapping(&reader, schema_manifest, "the manifest", manifest, root);
	check_counts(&reader, root);
	check_names(&reader);
	fill_in_defaults(manifest);
}
