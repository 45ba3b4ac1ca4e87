# SPDX-License-Identifier: MIT
"""Boots images on emulated boards, and reads what their consoles say."""
import os
import pathlib
import re
import subprocess

import pexpect

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
DMFS = BUILD / "dmfs"
HYPERVISOR = BUILD / "diosix.elf"
GUESTS = BUILD / "cache/guests"
INITRAMFS = BUILD / "guests/initramfs.gz"

# The longest that anything may take, in seconds. It is there to end what hangs, and for nothing else: no
# test waits for time to pass. DIOSIX_TEST_PATIENCE multiplies it, for slow machines.
LIMIT = int(300 * float(os.environ.get("DIOSIX_TEST_PATIENCE", "1")))

# The ways to run guests: options of `dmfs run`, and what the boot log calls the isolation.
VIRT_GSTAGE = ("--board", "virt", "--isolation", "gstage")
VIRT_PMP = ("--board", "virt", "--isolation", "pmp")
SIFIVE_U = ("--board", "sifive_u")
BOARDS = {"virt-gstage": VIRT_GSTAGE, "virt-pmp": VIRT_PMP, "sifive_u": SIFIVE_U}

ALL_STOPPED = "diosix: board: all capsules stopped"
FAILED = "diosix: board: stopped after failure"


def need(*paths):
    """What is missing was not built: an error, for a test that is skipped tells nothing."""
    for path in paths:
        assert path.exists(), f"{path.relative_to(ROOT)} is missing; `make system` builds it"
    return paths[0]


class Images:
    """Packs manifests, each once, all signed by one development key. What is compressed, as kernels are, is kept in a cache."""

    def __init__(self, folder, cache=None):
        self.folder = folder
        self.cache = cache or folder / "compressed"
        self.made = {}
        need(DMFS, HYPERVISOR)
        subprocess.run([DMFS, "keygen", "--quiet", folder / "dev"], check=True)
        self.key, self.pub = folder / "dev.key", folder / "dev.pub"

    def pack(self, manifest):
        """The image of a manifest, which names its files by absolute paths."""
        if manifest not in self.made:
            path = self.folder / f"{len(self.made)}.yaml"
            path.write_text(manifest)
            self.made[manifest] = self.pack_file(path)
        return self.made[manifest]

    def pack_file(self, path):
        image = self.folder / path.with_suffix(".dmfs").name
        subprocess.run([DMFS, "pack", "--quiet", path, "-o", image, "--key", self.key, "--cache", self.cache],
                       check=True)
        return image


def guest(name, kernel, memory="4M", **more):
    """The lines of one guest in a manifest."""
    lines = [f"  - name: {name}", f"    kernel: {kernel}", f"    memory: {memory}"]
    lines += [f"    {key}: {value}" for key, value in more.items()]
    return "\n".join(lines)


def manifest(*guests, image="{name: test, version: '1.0', rollback: 7}"):
    return "\n".join(["dmfs: 1", f"image: {image}", "guests:", *guests]) + "\n"


def linux(name="linux", memory="128M", cmdline="console=ttyS0 poweroff", **more):
    """Debian's kernel with busybox: it ends at once, or with another command line gives a shell."""
    kernel = need(GUESTS / "vmlinux")
    return guest(name, kernel, memory, initrd=need(INITRAMFS), cmdline=f'"{cmdline}"', **more)


class Board:
    """`dmfs run` behind a terminal of its own. It is always ended, and QEMU with it."""

    def __init__(self, image, pub, options, qemu=()):
        command = ["run", str(image), "--trust", str(pub), "--timeout", str(LIMIT), *options]
        if qemu:
            command += ["--", *qemu]
        self.child = pexpect.spawn(str(DMFS), command, timeout=LIMIT, encoding="utf-8", codec_errors="replace",
                                   dimensions=(50, 200), env=dict(os.environ, LC_ALL="C"))
        # A keystroke needs no time to settle in.
        self.child.delaybeforesend = None
        self.text = ""

    def expect(self, *patterns):
        """Waits for one of the regular expressions; its number. What came before it stays in self.text."""
        try:
            found = self.child.expect(list(patterns))
        except (pexpect.EOF, pexpect.TIMEOUT) as error:
            self.text += self.child.before if isinstance(self.child.before, str) else ""
            raise AssertionError(f"{patterns} did not come ({type(error).__name__}):\n{self.tail()}") from None
        self.text += self.child.before + self.child.after
        return found

    def expect_all(self, *texts):
        """Waits until the console has said all of these since it was booted, in any order."""
        while any(text not in self.text for text in texts):
            self.expect(r"\n")

    def expect_line(self, text):
        """Waits for a line of the console that is exactly this."""
        return self.expect(r"(?:^|[\r\n])" + re.escape(text) + r"\r*\n")

    def send(self, text):
        self.child.send(text)

    @property
    def match(self):
        return self.child.match

    def tail(self):
        return self.text[-4000:]

    def end(self, status):
        """Waits until the board is gone; its status has to be this. Returns all that the console said."""
        try:
            self.child.expect(pexpect.EOF)
        except pexpect.TIMEOUT:
            raise AssertionError(f"the board did not end:\n{self.tail()}{self.child.before}") from None
        self.text += self.child.before
        self.child.close()
        assert self.child.exitstatus == status, f"status {self.child.exitstatus}\n{self.tail()}"
        return self.text

    def stop(self):
        """Ends it, whatever it does: `dmfs run` takes QEMU with it."""
        if self.child.isalive():
            self.child.kill(15)
            self.child.wait()
        self.child.close(force=True)

    def lines(self):
        return [line.strip("\r") for line in self.text.split("\n")]


def log_lines(text):
    """The hypervisor's own lines."""
    return [line.strip() for line in text.splitlines() if line.startswith("diosix: ")]
