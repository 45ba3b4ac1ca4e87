# SPDX-License-Identifier: MIT
"""
Full disks, folders that cannot be written to, commands that are killed: `sign`, `attach`, `digest`, `extract`, `keygen` and
`bundle` never leave a part of a file under its final name, and what was there stays.
"""
import base64
import os
import pathlib
import signal
import subprocess

import pytest

from cli_support import DMFS, FAILED, Tool, hypervisor, manifest

BLOCK = 4096


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An image, keys and a detached signature."""
    tool = Tool(DMFS["plain"], tmp_path_factory.mktemp("made"))
    tool.write("raw.bin", os.urandom(1 << 20))
    tool.write("m.yaml", manifest())
    tool.write("hypervisor.elf", hypervisor() + bytes(1 << 20))
    for name in ("a", "b"):
        tool.run("keygen", name, "-q")
    tool.run("pack", "m.yaml", "-o", "demo.dmfs", "--key", "a.key", "-q")
    tool.run("digest", "demo.dmfs", "-o", "digest")
    seed = bytes.fromhex(tool.read("b.key").split()[1].decode())
    # PKCS#8 of an Ed25519 key, RFC 8410 section 7.
    pem = base64.encodebytes(bytes.fromhex("302e020100300506032b657004220420") + seed).decode()
    tool.write("b.pem", f"-----BEGIN PRIVATE KEY-----\n{pem}-----END PRIVATE KEY-----\n")
    subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "b.pem", "-in", "digest", "-out", "signature"],
                   cwd=tool.folder, check=True)
    return tool.folder


def commands(made, folder):
    """Each writes to `folder`; "sign over" to what is there, under the name "image"."""
    image = made / "demo.dmfs"
    return {
        "sign": ["sign", image, "--key", made / "b.key", "-o", folder / "out"],
        "sign over": ["sign", folder / "image", "--key", made / "b.key"],
        "attach": ["attach", image, "--pub", made / "b.pub", "--signature", made / "signature", "-o", folder / "out"],
        "digest": ["digest", image, "-o", folder / "out"],
        "extract": ["extract", image, "linux.kernel", "-C", folder],
        "keygen": ["keygen", folder / "new"],
        "bundle": ["bundle", made / "hypervisor.elf", "--trust", made / "a.pub", "-o", folder / "out"],
    }


MNT = pathlib.Path("/mnt")
COMMANDS = list(commands(MNT, MNT))


def mounted(options, before, command, after):
    """
    Runs a command on a small file system of its own, made in a namespace so that no privilege is needed; /mnt is it. What it
    holds then is listed on standard output, with what each file is.
    """
    script = (f"set -e; mount -t tmpfs -o {options} none /mnt; {before}; set +e; " + '"$@" >&2; status=$?; ' +
              f"{after}; exit $status")
    return subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", *map(str, command)], capture_output=True, text=True,
                          timeout=120, env={**os.environ, "LC_ALL": "C"})


LIST = "for f in /mnt/* /mnt/.[!.]*; do [ -f $f ] && [ $f != /mnt/filler ] && sha256sum $f; done"


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("build", DMFS)
def test_a_full_disk_leaves_nothing_half_written(made, name, build):
    """The disk has room for one block more than what is there, so that writing begins where it can."""
    arguments = commands(made, MNT)[name]
    room = 2 << 20
    image = f"cp {made}/demo.dmfs /mnt/image; sha256sum /mnt/image" if name == "sign over" else "true"
    free = 0 if name in ("keygen", "digest") else BLOCK
    # Filled to the last block, then given back as much as is to be free.
    fill = f"{image}; head -c {room} /dev/zero >/mnt/filler 2>/dev/null || true; truncate -s -{free} /mnt/filler"
    done = mounted(f"size={room}", fill, [DMFS[build], *arguments], LIST)
    assert done.returncode == FAILED and "No space left on device" in done.stderr, done.stderr
    assert "Sanitizer" not in done.stderr
    lines = done.stdout.splitlines()
    if name == "sign over":
        assert len(lines) == 2 and lines[0] == lines[1], "the image did not stay as it was"
    else:
        assert lines == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_folder_that_is_read_only(made, name):
    arguments = commands(made, MNT)[name]
    image = f"cp {made}/demo.dmfs /mnt/image; sha256sum /mnt/image"
    done = mounted("size=4M", f"{image}; mount -o remount,ro /mnt", [DMFS["plain"], *arguments], LIST)
    assert done.returncode == FAILED and "Read-only file system" in done.stderr, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and lines[0] == lines[1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_extract_leaves_nothing_under_the_name(tmp_path, number):
    """It is stopped as soon as its file has begun to grow, which shows that this was in time."""
    tool = Tool(DMFS["plain"], tmp_path)
    tool.write("raw.bin", os.urandom(64 << 20))
    tool.write("m.yaml", manifest(memory="128M"))
    tool.run("pack", "m.yaml", "-o", "demo.dmfs", "--unsigned", "-l1", "-q")
    folder = tool.folder / "out"
    process = subprocess.Popen([tool.program, "extract", "demo.dmfs", "linux.kernel", "-C", "out"], cwd=tool.folder,
                               stderr=subprocess.DEVNULL)
    while process.poll() is None and not grows(process.pid, folder):
        pass
    assert process.poll() is None, "it was done before it could be killed"
    process.send_signal(number)
    assert process.wait() == -number
    assert os.listdir(folder) == []


WITHOUT_TMPFILE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
int openat(int dir, const char *path, int flags, ...)
{
	va_list more;
	va_start(more, flags);
	unsigned mode = flags & O_CREAT ? va_arg(more, unsigned) : 0;
	va_end(more);
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return syscall(SYS_openat, dir, path, flags, mode);
}
"""


def test_extract_where_files_cannot_be_without_a_name(made, tmp_path):
    """As on FAT."""
    (tmp_path / "without.c").write_text(WITHOUT_TMPFILE)
    library = tmp_path / "without.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "without.c"], check=True)
    tool = Tool(DMFS["plain"], tmp_path)
    extract = ["extract", made / "demo.dmfs", "linux.kernel", "-C", "out"]
    tool.run(*extract, env={"LD_PRELOAD": str(library)})
    assert os.listdir(tmp_path / "out") == ["linux.kernel"]
    assert tool.read("out/linux.kernel") == (made / "raw.bin").read_bytes()
    assert "exists" in tool.run(*extract, env={"LD_PRELOAD": str(library)}, status=FAILED).error
    assert os.listdir(tmp_path / "out") == ["linux.kernel"]


def grows(pid, folder):
    """Has the process a file in that folder, with or without a name, that is not empty?"""
    try:
        for entry in os.scandir(f"/proc/{pid}/fd"):
            if os.readlink(entry.path).startswith(f"{folder}/") and os.stat(entry.path).st_size > 0:
                return True
    except FileNotFoundError:
        pass
    return False
