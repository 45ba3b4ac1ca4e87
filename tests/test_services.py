# SPDX-License-Identifier: MIT
"""Programs on the runtime for services and bare-metal guests: start, console, memory, waiting, traps."""
import json
import re
import struct
import subprocess

import pytest

from board import ALL_STOPPED, BUILD, DMFS, FAILED, ROOT, VIRT_GSTAGE, VIRT_PMP, guest, log_lines, manifest, need


@pytest.fixture
def check(images, boot, where):
    """check("hello wait") boots tests/capsule/check.c with these arguments."""
    def start(arguments, **more):
        program = need(BUILD / "capsule/check/check.elf")
        return boot(images.pack(manifest(guest("check", program, "8M", cmdline=f"'{arguments}'", **more))), *where)
    return start


def finished(board):
    text = board.end(status=0)
    assert log_lines(text)[-1] == ALL_STOPPED and "crash" not in text
    return text


def crashed(board):
    text = board.end(status=1)
    assert log_lines(text)[-1] == FAILED
    assert "diosix: capsule check: crashed: it exited with status 255" in log_lines(text)
    return text


def test_arguments_and_pointers_are_there(check):
    text = finished(check('hello  "two words" last'))
    assert re.findall(r"argument (\d): \[(.*)\]", text) == [("0", "check"), ("1", "hello"), ("2", "two words"), ("3", "last")]
    assert "hello, value 7, own 3" in text and "done" in text


@pytest.mark.parametrize("vm", ["", "vm "])
@pytest.mark.alone
def test_everything_goes_on_with_virtual_memory(check, vm):
    text = finished(check(vm + "hello wait heap vcpus lines", cpus=4))
    assert ("vm: 0" in text) == bool(vm)
    assert "hello, value 7, own 3" in text
    assert "waited a tenth of a second at least: 1, events 0" in text
    assert "malloc gave more than 4 MB: 1, then ENOMEM" in text
    assert "sum 69, own 3, no vCPU 4: -3" in text
    assert [int(n) for n in re.findall(r"line (\d+) of a long output, of which no byte may get lost\r+\n", text)] == [*range(500)]


def test_it_reads_what_is_typed(check):
    board = check("read")
    board.expect("argument 1: ")
    for word in "first", "second":
        board.send(word + "\n")
        board.expect(f"read: {word}\r")
    board.send("end\n")
    finished(board)


def test_a_trap_is_a_crash_with_a_line_that_says_where(check):
    text = crashed(check("trap"))
    # What had not been a whole line comes out as well.
    assert re.search(r"not a whole line, crash: store (access|page) fault \(cause \d+\) at pc 0x[0-9a-f]+, tval 0x123456789000,", text)


def test_with_virtual_memory_text_cannot_be_written(check):
    assert re.search(r"crash: store page fault \(cause 15\)", crashed(check("vm write-text")))


def test_with_virtual_memory_a_stack_that_overflows_is_found(check):
    assert re.search(r"crash: stack overflow, store page fault \(cause 15\)", crashed(check("vm overflow")))


def test_a_doorbell_wakes_who_waits_for_events(images, boot, where):
    other = guest("other", f"{{file: {need(BUILD / 'attacks/lose-its-handler.bin')}, load: 0x80200000, relocatable: true}}")
    check = guest("check", need(BUILD / "capsule/check/check.elf"), "8M", cmdline="'events events'",
                  permissions="[capsule_list]")
    board = boot(images.pack(manifest(other, check)), *where)
    # The first that it hears of is its own start; then it sleeps, as nothing changes.
    board.expect_all("ready: c crashes", "an event came: 0x80")
    assert board.text.count("an event came") == 1
    board.send("q")
    board.expect_all("diosix: capsule other: stopped", "diosix: capsule check: stopped")
    assert board.end(status=0).count("an event came: 0x80") == 2


def fnv(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return f"{value:016x}"


# The words of the large one are their own offsets; it is of three chunks, the last one not whole.
SMALL, LARGE = b"welcome\n", struct.pack("<87500Q", *range(0, 700000, 8))
FILES = {"check": {"small": SMALL, "large": LARGE}, "check.file.x": {"secret": b"nobody else's", "small": SMALL}}


@pytest.fixture
def with_files(images, boot, where, tmp_path):
    """Two services that have files, and try what they can read."""
    def start(arguments, *options, pack=images.pack, **more):
        for name, data in [each for files in FILES.values() for each in files.items()]:
            (tmp_path / name).write_bytes(data)
        program = str(need(BUILD / "capsule/check/check.elf"))
        services = [{"name": service, "program": program, "cmdline": arguments, **more,
                     "files": {name: str(tmp_path / name) for name in files}} for service, files in FILES.items()]
        text = json.dumps({"dmfs": 1, "image": {"name": "files"}, "services": services}, indent=1)
        return boot(pack(text), *where, *options).end(status=0)
    return start


def by_service(text, name):
    return re.findall(rf"^\[{re.escape(name)}\] (.*?)\r*$", text, re.M)


def test_a_service_reads_its_own_files_and_no_others(with_files):
    text = with_files("files")
    said = by_service(text, "check")
    for name, data, calls in ("small", SMALL, (1, 1)), ("large", LARGE, (3, 64 + 64 + 43)):
        for room, number in zip((300000, 4099), calls):
            assert (f"file {name} by {room}: {len(data)} of {len(data)} bytes, {number} "
                    f"calls, hash {fnv(data)}, error 0") in said
    assert [line for line in said if line.startswith("find")] == [
        "find [small]: 0", "find [large]: 0", *(f"find [{name}]: -1" for name in ("secret", "larg", "large.", ""))]
    assert len([line for line in said if "is one of mine: 1" in line]) == 2 and "can be read" not in text
    assert "no such file: -3, -3" in said and "beyond the end: 0, 0" in said and "outside its memory: -5, -5, -5" in said
    # The same file has another number for each, though what is in it is the same.
    other = by_service(text, "check.file.x")
    assert "find [secret]: 0" in other and "find [large]: -1" in other and f"hash {fnv(SMALL)}" in "".join(other)
    mine, others = ({line for line in lines if "is one of mine: 1" in line} for lines in (said, other))
    assert mine.isdisjoint(others) and len(others) == 2


@pytest.mark.alone
def test_files_are_read_by_vcpus_at_once(with_files):
    assert "files read at once: 0 mistakes" in by_service(with_files("files-at-once", cpus=4), "check")


@pytest.mark.alone
def test_files_that_are_encrypted_are_read_as_others(with_files, images, tmp_path):
    def pack(text):
        (tmp_path / "m.yaml").write_text(text)
        subprocess.run([DMFS, "keygen", "--quiet", "--seal", "board"], cwd=tmp_path, check=True)
        subprocess.run([DMFS, "pack", "--quiet", "m.yaml", "-o", "image", "--key", images.key, "--recipient", "board.pub"],
                       cwd=tmp_path, check=True)
        return tmp_path / "image"

    text = with_files("files files-at-once", "--unseal", str(tmp_path / "board.key"), pack=pack, cpus=4, encrypt=True)
    said = by_service(text, "check")
    assert f"file large by 4099: {len(LARGE)} of {len(LARGE)} bytes, 171 calls, hash {fnv(LARGE)}, error 0" in said
    assert "files read at once: 0 mistakes" in said


MAIN = """#include <diosix.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	printf("%s: built outside, ABI %lx, %d%%, %.2f\\n", argv[0], diosix_version().value, 100, argc * 0.25);
	return 0;
}
"""
MAKEFILE = """# A service outside the tree.
PROGRAM := outside
SOURCES := main.c
CAPSULE_MARCH := rv64gc
CAPSULE_PRINTF := float
include {prefix}/share/diosix/capsule.mk
"""
SERVICE = """dmfs: 1
image: {name: outside, version: "1.0", rollback: 1}
services:
  - name: outside
    program: outside.elf
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """A service that is built by its own ten lines against an installed SDK."""
    folder, prefix = tmp_path_factory.mktemp("outside"), tmp_path_factory.mktemp("installed")
    subprocess.run(["make", "-s", "-C", ROOT, "install", f"DESTDIR={prefix}", "PREFIX=/usr"], check=True)
    (folder / "main.c").write_text(MAIN)
    (folder / "Makefile").write_text(MAKEFILE.format(prefix=prefix / "usr"))
    (folder / "manifest.yaml").write_text(SERVICE)
    subprocess.run(["make", "-s", "-C", folder, "CAPSULE_CFLAGS=-Werror"], check=True)
    return folder / "manifest.yaml"


@pytest.mark.parametrize("options", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
def test_a_service_built_outside_the_tree_runs(images, boot, outside, options):
    board = boot(images.pack_file(outside), *options)
    board.expect(r"outside: built outside, ABI 10000, 100%, 0.25\r")
    finished(board)


@pytest.mark.parametrize("options", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
def test_the_example_of_messages_exchanges_them_and_a_page(images, boot, options):
    board = boot(images.pack_file(ROOT / "examples/messages/manifest.yaml"), *options)
    board.expect_all("consumer: the page says: a page of the producer's", "producer: the consumer says: thank you",
                     "producer: the page says: and the consumer was here")
    finished(board)


@pytest.mark.parametrize("options", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
def test_the_client_of_a_service_that_crashes_finds_it_again(images, boot, options):
    board = boot(images.pack_file(ROOT / "examples/crash/manifest.yaml"), *options)
    board.expect(r"client: 5 requests done, the provider was lost 4 times\r")
    assert board.text.count("crash: ") >= 4
