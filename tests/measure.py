# SPDX-License-Identifier: MIT
"""
Measurements in instructions: under `-icount shift=0` one takes a nanosecond of guest time, so two runs give the same.
The same guest runs in a capsule and, for comparison, under OpenSBI on the same QEMU.
"""
import pathlib
import re
import subprocess

import pexpect

from board import BUILD, GUESTS, HYPERVISOR, INITRAMFS, LIMIT, VIRT_GSTAGE, VIRT_PMP, Board, guest, linux, manifest, need
from debugger import A0, RA, Debugger

QEMU = "qemu-system-riscv64"
# Time jumps to the next timer when all sleep, so that it does not depend on the machine.
ICOUNT = ("-icount", "shift=0,sleep=off")
TICK = 100  # instructions
PAGE = 4096
MODES = {"gstage": VIRT_GSTAGE, "pmp": VIRT_PMP}
CPUS = {"gstage": "rv64", "pmp": "rv64,h=false"}
OPENSBI = {"OpenSBI 1.1": pathlib.Path("/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin"),
           "OpenSBI 1.6": BUILD / "cache/opensbi/fw_dynamic.bin"}

# The kernel's tests of its ciphers wait for random times, up to 60 ms of 830: here and there they are left out.
CMDLINE = "console=ttyS0 poweroff cryptomgr.notests=1"
USER_SPACE = r"\[ *([0-9.]+)\] Run /init as init process"


def program(name):
    return need(BUILD / f"bench/{name}.bin")


def capsule(name, called=None, **more):
    """The lines of a manifest for a guest that measures."""
    return guest(called or name, f"{{file: {program(name)}, load: 0x80200000, relocatable: true}}", **more)


def figures(text):
    """What the guest has reported: totals divided by counts."""
    return {name: int(total) / int(count) for name, total, count in re.findall(r"bench (\w+) (\d+) (\d+) \.", text)}


# --- the same guest in a capsule and under OpenSBI ----------------------------------------------------

def in_capsule(images, mode, name, harts=1, **more):
    image = images.pack(manifest(capsule(name, **more)))
    board = Board(image, images.pub, (*MODES[mode], "--harts", str(harts)), ICOUNT)
    try:
        return figures(board.end(status=0))
    finally:
        board.stop()


def board_command(firmware, harts=1, cpu="rv64", memory="256M"):
    return [QEMU, "-M", "virt", "-cpu", cpu, "-smp", str(harts), "-m", memory, "-display", "none", "-serial", "stdio",
            "-monitor", "none", "-no-reboot", *ICOUNT, "-bios", str(firmware)]


def under_opensbi(firmware, name, harts=1):
    command = [*board_command(need_firmware(firmware), harts), "-kernel", str(program(name))]
    return figures(subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="latin-1",
                                  timeout=LIMIT, check=True).stdout)


def need_firmware(path):
    assert path.exists(), f"{path} is missing: `make bench` gets it"
    return path


def restart(images, mode):
    """
    Instructions from the call for a reboot to the first one of the next life, with RAM of 4 MiB; and from the board's
    reset to that of the first life.
    """
    board = Board(images.pack(manifest(capsule("first"))), images.pub, (*MODES[mode], "--harts", "1"), ICOUNT)
    try:
        board.expect(r"bench first (\d+) 1 \.")
        first = int(board.match.group(1))
        board.expect(r"bench leave (\d+) 1 \.")
        left = int(board.match.group(1))
        board.expect(r"bench first (\d+) 1 \.")
        return int(board.match.group(1)) - left, first
    finally:
        board.stop()


# --- Debian's kernel up to user space, in seconds of guest time ------------------------------------------

def user_space_bare(cpu, firmware="default"):
    command = [*board_command(firmware, cpu=cpu), "-kernel", str(need(GUESTS / "vmlinux")), "-initrd",
               str(need(INITRAMFS)), "-append", CMDLINE]
    child = pexpect.spawn(command[0], command[1:], timeout=LIMIT, encoding="latin-1")
    try:
        child.expect(USER_SPACE)
        return float(child.match.group(1))
    finally:
        child.close(force=True)


def user_space_image(images):
    return images.pack(manifest(linux(memory="256M", cmdline=CMDLINE)))


def user_space_capsule(images, mode):
    board = Board(user_space_image(images), images.pub, (*MODES[mode], "--harts", "1"), ICOUNT)
    try:
        board.expect(USER_SPACE)
        return float(board.match.group(1))
    finally:
        board.stop()


# --- from reset to the guest -----------------------------------------------------------------------------

def big_image(images):
    """A small guest with Debian's kernel for a RAM disk: something to unpack."""
    return images.pack(manifest(capsule("first", memory="64M", initrd=need(GUESTS / "vmlinux"))))


def reset_to_big_guest(images, mode):
    board = Board(big_image(images), images.pub, (*MODES[mode], "--harts", "1"), ICOUNT)
    try:
        board.expect(r"bench first (\d+) 1 \.")
        return int(board.match.group(1))
    finally:
        board.stop()


def raw_len():
    return (GUESTS / "vmlinux").stat().st_size


def debugger(images, image, mode, harts):
    """Without sleep=off, which makes time end while all harts are stopped; so real time adds a little to each stop."""
    return Debugger(images.folder, image, images.pub, (*MODES[mode], "--harts", str(harts)), ("-icount", "shift=0"))


def unpack_on_one(images, mode):
    """Instructions of the boot on one hart, as far as they can be told apart."""
    at = debugger(images, big_image(images), mode, 1)
    sums = dict.fromkeys(("signature", "hash", "inflate", "stage"), 0)
    began = {}
    try:
        at.stop_at("crypto_sign_ed25519_verify_detached", "unpack_together", "dmfs_unpack_chunk", "inflateInit_",
                   "vcpu_resume")
        while True:
            name, hart = at.go()
            now = at.ticks() * TICK
            began[name] = now
            if name == "vcpu_resume":
                return sums
            if name in ("crypto_sign_ed25519_verify_detached", "dmfs_unpack_chunk", "unpack_together"):
                at.stop_at_address(at.register(RA), "behind " + name)
            if name == "inflateInit_":
                sums["hash"] += now - began["dmfs_unpack_chunk"]
            elif name == "behind dmfs_unpack_chunk":
                sums["inflate"] += now - began["inflateInit_"]
            elif name == "behind crypto_sign_ed25519_verify_detached":
                sums["signature"] += now - began["crypto_sign_ed25519_verify_detached"]
            elif name == "behind unpack_together":
                sums["stage"] += now - began["unpack_together"]
            at.step(hart)
    finally:
        at.stop()


def unpack_on(images, mode, harts):
    """
    Instructions of the hart that is the last to end its share of the unpacking. QEMU has its harts take turns
    under -icount, and long ones. So each is let run alone from one piece to the next, always that which has come
    least far: this is what harts do that run at once and equally fast.
    """
    at = debugger(images, big_image(images), mode, harts)
    spent, shares = {}, {}
    try:
        at.stop_at("unpack_together")
        _, first = at.go()
        at.step(first)
        at.stop_at("unpack_alone", "dmfs_unpack_chunk")
        spent = {hart: 0 for hart in range(1, harts + 1)}
        left = set(spent)
        # The first begins, and wakes the others.
        order = [first]
        while left:
            hart = order.pop() if order else min(left, key=spent.get)
            before = at.ticks()
            name, stopped = at.go(hart)
            assert stopped == hart
            spent[hart] += (at.ticks() - before) * TICK
            if name == "behind unpack_alone":
                left.remove(hart)
                continue
            if name == "unpack_alone":
                at.stop_at_address(at.register(RA), "behind unpack_alone")
            else:
                shares[hart] = shares.get(hart, 0) + 1
            at.step(hart)
        return max(spent.values())
    finally:
        at.stop()


# --- memory ------------------------------------------------------------------------------------------------

def pages_used(images, mode, guests, cpus):
    """Pages that the hypervisor has taken when the first guest is entered, those of guests' RAM not counted."""
    lines = [capsule("first", f"guest{i}", cpus=cpus) for i in range(guests)]
    at = debugger(images, images.pack(manifest(*lines)), mode, 1)
    counts = {"pages_alloc": (A0, 1), "pages_alloc_at": (A0 + 1, 1), "pages_free": (A0 + 1, -1)}
    used = 0
    try:
        at.stop_at("vcpu_resume", *(name for name in counts if name in at.symbols))
        while True:
            name, hart = at.go()
            if name == "vcpu_resume":
                return used - guests * (4 << 20) // PAGE
            register, sign = counts[name]
            used += sign * at.register(register)
            at.step(hart)
    finally:
        at.stop()


def bytes_each(images, mode):
    """
    Bytes of RAM for a capsule with one vCPU, and for a vCPU: what so many more of them take, divided. Many, for what is
    small shares pages.
    """
    one, more = pages_used(images, mode, 1, 1), {"capsule": 32, "vcpu": 63}
    return {"capsule": (pages_used(images, mode, 1 + more["capsule"], 1) - one) * PAGE // more["capsule"],
            "vcpu": (pages_used(images, mode, 1, 1 + more["vcpu"]) - one) * PAGE // more["vcpu"]}


def sections():
    """Bytes of the hypervisor's text, data and bss, each with what is like it."""
    text = subprocess.run(["riscv64-unknown-elf-size", "-A", str(need(HYPERVISOR))], capture_output=True, text=True,
                          check=True).stdout
    sizes = {name: int(size) for name, size in re.findall(r"^\.(\S+)\s+(\d+)\s+\d+$", text, re.M)}
    return {name: sizes[name] for name in ("text", "rodata", "data", "bss") if name in sizes}
