# SPDX-License-Identifier: MIT
"""
A board that boots again and again without a new QEMU for each: RAM is a file that is mapped here, a reset loads what
was loaded at first, and before the hart goes on the image in RAM is changed. So a board can be shown
thousands of images, every one from its reset on.
"""
import json
import mmap
import socket
import struct
import subprocess

import pexpect.fdpexpect

from board import ALL_STOPPED, DMFS, FAILED, HYPERVISOR, LIMIT

QEMU = "qemu-system-riscv64"
RAM = 32 << 20
FDT_MAGIC = b"\xd0\x0d\xfe\xed"


class Rewound:
    def __init__(self, folder, image, pub, rollback):
        self.image = image.read_bytes()
        hypervisor, ram = folder / "bundled.elf", folder / "ram"
        subprocess.run([DMFS, "bundle", "--quiet", HYPERVISOR, "-o", hypervisor, "--trust", pub, "--rollback",
                        str(rollback)], check=True)
        ours, theirs = socket.socketpair()
        disk = folder / "snapshots.qcow2"
        disk.write_bytes(empty_qcow2())
        # A board that cannot power off stays where it is when all is said.
        tree = without_power_off(folder)
        self.qemu = subprocess.Popen(
            [QEMU, "-M", "virt,memory-backend=ram", "-smp", "1", "-m", "32M", "-bios", "none", "-S", "-dtb", tree,
             "-object", f"memory-backend-file,id=ram,size=32M,mem-path={ram},share=on", "-kernel", hypervisor,
             "-initrd", image, "-display", "none", "-serial", "stdio", "-monitor", "none",
             "-drive", f"if=none,id=snapshots,format=qcow2,file={disk}",
             "-chardev", f"socket,id=qmp,fd={theirs.fileno()}", "-mon", "chardev=qmp,mode=control"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=[theirs.fileno()])
        theirs.close()
        self.console = pexpect.fdpexpect.fdspawn(self.qemu.stdout.fileno(), timeout=LIMIT, encoding="utf-8")
        ours.settimeout(LIMIT)
        self.control = ours.makefile("rw")
        self.wait_for("QMP")
        self.command("qmp_capabilities")
        with open(ram, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), RAM)
        self.start = self.memory.find(self.image)
        assert self.start > 0
        self.end_at = self.find_end()
        self.monitor("savevm reset")

    def find_end(self):
        """Where in RAM the device tree's linux,initrd-end is."""
        memory = self.memory[:]
        tree = memory.rfind(FDT_MAGIC)
        end = struct.pack(">I", 0x80000000 + self.start + len(self.image))
        at = memory.find(end, tree)
        assert tree > 0 and at > 0 and memory.find(end, at + 1) < 0
        return at

    def wait_for(self, key, value=None):
        while True:
            message = json.loads(self.control.readline())
            assert "error" not in message, message
            if key in message and value in (None, message[key]):
                return

    def command(self, name, **arguments):
        self.control.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.control.flush()
        self.wait_for("return")

    def monitor(self, line):
        self.command("human-monitor-command", **{"command-line": line})

    def boot(self, image):
        """Shows the board this image. The sentence with which it refuses it, or None."""
        assert len(image) <= len(self.image) + 4096
        self.command("stop")
        self.monitor("loadvm reset")
        self.memory[self.start:self.start + len(image)] = image
        self.memory[self.end_at:self.end_at + 4] = struct.pack(">I", 0x80000000 + self.start + len(image))
        self.command("cont")
        self.console.expect_exact([FAILED, ALL_STOPPED])
        said = self.console.before
        refusals = [line.removeprefix("diosix: image refused: ").strip() for line in said.splitlines()
                    if line.startswith("diosix: image refused: ")]
        assert len(refusals) <= 1 and (not refusals or "started" not in said), said
        return refusals[0] if refusals else None

    def stop(self):
        self.qemu.kill()
        self.qemu.wait()
        self.control.close()


def empty_qcow2():
    """A disk of nothing, which can hold snapshots of the machine: header, refcounts of its four clusters, a table."""
    cluster = 65536
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, 1 << 20, 0, 1, 3 * cluster, cluster, 1, 0, 0)
    parts = [header, struct.pack(">Q", 2 * cluster), struct.pack(">4H", 1, 1, 1, 1), b""]
    return b"".join(part.ljust(cluster, b"\0") for part in parts)


def without_power_off(folder):
    tree = folder / "no-power-off.dtb"
    subprocess.run([QEMU, "-M", f"virt,dumpdtb={tree}", "-smp", "1", "-m", "32M", "-bios", "none", "-display", "none"],
                   check=True, capture_output=True)
    for node in ("/poweroff", "/reboot", "/soc/test@100000"):
        subprocess.run(["fdtput", "-r", tree, node], check=True)
    return tree
