# SPDX-License-Identifier: MIT
"""Guests made for other firmware boot unmodified: Debian's installer, U-Boot. And examples/hello."""
import pathlib

import pytest

from board import ALL_STOPPED, GUESTS, ROOT, VIRT_GSTAGE, guest, log_lines, manifest, need

# Debian's package u-boot-qemu: a raw program for S-mode, linked for 0x80200000.
U_BOOT = pathlib.Path("/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin")


@pytest.mark.alone
def test_debians_installer_asks_for_a_language(images, boot):
    kernel, initrd = need(GUESTS / "installer/vmlinux"), need(GUESTS / "installer/initrd.gz")
    image = images.pack(manifest(guest("installer", kernel, "768M", initrd=initrd, cmdline='"console=ttyS0"', cpus=2)))
    board = boot(image, *VIRT_GSTAGE, "--memory", "2G")
    board.expect("Select a language")
    board.expect("Choose the language to be used for the installation process")
    board.expect("English")


def test_u_boot_reaches_its_prompt(images, boot):
    assert U_BOOT.exists(), "Debian's package u-boot-qemu is missing; third_party/packages.sh installs it"
    board = boot(images.pack(manifest(guest("u-boot", f"{{file: {U_BOOT}, load: 0x80200000}}", "128M"))), *VIRT_GSTAGE)
    board.expect("Hit any key to stop autoboot")
    board.send(" ")
    board.expect("=> ")
    board.send("echo u-boot talks\n")
    board.expect(r"\nu-boot talks\r")
    board.send("poweroff\n")
    board.expect_line("diosix: capsule u-boot: stopped")
    board.end(status=0)


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("hello/manifest.yaml")))
def test_the_first_example_says_hello_and_ends(images, boot, where, example):
    board = boot(images.pack_file(example), *where)
    board.expect("(?i)hello")
    assert log_lines(board.end(status=0))[-1] == ALL_STOPPED
