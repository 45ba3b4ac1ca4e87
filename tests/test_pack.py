# SPDX-License-Identifier: MIT
"""Packing: what goes into an image, what is checked before, how much memory and time it takes, what it leaves when it fails."""
import ctypes
import gzip
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

import board
from cli_support import DMFS, FAILED, REFUSED, ROOT, USAGE, Tool, elf, manifest

KERNEL = ROOT / "build/cache/guests/vmlinux"
MIB = 1 << 20


@pytest.fixture(params=DMFS)
def tool(request, tmp_path):
    """dmfs in an empty folder with a raw kernel and a key pair."""
    return prepared(DMFS[request.param], tmp_path)


@pytest.fixture
def plain(tmp_path):
    """The same with the build that ships alone: for what the sanitizers would distort."""
    return prepared(DMFS["plain"], tmp_path)


def prepared(program, folder):
    tool = Tool(program, folder)
    tool.write("raw.bin", bytes(range(256)) * 4096)
    tool.run("keygen", "a", "--quiet")
    return tool


def pack(tool, text, *more, out="demo.dmfs", **options):
    tool.write("m.yaml", text)
    return tool.run("pack", "m.yaml", "-o", out, "--key", "a.key", *more, **options)


def extracted(tool, name, image="demo.dmfs"):
    shutil.rmtree(tool.folder / "out", ignore_errors=True)
    tool.run("extract", image, name, "-C", "out", "--trust", "a.pub")
    return tool.read(f"out/{name}")


# --- what goes into an image -----------------------------------------------------------------------

def test_several_initrds_follow_each_other_at_multiples_of_four(tool):
    parts = [os.urandom(n) for n in (5, 300001, 8, 262144 * 2 + 3)]
    for i, part in enumerate(parts):
        tool.write(f"{i}.gz", part)
    pack(tool, manifest("initrd: [0.gz, 1.gz, 2.gz, 3.gz]"))
    together = b""
    for part in parts:
        together += b"\0" * (-len(together) % 4) + part
    assert extracted(tool, "linux.initrd") == together
    tree = tool.run("dtgen", "m.yaml", "linux").out
    image = json.loads(tool.run("inspect", "--json", "demo.dmfs").out)
    assert image["objects"][1]["raw_len"] == len(together)
    assert "linux,initrd-end" in tree


def test_the_same_initrds_are_stored_once_and_others_are_not(tool):
    for name in "ab":
        tool.write(name, name * 100)
    guests = "".join(f"  - {{name: g{i}, kernel: {{file: raw.bin, load: 0x80200000}}, memory: 16M, initrd: {initrd}}}\n"
                     for i, initrd in enumerate(["[a, b]", "[./a, ./b]", "[b, a]", "a", "[a]"]))
    pack(tool, "dmfs: 1\nimage: {name: demo}\nguests:\n" + guests)
    objects = json.loads(tool.run("inspect", "--json", "demo.dmfs").out)["objects"]
    assert [o["name"] for o in objects if o["type"] == "initrd"] == ["g0.initrd", "g2.initrd", "g3.initrd"]


def test_disks_and_files_are_objects_that_belong_to_their_capsule(tool):
    tool.write("root.img", b"disk" * 100000)
    tool.write("data.img", b"more" * 10)
    tool.write("motd.txt", b"welcome\n")
    tool.write("service.elf", elf())
    pack(tool, manifest("disks: [root.img, data.img]") +
         "services:\n  - {name: console, program: service.elf, files: {motd: motd.txt}}\n")
    image = json.loads(tool.run("inspect", "--json", "demo.dmfs").out)
    types = {o["name"]: o["type"] for o in image["objects"]}
    assert types["linux.disk.0"] == types["linux.disk.1"] == "disk" and types["console.file.motd"] == "file"
    assert image["properties"] == [{"owner": 1, "key": "disk", "value": "linux.disk.0"},
                                   {"owner": 1, "key": "disk", "value": "linux.disk.1"},
                                   {"owner": 2, "key": "file", "value": "console.file.motd"}]
    assert extracted(tool, "linux.disk.0") == tool.read("root.img")
    assert extracted(tool, "console.file.motd") == b"welcome\n"


@pytest.mark.parametrize("files, message", [
    ("[motd.txt]", "has to be a mapping, such as {motd: motd.txt}, not a list"),
    ("{Motd: motd.txt}", "'Motd' is no name"),
    ("{motd: none.txt}", "cannot read 'none.txt'"),
    ("{" + "m" * 27 + ": motd.txt}", "at most 26 are allowed"),
    ("{motd: motd.txt, motd: raw.bin}", "given twice"),
])
def test_wrong_files_of_a_service(tool, files, message):
    tool.write("motd.txt", "x")
    tool.write("service.elf", elf())
    text = f"dmfs: 1\nimage: {{name: demo}}\nservices:\n  - {{name: console, program: service.elf, files: {files}}}\n"
    result = pack(tool, text, status=REFUSED)
    assert message in result.err and result.error.startswith("m.yaml:4:")


def test_names_that_two_capsules_would_make_are_refused(tool):
    tool.write("service.elf", elf())
    one = "  - {name: %s, program: service.elf, files: {%s: raw.bin}}\n"
    text = "dmfs: 1\nimage: {name: demo}\nservices:\n" + one % ("a", "b.file.c") + \
        "  - {name: a.file.b, program: service.elf, files: {c: service.elf}}\n"
    assert "two objects would be called 'a.file.b.file.c'" in pack(tool, text, status=REFUSED).err


def test_overlay_in_source_is_compiled(tool):
    tool.write("more/inner.dtsi", "diosix-test = \"yes\";\n")
    tool.write("more/x.dtso", "/dts-v1/; /plugin/;\n&{/chosen} {\n/include/ \"inner.dtsi\"\n};\n")
    tool.write("m.yaml", manifest("devicetree: {overlay: more/x.dtso}"))
    assert 'diosix-test = "yes"' in tool.run("dtgen", "m.yaml", "linux").out


def test_mistake_in_an_overlay_is_shown_in_the_overlay(tool):
    tool.write("x.dtso", "/dts-v1/; /plugin/;\n&{/chosen} {\n\tx = <1> oops;\n};\n")
    result = pack(tool, manifest("devicetree: {overlay: x.dtso}"), status=REFUSED)
    assert "x.dtso:3:10: error: syntax error\n    3 | \tx = <1> oops;\n      | \t        ^" in result.err
    assert "m.yaml:7:27: error: overlay 'x.dtso' does not compile" in result.err


def test_overlay_in_source_without_dtc_says_what_is_missing(tool):
    tool.write("x.dtso", "/dts-v1/; /plugin/;\n")
    result = pack(tool, manifest("devicetree: {overlay: x.dtso}"), status=REFUSED, env={"PATH": "/nowhere"})
    assert "needs dtc" in result.error


# --- checks before a board sees it -----------------------------------------------------------------

def check(tool, text, *more, **options):
    tool.write("m.yaml", text)
    return tool.run("check", "m.yaml", *more, **options)


def test_check_finds_nothing_and_writes_nothing(tool):
    before = set(os.listdir(tool.folder)) | {"m.yaml"}
    result = check(tool, manifest(image=", boards: [virt, sifive_u]"))
    assert result.err == "dmfs: m.yaml: nothing is wrong, checked against 2 boards\n" and result.out == ""
    assert set(os.listdir(tool.folder)) == before
    assert "cpus" in check(tool, manifest("cpus: 0"), status=REFUSED).error


def test_memory_has_to_fit_the_smallest_board(tool):
    text = manifest(image=", boards: [unmatched, visionfive2]", memory="1G") + \
        "  - {name: big, kernel: {file: raw.bin, load: 0x80200000}, memory: 3G}\n"
    for command in [["check", "m.yaml"], ["pack", "m.yaml", "-o", "x", "--unsigned"]]:
        tool.write("m.yaml", text)
        result = tool.run(*command, status=REFUSED)
        assert result.error == "m.yaml:7:68: error: 'big' does not fit board 'visionfive2': guests and services take " \
                               "4G of the 4G that it has, and the hypervisor at least 4M"
        assert result.err.count("error:") == 1
    assert not (tool.folder / "x").exists()
    check(tool, text, "--board", "unmatched")
    check(tool, text.replace("3G}", "2G}"))


def test_affinity_to_harts_that_a_board_lacks(tool):
    visionfive2 = ["--board", "visionfive2"]
    result = check(tool, manifest("affinity: [0, 5]"), *visionfive2, status=REFUSED)
    assert result.error == "m.yaml:7:15: error: 'linux' may run on harts that board 'visionfive2' does not have: there " \
                           "guests run on 1, 2, 3, 4"
    result = check(tool, manifest("affinity: [0, 1]"), *visionfive2)
    assert result.error.startswith("m.yaml:7:15: warning: board 'visionfive2' has no hart 0 for 'linux'")
    assert "warn" not in check(tool, manifest("affinity: [1, 4]"), *visionfive2).err


def test_kernel_for_an_address_where_a_board_has_no_ram(tool):
    low = "--board", "lichee-rv"
    fixed = manifest(kernel="{file: raw.bin, load: 0x80200000}")
    result = check(tool, fixed, *low, status=REFUSED)
    assert result.error.startswith("m.yaml:5:20: error: 'raw.bin' runs at 0x80200000 alone, where board 'lichee-rv' has no RAM")
    check(tool, manifest(kernel="{file: raw.bin, load: 0x80200000, relocatable: true}"), *low)
    check(tool, fixed, "--board", "unleashed")


def test_boards_that_can_run_no_guest(tool):
    assert "no hart of board 'k210'" in check(tool, manifest(image=", boards: [k210]"), status=REFUSED).error
    tree = ROOT / "build/dtb/virt-32.dtb"
    assert "they need 64 bits" in check(tool, manifest(), "--board", tree, status=REFUSED).error


def test_boards_are_known_by_their_trees_too(tool):
    text = manifest("affinity: [7]", memory="512M")
    assert "does not fit" in check(tool, text, "--board", ROOT / "build/dtb/virt.dtb", status=REFUSED).err
    check(tool, text, "--board", ROOT / "build/dtb/virt-8.dtb")
    tool.write("bad.dtb", b"no tree")
    assert "'bad.dtb' cannot be used" in check(tool, text, "--board", "bad.dtb", status=REFUSED).error
    assert "did you mean 'visionfive2'?" in check(tool, text, "--board", "visonfive2", status=USAGE).error
    assert "'dmfs boards' lists them" in check(tool, text, "--board", "xyzzy", status=USAGE).error


def test_board_that_is_not_known_is_a_warning_of_check_alone(tool):
    text = manifest(image=', boards: ["acme,board"]')
    assert "m.yaml:2:30: warning: nothing is known of board 'acme,board'" in check(tool, text).err
    assert "warning" not in pack(tool, text).err


@pytest.mark.parametrize("cmdline, console", [
    ("console=ttyS1", "ttyS1"), ("quiet console=tty0 console=ttySIF0,115200", "tty0"), ("console=ttyS01", "ttyS01"),
    ("console=ttyS0", None), ("console=ttyS0,115200n8 quiet", None), ("console=tty0 console=ttyS0", None),
    ("console=hvc0", None), ("", None), ("noconsole=ttyS1 myconsole=x", None),
])
def test_command_line_and_device_tree_name_one_console(tool, cmdline, console):
    said = check(tool, manifest(f'cmdline: "{cmdline}"')).err
    if console:
        assert f"m.yaml:7:14: warning: the command line of 'linux' names the console '{console}', but the console in its " \
               "device tree is 'ttyS0'" in said
        assert "console=ttyS0?" in said
    else:
        assert "warning" not in said


def test_console_is_what_an_overlay_makes_of_it(tool):
    tool.write("x.dtso", '/dts-v1/; /plugin/;\n&{/} { aliases { serial3 = "/soc/serial@10000000"; }; };\n'
                         '&{/chosen} { stdout-path = "serial3:115200n8"; };\n')
    overlay = "devicetree: {overlay: x.dtso}\n"
    assert "device tree is 'ttyS3'" in check(tool, manifest(overlay + "cmdline: console=ttyS0")).err
    assert "warning" not in check(tool, manifest(overlay + "cmdline: console=ttyS3")).err
    tool.write("x.dtso", '/dts-v1/; /plugin/;\n&{/chosen} { stdout-path = "/nowhere"; };\n')
    assert "stdout-path in the device tree of 'linux' names no device" in check(tool, manifest(overlay)).err


def test_boards_of_debian_s_kernel_are_known(plain):
    listed = plain.run("boards").out
    for name in ["virt", "sifive_u", "visionfive2", "unmatched", "lichee-rv", "nezha", "lichee-pi-4a", "beaglev-ahead"]:
        assert f"\n{name} " in listed
    assert max(map(len, listed.splitlines())) <= 100
    for tree in (KERNEL.parent / "dtb").glob("*.dtb"):
        source = subprocess.run(["fdtget", tree, "/", "compatible"], capture_output=True, text=True, check=True).stdout
        check(plain, manifest(image=f', boards: ["{source.split()[0]}"]', memory="4M",
                              kernel="{file: raw.bin, load: 0x80200000, relocatable: true}"),
              status=REFUSED if "canaan" in source or "maix" in source else 0)


# --- memory, progress ------------------------------------------------------------------------------

def test_memory_stays_bounded_whatever_is_packed(plain):
    """3 GiB of disk and 1 GiB of initrd, mostly holes, in 192 MiB of address space."""
    for name, size in [("disk.img", 3 << 30), ("initrd", 1 << 30)]:
        with open(plain.folder / name, "wb") as file:
            file.truncate(size)
            for at in range(0, size, size // 16):
                file.seek(at)
                file.write(os.urandom(70000))
    plain.write("m.yaml", manifest("initrd: initrd\ndisks: [disk.img]", memory="2G"))
    args = [plain.program, "pack", "m.yaml", "-o", "demo.dmfs", "--key", "a.key", "-q", "-j4"]
    # From a process of its own: the most that was resident is counted from the fork on, and this one may be large.
    watch = ("import resource, subprocess, sys\n"
             "limit = (int(sys.argv[1]),) * 2\n"
             "subprocess.run(sys.argv[2:], check=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit))\n"
             "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n")
    done = subprocess.run([sys.executable, "-c", watch, str(192 * MIB), *map(str, args)], cwd=plain.folder, check=True,
                          capture_output=True, text=True)
    assert int(done.stdout) * 1024 < 64 * MIB
    plain.run("verify", "demo.dmfs", "--trust", "a.pub")
    image = json.loads(plain.run("inspect", "--json", "demo.dmfs").out)
    assert sum(o["raw_len"] for o in image["objects"]) > 4 << 30


def on_terminal(tool, *args, **env):
    """What dmfs says on a terminal of 80 columns, and its exit status."""
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn("/bin/sh", ["-c", '"$@" >/dev/null', "sh", tool.program, *args], cwd=str(tool.folder),
                          env={**os.environ, "TERM": "xterm", **env}, dimensions=(24, 80), timeout=300)
    said = child.read().decode()
    child.close()
    return said, child.exitstatus


def test_progress_has_rate_and_time_left_on_a_terminal_alone(tool):
    tool.write("initrd", os.urandom(40 * MIB))
    tool.write("m.yaml", manifest("initrd: initrd", memory="256M"))
    args = ["pack", "m.yaml", "-o", "x", "--unsigned", "-l12", "-j1"]
    said, status = on_terminal(tool, *args)
    bars = [part for part in said.split("\r") if part.startswith("packing [")]
    assert status == 0 and bars
    for bar in bars:
        shown = bar.split("\x1b")[0]
        assert "%" in shown and " MiB/s " in shown and shown.endswith(" left") and len(shown) < 80
    assert said.index("\r\x1b[K", said.rindex("packing [")), "the bar is left standing"
    for more, env in [(["-q"], {}), ([], {"TERM": "dumb"})]:
        assert "packing [" not in on_terminal(tool, *args, *more, **env)[0]
    piped = tool.run(*args)
    assert "packing [" not in piped.err and "\x1b" not in piped.err and piped.out == ""


# --- the cache -------------------------------------------------------------------------------------

def cached(tool, text, *more, **options):
    """Packs with the cache; how many chunks were there, and of how many."""
    said = pack(tool, text, "--cache", "cache", *more, **options).err
    line = [line for line in said.splitlines() if "chunks were there" in line][0].split()
    return int(line[2]), int(line[4])


def entries(tool):
    return sorted(path for path in (tool.folder / "cache").rglob("*") if path.is_file())


TWO = """dmfs: 1
image: {name: demo}
guests:
  - {name: one, kernel: {file: raw.bin, load: 0x80200000}, initrd: one, memory: 64M}
  - {name: two, kernel: {file: raw.bin, load: 0x80200000}, initrd: two, memory: 64M}
"""


@pytest.fixture
def two(tool):
    """Two guests with initrds of some chunks; packed without a cache and with an empty one."""
    for name in ["one", "two"]:
        tool.write(name, os.urandom(MIB) + b"".join(b"%s %07d " % (name.encode(), i) for i in range(80000)))
    tool.write("raw.bin", os.urandom(MIB))  # no chunk twice, so that counts do not depend on which thread is first
    pack(tool, TWO, out="without.dmfs")
    tool.all = cached(tool, TWO)
    return tool


def test_second_pack_compresses_only_what_changed(two):
    assert two.all[0] == 0 and two.all[1] > 15
    assert two.read("demo.dmfs") == two.read("without.dmfs")
    assert cached(two, TWO) == (two.all[1], two.all[1])
    assert two.read("demo.dmfs") == two.read("without.dmfs")
    changed = bytearray(two.read("two"))
    changed[300000] ^= 1
    two.write("two", bytes(changed))
    assert cached(two, TWO) == (two.all[1] - 1, two.all[1])
    pack(two, TWO, out="without.dmfs")
    assert two.read("demo.dmfs") == two.read("without.dmfs")


def test_other_levels_have_entries_of_their_own(two):
    cached(two, TWO, "-l1")
    assert cached(two, TWO, "-l1")[0] == two.all[1]
    pack(two, TWO, "-l1", out="without.dmfs")
    assert two.read("demo.dmfs") == two.read("without.dmfs")


def test_damaged_entries_are_not_used(two):
    files = entries(two)
    good = [path.read_bytes() for path in files]
    for damage in [lambda d: d[:-1], lambda d: d[:20], lambda d: b"", lambda d: d + b"\0",
                   lambda d: d[:40] + bytes([d[40] ^ 1]) + d[41:], lambda d: bytes([d[0] ^ 1]) + d[1:],
                   lambda d: d[:-5] + bytes([d[-5] ^ 0x80]) + d[-4:], lambda d: b"\0" * len(d)]:
        for path, data in zip(files, good):
            path.write_bytes(damage(data))
        assert cached(two, TWO) == two.all, "a damaged entry was used"
        assert two.read("demo.dmfs") == two.read("without.dmfs")
        assert [path.read_bytes() for path in files] == good, "a damaged entry was not replaced"


def test_entries_with_other_contents_are_not_used(two):
    """Somebody who writes to the cache, hashes and all, cannot put other contents into an image."""
    files = entries(two)
    good = [path.read_bytes() for path in files]
    for path, data in zip(files, good[1:] + good[:1]):
        path.write_bytes(data)
    assert cached(two, TWO) == two.all
    assert two.read("demo.dmfs") == two.read("without.dmfs")


def test_cache_that_cannot_be_written_costs_a_warning(two):
    shutil.rmtree(two.folder / "cache")
    (two.folder / "cache").mkdir()
    for i in range(256):
        two.write(f"cache/{i:02x}", "in the way")
    result = pack(two, TWO, "--cache", "cache")
    assert "warning: 'cache' does not take what was compressed" in result.err
    assert two.read("demo.dmfs") == two.read("without.dmfs")
    assert "Not a directory" in pack(two, TWO, "--cache", "raw.bin", status=FAILED).error
    assert "No such file" in pack(two, TWO, "--cache", "none/cache", status=FAILED).error
    assert "says nothing without --cache" in pack(two, TWO, "--cache-size", "1G", status=USAGE).error


def test_cache_keeps_what_was_used_last_within_its_size(tool):
    text = manifest("initrd: initrd", memory="64M")
    rounds = [os.urandom(768 * 1024) for _ in range(4)]
    stale = tool.write("cache/new-1-1", b"left by a killed run")
    os.utime(stale, (1, 1))
    mine = tool.write("cache/notes.txt", b"not an entry")
    for data in rounds:
        tool.write("initrd", data)
        cached(tool, text, "--cache-size", "1M")
        assert sum(path.stat().st_size for path in entries(tool) if path != mine) <= MIB
        for path in entries(tool):
            os.utime(path, (time.time() - 1000, time.time() - 1000))
    assert cached(tool, text, "--cache-size", "1M")[0] >= 3, "the latest was removed"
    assert mine.read_bytes() == b"not an entry" and not stale.exists()


# --- speed and size --------------------------------------------------------------------------------

def test_debian_s_kernel_becomes_smaller_than_pigz_makes_it(plain):
    pack(plain, manifest(kernel=str(KERNEL), memory="256M"))
    ours = (plain.folder / "demo.dmfs").stat().st_size
    theirs = len(subprocess.run(["pigz", "-9", "-c", KERNEL], capture_output=True, check=True).stdout)
    assert ours < theirs


def test_gzip_ed_and_plain_kernel_are_stored_alike(tool):
    image = bytearray(os.urandom(300000))
    image[0:4] = b"\x13\0\0\0"
    image[8:32] = (0x200000).to_bytes(8, "little") + (400000).to_bytes(8, "little") + bytes(8)
    image[48:60] = b"RISCV\0\0\0RSC\x05"
    tool.write("Image", bytes(image))
    subprocess.run(["gzip", "-kn", "Image"], cwd=tool.folder, check=True)
    pack(tool, manifest(kernel="Image"))
    pack(tool, manifest(kernel="Image.gz"), out="gz.dmfs")
    assert tool.read("demo.dmfs") == tool.read("gz.dmfs")
    assert extracted(tool, "linux.kernel") == bytes(image)


# --- failures --------------------------------------------------------------------------------------

def begin(tool, *more):
    """A pack that takes a while, of an initrd that it has begun to read."""
    tool.write("initrd", os.urandom(96 * MIB))
    tool.write("m.yaml", manifest("initrd: initrd", memory="256M"))
    tool.write("demo.dmfs", b"old")
    tool.write("other", b"")
    process = subprocess.Popen([tool.program, "pack", "m.yaml", "-o", "demo.dmfs", "--key", "a.key", "-l12", "-j1",
                                *more], cwd=tool.folder, stderr=subprocess.PIPE)
    tool.files = set(os.listdir(tool.folder))
    while process.poll() is None:
        counts = dict(line.split(": ") for line in pathlib.Path(f"/proc/{process.pid}/io").read_text().splitlines())
        if int(counts["rchar"]) > 4 * MIB:
            break
        time.sleep(0.01)
    assert process.poll() is None, "it was done before anything could happen to it"
    return process


def change_in_place(path):
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")


def append(path):
    with open(path, "ab") as file:
        file.write(b"x")


def replace(path):
    shutil.copy(path, path.with_name("other"))
    os.rename(path.with_name("other"), path)


@pytest.mark.parametrize("happens, message", [
    (os.remove, "cannot read 'initrd': No such file or directory"),
    (lambda path: os.truncate(path, 5 * MIB), "'initrd' has changed while it was read"),
    (change_in_place, "'initrd' has changed while it was read"),
    (append, "'initrd' has changed while it was read"),
    (replace, "'initrd' has changed while it was read"),
], ids=["removed", "truncated", "changed", "appended", "replaced"])
def test_input_that_changes_under_the_pack_is_an_error(tool, happens, message):
    process = begin(tool)
    happens(tool.folder / "initrd")
    said = process.communicate(timeout=300)[1].decode()
    assert process.returncode == FAILED and f"m.yaml:7:13: error: {message}" in said
    assert tool.read("demo.dmfs") == b"old"
    assert set(os.listdir(tool.folder)) | {"initrd", "other"} == tool.files


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_pack_leaves_the_old_image_and_no_other_file(tool, number):
    process = begin(tool)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == -number
    assert tool.read("demo.dmfs") == b"old" and set(os.listdir(tool.folder)) == tool.files


def test_killed_pack_leaves_a_cache_that_is_good(tool):
    process = begin(tool, "--cache", "cache")
    process.kill()
    process.communicate()
    tool.write("initrd", tool.read("initrd")[:8 * MIB])
    text = manifest("initrd: initrd", memory="256M")
    cached(tool, text, "-l12")
    pack(tool, text, "-l12", out="without.dmfs")
    assert tool.read("demo.dmfs") == tool.read("without.dmfs")


def without_privileges():
    """A superuser who may no longer read what its mode forbids."""
    for capability in [1, 2]:  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def test_unreadable_input_is_an_error_with_its_place(tool):
    tool.write("initrd", b"secret")
    os.chmod(tool.folder / "initrd", 0)
    tool.write("demo.dmfs", b"old")
    result = pack(tool, manifest("initrd: initrd"), status=REFUSED, preexec_fn=without_privileges)
    assert result.error == "m.yaml:7:13: error: cannot read 'initrd': Permission denied"
    assert tool.read("demo.dmfs") == b"old"


def test_full_disk_leaves_the_old_image(plain):
    """A file system of 2 MiB, in a mount name space of its own."""
    plain.write("initrd", os.urandom(4 * MIB))
    plain.write("m.yaml", manifest("initrd: initrd", memory="64M"))
    script = 'mount -t tmpfs -o size=2m none disk && echo old >disk/x && cp a.key disk && ' \
             '"$1" pack m.yaml -o disk/x --key a.key; status=$?; cat disk/x; ls -A disk; exit $status'
    (plain.folder / "disk").mkdir()
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", plain.program], cwd=plain.folder,
                          capture_output=True, text=True)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("no mount name spaces here: " + done.stderr.splitlines()[0])
    assert done.returncode == FAILED and "cannot write 'disk/x': No space left on device" in done.stderr
    assert done.stdout == "old\na.key\nx\n"


# --- init ------------------------------------------------------------------------------------------

def test_init_leaves_a_project_that_packs_and_runs(plain):
    plain.run("init", "demo")
    demo = plain.folder / "demo"
    plain.run("check", "manifest.yaml", cwd=demo)
    plain.run("pack", "manifest.yaml", "-o", "demo.dmfs", "--key", "dev.key", cwd=demo)
    for where in [["virt"], ["sifive_u", "--harts", "1"]]:
        done = subprocess.run([plain.program, "run", "demo.dmfs", "--trust", "dev.pub", "--timeout", "300", "--board",
                               *where], cwd=demo, capture_output=True, stdin=subprocess.DEVNULL, text=True)
        assert done.returncode == 0 and "Hello from hart 0" in done.stdout, done.stdout + done.stderr


def test_init_leaves_sources_that_make_the_guest_again(tool):
    tool.run("init", "demo")
    demo = tool.folder / "demo"
    first = (demo / "manifest.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=manifest.schema.json"
    assert (demo / "manifest.schema.json").read_text() == tool.run("schema").out
    assert (demo / "hello.c").read_text() == (ROOT / "examples/hello/hello.c").read_text()
    image = [tool.run("pack", "manifest.yaml", "-o", "-", "--unsigned", cwd=demo, text=False).out]
    os.remove(demo / "hello.elf")
    subprocess.run(["make", "-s"], cwd=demo, check=True, env={"PATH": os.environ["PATH"]})
    image.append(tool.run("pack", "manifest.yaml", "-o", "-", "--unsigned", cwd=demo, text=False).out)
    assert image[0] == image[1]


# --- on a board ------------------------------------------------------------------------------------

def archive(folder, **files):
    """A cpio archive of these files, as Linux takes it, uncompressed."""
    folder.mkdir()
    for name, (mode, text) in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(mode)
    return subprocess.run(["cpio", "--quiet", "-H", "newc", "-o", "-R", "0:0"], cwd=folder, check=True,
                          input="\n".join(files).encode(), capture_output=True).stdout


def test_linux_reads_several_initrds(images, boot, tmp_path):
    """A compressed one whose length is odd, then one that is not compressed, and has to begin at a multiple of 4."""
    init = "#!/bin/sh\nbusybox mount -t devtmpfs none /dev\nexec >/dev/console\necho $(busybox cat /first) " \
           "$(busybox cat /last)\nbusybox poweroff -f\n"
    board.need(board.INITRAMFS)
    first = tmp_path / "first.gz"
    for i in range(1000):
        first.write_bytes(gzip.compress(archive(tmp_path / f"first{i}", first=(0o644, "archives " + "x" * i)), mtime=0))
        odd = first.stat().st_size
        if odd % 4 and (board.INITRAMFS.stat().st_size + odd) % 4:
            break
    last = tmp_path / "last.cpio"
    last.write_bytes(archive(tmp_path / "last", last=(0o644, "follow each other"), init=(0o755, init)))
    initrds = f"[{board.INITRAMFS}, {first}, {last}]"
    text = board.manifest(board.guest("linux", board.need(KERNEL), "128M", initrd=initrds, cmdline='"console=ttyS0 quiet"'))
    running = boot(images.pack(text), *board.VIRT_GSTAGE)
    running.expect(r"archives x* ?follow each other")
    running.end(0)
