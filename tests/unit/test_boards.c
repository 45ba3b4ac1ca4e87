/* SPDX-License-Identifier: MIT */
/* The table of boards says what their device trees say, and what is checked against it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "common/boards.h"
#include "mkdmfs/check.h"

static void short_names_are_unique_and_found(void **state)
{
	const struct board_facts *board;

	for (unsigned i = 0; (board = board_at(i)) != NULL; i++) {
		assert_ptr_equal(board_named(board->name), board);
		assert_string_equal(board_short_name(NULL, i), board->name);
		assert_string_equal(board_compatible(board->name), board->compatible);
		assert_true(strlen(board->name) <= 23 && strlen(board->title) <= 34);
	}
	assert_null(board_named("nothing"));
	assert_null(board_compatible("nothing"));
	assert_string_equal(board_compatible("acme,board"), "acme,board");
	assert_null(board_short_name(NULL, 1000));
}

static void assert_same_facts(const char *path)
{
	struct arena arena = {NULL};
	const struct board_facts *board;
	struct board_facts tree;

	assert_null(board_from_tree(&tree, &arena, path));
	board = board_named(tree.compatible);
	if (!board)
		fail_msg("%s: '%s' is not in sdk/common/boards.def", path, tree.compatible);
	assert_string_equal(board->title, tree.title);
	assert_int_equal(board->guest_harts, tree.guest_harts);
	assert_int_equal(board->has_h, tree.has_h);
	if (tree.ram_len) {
		assert_int_equal(board->ram_len, tree.ram_len);
		assert_int_equal(board->ram_base, tree.ram_base);
	}
	arena_free(&arena);
}

static void boards_of_debian_s_kernel_are_as_their_trees_say(void **state)
{
	glob_t trees;

	assert_int_equal(glob("build/cache/guests/dtb/*.dtb", 0, NULL, &trees), 0);
	assert_true(trees.gl_pathc > 30);
	for (size_t i = 0; i < trees.gl_pathc; i++)
		assert_same_facts(trees.gl_pathv[i]);
	globfree(&trees);
}

static void boards_of_qemu_are_as_their_trees_say(void **state)
{
	struct arena arena = {NULL};
	struct board_facts tree;

	assert_null(board_from_tree(&tree, &arena, "build/dtb/sifive_u.dtb"));
	assert_int_equal(tree.guest_harts, board_named("sifive_u")->guest_harts);
	assert_int_equal(tree.ram_base, board_named("sifive_u")->ram_base);
	assert_null(board_from_tree(&tree, &arena, "build/dtb/virt-8.dtb"));
	assert_string_equal(tree.compatible, board_named("virt")->compatible);
	assert_int_equal(tree.guest_harts, 0xff);
	assert_true(tree.has_h);
	assert_int_equal(tree.pmp_entries, 16);
	assert_int_equal(tree.ram_len, UINT64_C(5) << 30);
	arena_free(&arena);
}

static void what_is_no_tree_gives_a_sentence(void **state)
{
	struct arena arena = {NULL};
	struct board_facts tree;

	assert_non_null(board_from_tree(&tree, &arena, "Makefile"));
	assert_non_null(board_from_tree(&tree, &arena, "nowhere.dtb"));
	arena_free(&arena);
}

/* A plan of two guests of 64 MiB each, at 0x80200000. */
struct fixture {
	struct plan plan;
	struct manifest_capsule guests[2];
	struct dmfs_capsule capsules[2];
	struct dmfs_write_object kernel;
};

static void make_plan(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->kernel = (struct dmfs_write_object){"kernel", DMFS_OBJECT_KERNEL, "", 4096, 4096, false};
	for (unsigned i = 0; i < 2; i++) {
		f->guests[i].name.text = f->guests[i].kernel.file.text = "guest";
		f->capsules[i].memory = UINT64_C(64) << 20;
		f->capsules[i].kernel_load = 0x80200000;
	}
	f->plan.manifest.guests = f->guests;
	f->plan.manifest.guest_count = 2;
	f->plan.capsules = f->capsules;
	f->plan.objects = &f->kernel;
	f->plan.write.capsule_count = 2;
	f->plan.report.silent = true;
}

static unsigned errors_on(struct fixture *f, struct board_facts board)
{
	f->plan.report.errors = 0;
	board.name = board.title = "board";
	check_board(&f->plan, &board, (struct diag_place){0, 0, 0});
	arena_free(&f->plan.arena);
	f->plan.arena.blocks = NULL;
	return f->plan.report.errors;
}

#define MIB(n) (UINT64_C(n) << 20)

static void memory_has_to_fit_with_the_hypervisor(void **state)
{
	struct fixture f;

	make_plan(&f);
	assert_int_equal(errors_on(&f, (struct board_facts){.ram_base = 0x80000000, .ram_len = MIB(132), .guest_harts = 1}), 0);
	assert_int_equal(errors_on(&f, (struct board_facts){.ram_base = 0x80000000, .ram_len = MIB(131), .guest_harts = 1}), 1);
	assert_int_equal(errors_on(&f, (struct board_facts){.ram_base = 0x80000000, .ram_len = MIB(4), .guest_harts = 1}), 1);
	assert_int_equal(errors_on(&f, (struct board_facts){.guest_harts = 1}), 0);
}

static void pmp_entries_have_to_be_enough(void **state)
{
	struct fixture f;

	make_plan(&f);
	assert_int_equal(errors_on(&f, (struct board_facts){.guest_harts = 1, .pmp_entries = 3}), 0);
	assert_int_equal(errors_on(&f, (struct board_facts){.guest_harts = 1, .pmp_entries = 2}), 1);
	assert_int_equal(errors_on(&f, (struct board_facts){.guest_harts = 1, .has_h = true, .pmp_entries = 5}), 0);
	assert_int_equal(errors_on(&f, (struct board_facts){.guest_harts = 1, .has_h = true, .pmp_entries = 4}), 1);
}

static void fixed_kernels_need_ram_there_or_the_h_extension(void **state)
{
	struct board_facts low = {.ram_base = 0x40000000, .ram_len = MIB(512), .guest_harts = 1};
	struct fixture f;

	make_plan(&f);
	assert_int_equal(errors_on(&f, low), 2);
	low.has_h = true;
	assert_int_equal(errors_on(&f, low), 0);
	low.has_h = false;
	low.ram_len = MIB(1024) + MIB(2) + 4096;
	assert_int_equal(errors_on(&f, low), 0);
	low.ram_len--;
	assert_int_equal(errors_on(&f, low), 2);
	f.capsules[0].flags = f.capsules[1].flags = DMFS_CAPSULE_RELOCATABLE;
	assert_int_equal(errors_on(&f, low), 0);
}

static void affinity_has_to_leave_a_hart(void **state)
{
	struct board_facts board = {.guest_harts = 0x1e};
	struct fixture f;

	make_plan(&f);
	f.guests[1].affinity.value = 0x3;
	assert_int_equal(errors_on(&f, board), 0);
	f.guests[1].affinity.value = UINT64_C(1) << 63 | 1;
	assert_int_equal(errors_on(&f, board), 1);
	board.guest_harts = 0;
	assert_int_equal(errors_on(&f, board), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_names_are_unique_and_found),
		cmocka_unit_test(boards_of_debian_s_kernel_are_as_their_trees_say),
		cmocka_unit_test(boards_of_qemu_are_as_their_trees_say),
		cmocka_unit_test(what_is_no_tree_gives_a_sentence),
		cmocka_unit_test(memory_has_to_fit_with_the_hypervisor),
		cmocka_unit_test(pmp_entries_have_to_be_enough),
		cmocka_unit_test(fixed_kernels_need_ram_there_or_the_h_extension),
		cmocka_unit_test(affinity_has_to_leave_a_hart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
