# SPDX-License-Identifier: MIT
"""What the hypervisor costs, counted in instructions (`-icount shift=0`: one is a nanosecond of guest time)."""
import concurrent.futures
import re
import subprocess

import pexpect
import pytest

from board import GUESTS, HYPERVISOR, INITRAMFS, LIMIT, VIRT_GSTAGE, VIRT_PMP, Board, linux, manifest, need

# Time jumps to the next timer when all sleep, so that it does not depend on the machine.
ICOUNT = ("-icount", "shift=0,sleep=off")
USER_SPACE = r"\[ *([0-9.]+)\] Run /init as init process"
CPUS = {"gstage": "rv64", "pmp": "rv64,h=false"}

# The kernel's tests of its ciphers wait for random times, up to 60 ms of 830: here and there they are left out.
CMDLINE = "console=ttyS0 poweroff cryptomgr.notests=1"
BOOTS = 2


def bare(cpu):
    """Guest time to user space under OpenSBI on the same QEMU, in seconds."""
    command = ["-M", "virt", "-cpu", cpu, "-smp", "1", "-m", "256M", "-display", "none", "-serial", "stdio",
               "-monitor", "none", "-no-reboot", *ICOUNT, "-kernel", str(need(GUESTS / "vmlinux")),
               "-initrd", str(need(INITRAMFS)), "-append", CMDLINE]
    child = pexpect.spawn("qemu-system-riscv64", command, timeout=LIMIT, encoding="latin-1")
    try:
        child.expect(USER_SPACE)
        return float(child.match.group(1))
    finally:
        child.close(force=True)


def capsule(image, pub, options):
    """The same in a capsule."""
    board = Board(image, pub, (*options, "--harts", "1"), ICOUNT)
    try:
        board.expect(USER_SPACE)
        return float(board.match.group(1))
    finally:
        board.stop()


@pytest.mark.parametrize("isolation, options", [("gstage", VIRT_GSTAGE), ("pmp", VIRT_PMP)])
def test_a_kernel_in_a_capsule_is_as_fast_as_on_the_bare_board(images, isolation, options):
    image = images.pack(manifest(linux(memory="256M", cmdline=CMDLINE)))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ours = [pool.submit(capsule, image, images.pub, options) for _ in range(BOOTS)]
        theirs = [pool.submit(bare, CPUS[isolation]) for _ in range(BOOTS)]
        ours, theirs = ([run.result() for run in runs] for runs in (ours, theirs))
    print(f"{isolation}: {sorted(ours)} s in a capsule, {sorted(theirs)} s bare, "
          f"ratio of the best {min(ours) / min(theirs):.4f}")
    assert min(ours) <= 1.02 * min(theirs)


def test_the_text_is_at_most_128_kib():
    sizes = subprocess.run(["riscv64-unknown-elf-size", "-A", str(need(HYPERVISOR))], capture_output=True, text=True,
                           check=True).stdout
    text = int(re.search(r"^\.text\s+(\d+)", sizes, re.M).group(1))
    print(f"text: {text} bytes")
    assert 0 < text <= 128 * 1024
