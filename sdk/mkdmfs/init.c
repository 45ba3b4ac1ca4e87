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
#include "sign/keys.h"

static const char manifest[] =
	"# What an image is made from; docs/manifest.md explains every key.\n"
	"# Paths are relative to this file. Sizes take K, M and G.\n"
	"dmfs: 1                          # version of this format\n"
	"\n"
	"image:\n"
	"  name: demo\n"
	"  version: \"0.1.0\"               # for people\n"
	"  rollback: 0                    # raise it to make boards refuse older images\n"
	"  boards: [virt]                 # virt, sifive_u, or a compatible string "
	"\"vendor,board\"\n"
	"\n"
	"#banners: [welcome.txt]          # text printed at boot\n"
	"\n"
	"guests:\n"
	"  - name: linux                  # a to z, 0 to 9, '.', '_' and '-'\n"
	"    kernel: Image                # ELF or Linux Image; raw: {file: x.bin, load: "
	"0x80200000}\n"
	"    #initrd: initrd.gz\n"
	"    cmdline: \"console=ttyS0\"\n"
	"    memory: 256M                 # a multiple of 2M\n"
	"    cpus: 1\n"
	"    #priority: normal            # low, normal or high\n"
	"    #affinity: [1, 2]            # harts that it may run on; default any\n"
	"    #cpu_limit: 50%              # the most of a hart that each vCPU gets\n"
	"    #restart: on-crash           # never, on-crash or always\n"
	"    #permissions: []             # what it may do beyond running\n"
	"\n"
	"#services:\n"
	"#  - name: console\n"
	"#    program: console.elf\n"
	"#    permissions: [service_console, console_read, console_write, hv_log_read]\n";

static const char ignored[] = "*.key\n*.dmfs\n";

/* Creates the file; what exists is not touched. */
static int create(const char *folder, const char *name, const char *text)
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
	else if (fputs(text, file) < 0 || fflush(file) != 0)
		diag_file("write", path, errno);
	else
		status = STATUS_DONE;
	if (file)
		fclose(file);
	free(path);
	return status;
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

int init_command(const struct args *args)
{
	const char *folder = args->operand_count ? args->operands[0] : ".";
	int status;

	if (mkdir(folder, 0777) < 0 && errno != EEXIST)
		return diag_file("create", folder, errno);
	status = create(folder, "manifest.yaml", manifest);
	if (status == STATUS_DONE)
		status = create_key(folder);
	/* Without it a secret key is soon committed; an own one is left as it is. */
	if (status == STATUS_DONE && strcmp(folder, ".") != 0)
		status = create(folder, ".gitignore", ignored);
	if (status != STATUS_DONE)
		return status;
	diag_info("%s/manifest.yaml is a start: name your kernel in it, then", folder);
	diag_info("  dmfs pack %s/manifest.yaml -o demo.dmfs --key %s/dev.key", folder, folder);
	diag_info("  dmfs run demo.dmfs --trust %s/dev.pub", folder);
	return STATUS_DONE;
}
