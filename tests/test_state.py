# SPDX-License-Identifier: MIT
"""Registers of the floating-point and vector units: each vCPU finds its own, whoever ran before it, and nothing else."""
import re

import pytest

from board import BUILD, VIRT_GSTAGE, VIRT_PMP, guest, linux, manifest, need

# Two harts are busy all the while.
TWO = pytest.mark.alone

CPUS = {VIRT_GSTAGE: "rv64", VIRT_PMP: "rv64,h=false"}


def state(program, name=None, **more):
    path = need(BUILD / f"state/{program}.bin")
    return guest(name or program, f"{{file: {path}, load: 0x80200000, relocatable: true}}", **more)


def several():
    """Two guests of two vCPUs with patterns, one of them breaking in anywhere, and one without."""
    return manifest(state("keep-patterns", "one", cpus=2), state("keep-patterns", "two", cpus=2, priority="high"),
                    state("stay-without"))


def look_at_the_end(board, vectors):
    text = board.end(status=0)
    assert "BROKEN" not in text
    said = f"vectors of {vectors:#x}" if vectors else "no vectors 0x0"
    # By the names of the guests, for a line that another has interrupted may be shown twice.
    for name in ("one", "two"):
        assert f"[{name}] attack keep-patterns: held" in text
        assert f"[{name}] keep-patterns: {said}" in text
    assert "[stay-without] attack stay-without: held" in text


@pytest.mark.parametrize("harts", [1, pytest.param(2, marks=TWO)])
def test_floating_point_is_each_vcpus_own(images, boot, where, harts):
    look_at_the_end(boot(images.pack(several()), "--harts", str(harts), *where), vectors=0)


@pytest.mark.parametrize("harts, vlen", [(1, 128), pytest.param(2, 256, marks=TWO), (1, 1024)])
@pytest.mark.parametrize("isolation", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
def test_vectors_are_each_vcpus_own(images, boot, isolation, harts, vlen):
    board = boot(images.pack(several()), "--harts", str(harts), *isolation,
                 qemu=("-cpu", f"{CPUS[isolation]},v=true,vlen={vlen}"))
    look_at_the_end(board, vectors=vlen // 8)


def test_misaligned_accesses_are_done_for_the_guest(images, boot, tmp_path, where):
    log = tmp_path / "traps"
    board = boot(images.pack(manifest(state("misalign"))), *where, qemu=("-d", "int", "-D", str(log)))
    text = board.end(status=0)
    assert "BROKEN" not in text
    assert "attack misalign: held" in text
    # It was the hypervisor that did them: loads and stores that trapped, more than the two that came back as faults.
    traps = log.read_text()
    for cause in ("4", "6"):
        assert len(re.findall(rf"async:0, cause:0*{cause},", traps)) > 3


def test_the_time_is_read_by_any_instruction(images, boot, where):
    text = boot(images.pack(manifest(state("read-the-time"))), *where).end(status=0)
    assert "BROKEN" not in text
    assert "attack read-the-time: held" in text


@pytest.mark.parametrize("isolation", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
def test_units_that_nobody_uses_cost_nothing(images, boot, isolation):
    """Counted in instructions: a switch between two vCPUs of one hart, IPI and sleep included."""
    board = boot(images.pack(manifest(state("take-turns", cpus=2))), "--harts", "1", *isolation,
                 qemu=("-cpu", f"{CPUS[isolation]},v=true,vlen=256", "-icount", "shift=0,sleep=off"))
    text = board.end(status=0)
    assert "attack take-turns: held" in text
    cost = {what: int(count, 16) for what, count in re.findall(r"take-turns: (\w+) 0x([0-9a-f]+) end", text)}
    print(cost)
    # Where a guest's FS is the hart's own nobody can tell whether it is used, so there it always costs the same.
    if isolation == VIRT_GSTAGE:
        assert cost["without"] + 64 < cost["floats"] < cost["vectors"]
    else:
        assert cost["without"] <= cost["floats"] < cost["without"] + 64


@pytest.mark.parametrize("isolation", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
@pytest.mark.alone
def test_linux_finds_the_vectors_that_the_board_has(images, boot, isolation):
    image = images.pack(manifest(linux(cmdline="console=ttyS0", cpus=2)))
    board = boot(image, *isolation, qemu=("-cpu", f"{CPUS[isolation]},v=true,vlen=256"))
    board.expect("user space reached, 2 cpus")
    board.expect(r"# ")
    board.send("grep -m1 ^isa /proc/cpuinfo; echo looked\n")
    board.expect(r"isa\s*: rv64imafdcv[_\r\n]")
    board.expect("looked")
    board.send("poweroff -f\n")
    assert "BUG" not in board.end(status=0)
