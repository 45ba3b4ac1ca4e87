# SPDX-License-Identifier: MIT
"""What the hypervisor costs, counted in instructions (`-icount shift=0`: one is a nanosecond of guest time)."""
import re
import subprocess

import pexpect
import pytest

from board import GUESTS, HYPERVISOR, INITRAMFS, LIMIT, VIRT_GSTAGE, VIRT_PMP, linux, manifest, need

ICOUNT = ("-icount", "shift=0")
USER_SPACE = r"\[ *([0-9.]+)\] Run /init as init process"
CPUS = {"gstage": "rv64", "pmp": "rv64,h=false"}


def bare(cpu):
    """Guest time to user space under OpenSBI on the same QEMU, in seconds."""
    command = ["-M", "virt", "-cpu", cpu, "-smp", "1", "-m", "256M", "-display", "none", "-serial", "stdio",
               "-monitor", "none", "-no-reboot", *ICOUNT, "-kernel", str(need(GUESTS / "vmlinux")),
               "-initrd", str(need(INITRAMFS)), "-append", "console=ttyS0 poweroff"]
    child = pexpect.spawn("qemu-system-riscv64", command, timeout=LIMIT, encoding="latin-1")
    try:
        child.expect(USER_SPACE)
        return float(child.match.group(1))
    finally:
        child.close(force=True)


@pytest.mark.parametrize("isolation, options", [("gstage", VIRT_GSTAGE), ("pmp", VIRT_PMP)])
def test_a_kernel_in_a_capsule_is_as_fast_as_on_the_bare_board(boot, images, isolation, options):
    image = images.pack(manifest(linux(memory="256M")))
    board = boot(image, *options, "--harts", "1", qemu=ICOUNT)
    board.expect(USER_SPACE)
    capsule = float(board.match.group(1))
    board.end(0)
    yardstick = bare(CPUS[isolation])
    print(f"{isolation}: {capsule:.4f} s in a capsule, {yardstick:.4f} s bare, ratio {capsule / yardstick:.4f}")
    assert capsule <= 1.02 * yardstick


def test_the_text_is_at_most_128_kib():
    sizes = subprocess.run(["riscv64-unknown-elf-size", "-A", str(need(HYPERVISOR))], capture_output=True, text=True,
                           check=True).stdout
    text = int(re.search(r"^\.text\s+(\d+)", sizes, re.M).group(1))
    print(f"text: {text} bytes")
    assert 0 < text <= 128 * 1024
