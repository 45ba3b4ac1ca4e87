/* SPDX-License-Identifier: MIT */
#include "pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/diag.h"
#include "common/json.h"
#include "manifest.h"
#include "sign/keys.h"

/* Files that the build puts into the command: a guest that runs, and its sources. */
struct embedded_file {
	const char *name;
	const unsigned char *bytes;
	size_t len;
};

#include "starter_files.h"

static const char manifest[] =
	"# yaml-language-server: $schema=manifest.schema.json\n"
	"# What an image is made from; docs/manifest.md explains every key.\n"
	"# Paths are relative to this file. Sizes take K, M and G.\n"
	"dmfs: 1                          # version of this format\n"
	"\n"
	"image:\n"
	"  name: demo\n"
	"  version: \"0.1.0\"               # for people\n"
	"  rollback: 0                    # raise it to make boards refuse older images\n"
	"  boards: [virt, sifive_u]       # 'dmfs boards' lists them; or a compatible string\n"
	"\n"
	"#banners: [welcome.txt]          # text printed at boot\n"
	"\n"
	"guests:\n"
	"  - name: hello                  # a to z, 0 to 9, '.', '_' and '-'\n"
	"    # ELF or Linux Image; raw: {file: x.bin, load: 0x80200000}. This one is made of hello.c\n"
	"    # and start.S by 'make', and runs wherever it is put: its addresses are relative to pc.\n"
	"    kernel: {file: hello.elf, relocatable: true}\n"
	"    memory: 4M                   # a multiple of 2M\n"
	"    cpus: 1\n"
	"    #priority: normal            # low, normal or high\n"
	"    #affinity: [1, 2]            # harts that it may run on; default any\n"
	"    #cpu_limit: 50%              # the most of a hart that each vCPU gets\n"
	"    #restart: on-crash           # never, on-crash or always\n"
	"    #permissions: []             # what it may do beyond running\n"
	"\n"
	"#  - name: linux\n"
	"#    kernel: Image\n"
	"#    initrd: initrd.gz            # or several: [first.gz, second.gz]\n"
	"#    cmdline: \"console=ttyS0\"\n"
	"#    memory: 256M\n"
	"#    devicetree: {overlay: x.dtso}\n"
	"\n"
	"#services:\n"
	"#  - name: console\n"
	"#    program: console.elf\n"
	"#    permissions: [service_console, console_read, console_write, hv_log_read]\n";

static const char ignored[] = "*.key\n*.dmfs\n";

/* Creates the file; what exists is not touched. */
static int create(const char *folder, const char *name, const void *bytes, size_t len)
{
	char *path;
	FILE *file = NULL;
	int status = STATUS_FAILED;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return diag_file("create", name, ENOMEM);
	file = fopen(path, "wxe");
	if (!file && errno == EEXIST)
		diag_error("'%s' exists and is not overwritten", path);
	else if (!file)
		diag_file("create", path, errno);
	else if (fwrite(bytes, 1, len, file) != len || fflush(file) != 0)
		diag_file("write", path, errno);
	else
		status = STATUS_DONE;
	if (file)
		fclose(file);
	free(path);
	return status;
}

static int create_schema(const char *folder)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int status = STATUS_FAILED;

	if (!out)
		return diag_file("create", "manifest.schema.json", errno);
	manifest_print_schema(out);
	if (fclose(out) == 0)
		status = create(folder, "manifest.schema.json", text, len);
	free(text);
	return status;
}

/* The manifest first: where there is one nothing else is left. */
static int create_files(const char *folder)
{
	int status = create(folder, "manifest.yaml", manifest, strlen(manifest));

	for (size_t i = 0; status == STATUS_DONE && i < sizeof(starter_files) / sizeof(starter_files[0]);
	     i++)
		status = create(folder, starter_files[i].name, starter_files[i].bytes,
				starter_files[i].len);
	return status == STATUS_DONE ? create_schema(folder) : status;
}

static int create_key(const char *folder)
{
	char *prefix;
	int status;

	if (asprintf(&prefix, "%s/dev", folder) < 0)
		return diag_file("create", folder, ENOMEM);
	status = key_generate(prefix, KEY_SIGNING, NULL);
	free(prefix);
	return status;
}

/* The files that were made, in the order of their making. */
static void print_json(const char *folder, bool here)
{
	struct json json = {.out = stdout};

	json_begin_result(&json, "init");
	json_text(&json, "folder", folder);
	json_begin_array(&json, "files");
	json_text(&json, NULL, "manifest.yaml");
	for (size_t i = 0; i < sizeof(starter_files) / sizeof(starter_files[0]); i++)
		json_text(&json, NULL, starter_files[i].name);
	json_text(&json, NULL, "manifest.schema.json");
	json_text(&json, NULL, "dev.key");
	json_text(&json, NULL, "dev.pub");
	if (!here)
		json_text(&json, NULL, ".gitignore");
	json_end_array(&json);
	json_end_object(&json);
}

int init_command(const struct args *args)
{
	const char *folder = args->operand_count ? args->operands[0] : ".";
	bool here = strcmp(folder, ".") == 0;
	int status;

	if (mkdir(folder, 0777) < 0 && errno != EEXIST)
		return diag_file("create", folder, errno);
	status = create_files(folder);
	if (status == STATUS_DONE)
		status = create_key(folder);
	/* Without it a secret key is soon committed; an own one is left as it is. */
	if (status == STATUS_DONE && !here)
		status = create(folder, ".gitignore", ignored, strlen(ignored));
	if (status != STATUS_DONE)
		return status;
	diag_info("%s/manifest.yaml is a guest that says hello; to see it:", folder);
	if (!here)
		diag_info("  cd %s", folder);
	diag_info("  dmfs pack manifest.yaml -o demo.dmfs --key dev.key");
	diag_info("  dmfs run demo.dmfs --trust dev.pub");
	if (args_has(args, "json"))
		print_json(folder, here);
	return STATUS_DONE;
}
