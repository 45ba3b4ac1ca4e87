# SPDX-License-Identifier: MIT
"""Boards of other sizes and shapes than the usual: harts, RAM, device trees, where the hypervisor lies."""
import re
import struct
import subprocess

import pytest

from board import ALL_STOPPED, DMFS, HYPERVISOR, LIMIT, VIRT_GSTAGE, VIRT_PMP, guest, linux, log_lines, manifest

QEMU = "qemu-system-riscv64"
# One hart after the other, hart 0 first: who wins the race to boot is the same every time.
IN_TURN = ("-accel", "tcg,thread=single")


def make_tree(path, machine, *edits):
    """The device tree of a virt board, with changes: arguments of fdtput after the file, as one string each."""
    subprocess.run([QEMU, "-M", f"virt,dumpdtb={path}", *machine, "-bios", "none", "-display", "none"], check=True,
                   capture_output=True)
    for edit in edits:
        option, *rest = edit.split()
        subprocess.run(["fdtput", *([option] if option.startswith("-") else []), path,
                        *([] if option.startswith("-") else [option]), *rest], check=True)
    return path


def boots(boot, image, *options, qemu=()):
    """Boots an image whose guests end by themselves; the first line's harts and MiB of RAM."""
    board = boot(image, *options, qemu=qemu)
    log = log_lines(board.end(status=0))
    assert log[-1] == ALL_STOPPED
    harts, ram = re.search(r": (\d+) harts, (\d+) MiB RAM,", log[0]).groups()
    return int(harts), int(ram)


@pytest.mark.parametrize("harts", [1, 3, 8, 64])
def test_any_number_of_harts(images, small, boot, harts):
    assert boots(boot, small, "--harts", str(harts))[0] == harts


def test_harts_beyond_the_maximum_are_parked(small, boot):
    """64 harts get a place, in the order in which they come; of the tree's 66 its first 64 are used, if they have one."""
    assert 62 <= boots(boot, small, qemu=("-smp", "66"))[0] <= 64


@pytest.mark.parametrize("mib", [64, 3072, 8192])
def test_sizes_of_ram(small, boot, mib):
    assert boots(boot, small, "--memory", f"{mib}M")[1] == mib


def test_harts_that_are_disabled_or_not_there(small, boot, tmp_path):
    """Numbers 1 and 3 of five are holes: one is marked disabled, the other in no tree."""
    tree = make_tree(tmp_path / "holes.dtb", ("-smp", "5", "-m", "1G"), "-ts /cpus/cpu@1 status disabled",
                     "-r /cpus/cpu@3")
    assert boots(boot, small, "--harts", "5", qemu=("-dtb", str(tree), *IN_TURN))[0] == 3


def test_ram_in_two_banks(images, small, boot, tmp_path):
    tree = make_tree(tmp_path / "banks.dtb", ("-smp", "2", "-m", "1G"),
                     "-tx /memory@80000000 reg 0 80000000 0 10000000 0 a0000000 0 18000000")
    assert boots(boot, small, qemu=("-dtb", str(tree)))[1] == 256 + 384
    # It fits into the second bank alone, in both ways to isolate.
    image = images.pack(manifest(linux(memory="300M")))
    for where in (VIRT_GSTAGE, VIRT_PMP):
        boots(boot, image, *where, qemu=("-dtb", str(tree)))
    board = boot(images.pack(manifest(linux(memory="400M"))), qemu=("-dtb", str(tree)))
    board.expect(r"image refused: capsule linux needs 400 MiB of memory in one piece, the board has 3\d\d MiB left")
    board.end(status=1)


def test_reserved_memory_is_left_alone(images, small, boot, tmp_path):
    """What lies there before the boot lies there afterwards, although guests with the rest of RAM have come and gone."""
    at, size, ram = 0x8C000000, 1 << 20, tmp_path / "ram"
    tree = make_tree(tmp_path / "reserved.dtb", ("-smp", "2", "-m", "256M"), "-cp /reserved-memory/mine@8c000000",
                     "-tx /reserved-memory #address-cells 2", "-tx /reserved-memory #size-cells 2",
                     "-tx /reserved-memory/mine@8c000000 reg 0 8c000000 0 100000")
    # An empty property is what fdtput cannot write without a type.
    subprocess.run(["fdtput", tree, "/reserved-memory", "ranges"], check=True)
    pattern = bytes(range(256)) * (size // 256)
    with open(ram, "wb") as file:
        file.truncate(256 << 20)
        file.seek(at - 0x80000000)
        file.write(pattern)
    shared = ("-dtb", str(tree), "-machine", "memory-backend=ram", "-object",
              f"memory-backend-file,id=ram,size=256M,mem-path={ram},share=on")
    kernel = re.search(r"kernel: (.*)", small.with_suffix(".yaml").read_text()).group(1)
    guests = [guest("below", kernel, "180M"), guest("above", kernel, "56M")]
    boots(boot, images.pack(manifest(*guests)), "--memory", "256M", qemu=shared)
    with open(ram, "rb") as file:
        file.seek(at - 0x80000000)
        assert file.read(size) == pattern
    board = boot(images.pack(manifest(guest("larger", kernel, "192M"))), "--memory", "256M", qemu=shared)
    board.expect(r"needs 192 MiB of memory in one piece, the board has 1[0-9]\d MiB left")
    board.end(status=1)


def test_two_nodes_of_memory_and_harts(small, boot):
    nodes = []
    for name, harts in (("a", "0-1"), ("b", "2-3")):
        nodes += ["-object", f"memory-backend-ram,id={name},size=1G", "-numa", f"node,memdev={name},cpus={harts}"]
    assert boots(boot, small, "--harts", "4", "--memory", "2G", qemu=nodes) == (4, 2048)


def test_it_runs_where_it_was_loaded(images, tmp_path):
    """Linked for 0x80000000, loaded at 0x90000000 and entered there by two instructions."""
    elf, raw, stub = tmp_path / "diosix.elf", tmp_path / "diosix.bin", tmp_path / "stub.bin"
    subprocess.run([DMFS, "bundle", "--quiet", HYPERVISOR, "-o", elf, "--trust", images.pub], check=True)
    subprocess.run(["riscv64-unknown-elf-objcopy", "-O", "binary", elf, raw], check=True)
    # li t0, 9; slli t0, t0, 28; jr t0
    stub.write_bytes(struct.pack("<III", 0x00900293, 0x01C29293, 0x00028067))
    image = images.pack(manifest(linux(cpus=2)))
    done = subprocess.run([QEMU, "-M", "virt", "-smp", "2", "-m", "1G", "-bios", "none", "-kernel", stub, "-initrd", image,
                           "-device", f"loader,file={raw},addr=0x90000000,force-raw=on", "-display", "none", "-serial",
                           "stdio", "-monitor", "none"], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT)
    assert done.returncode == 0
    text = done.stdout.decode(errors="replace")
    assert "user space reached, 2 cpus" in text and log_lines(text)[-1] == ALL_STOPPED


def test_a_board_that_cannot_power_off_says_that_it_is_done(small, boot, tmp_path):
    tree = make_tree(tmp_path / "tree.dtb", ("-smp", "2", "-m", "1G"), "-r /poweroff", "-r /reboot",
                     "-r /soc/test@100000")
    board = boot(small, qemu=("-dtb", str(tree)))
    board.expect_line(ALL_STOPPED)
    assert board.child.isalive()


@pytest.mark.parametrize("edit, sentence", [
    ("-ts /cpus/cpu@0 mmu-type riscv,none", "none of its usable harts has an S-mode"),
    ("-r /soc/clint@2000000", "no machine timer"),
    ("-r /soc/plic@c000000", "names no PLIC"),
    ("-r /memory@80000000", "gives no RAM"),
])
def test_a_board_that_cannot_be_driven_says_why(small, boot, tmp_path, edit, sentence):
    tree = make_tree(tmp_path / "tree.dtb", ("-smp", "1", "-m", "1G"), edit)
    board = boot(small, "--harts", "1", qemu=("-dtb", str(tree)))
    board.expect(r"diosix: this board cannot be used: .*" + sentence)
    assert "started" not in board.end(status=1)
