# SPDX-License-Identifier: MIT
"""Debian's kernel as it is packaged, with busybox, on every board and in both ways to isolate."""
import re

import pytest

from board import ALL_STOPPED, SIFIVE_U, VIRT_GSTAGE, VIRT_PMP, linux, log_lines, manifest

pytestmark = pytest.mark.alone

SHELL = "console=ttyS0"
PROMPT = r"(?:^|[\r\n])# "


def shell(board, command):
    """Types a command at a prompt; what it says."""
    board.send(command + "\n")
    board.expect(re.escape(command) + r"\r*\n")
    before = len(board.text)
    board.expect(PROMPT)
    return board.text[before:-len("# ")].replace("\r", "")


def isolation_of(where):
    return "gstage" if where == VIRT_GSTAGE else "pmp"


def look_at_processors(board, where):
    cpus = shell(board, "cat /proc/cpuinfo")
    assert len(re.findall(r"^processor\s*:", cpus, re.M)) == 2
    (isa,) = set(re.findall(r"^isa\s*:\s*(\S+)", cpus, re.M))
    assert isa.startswith("rv64imafdc")
    assert "h" not in isa.split("_")[0][4:], "a guest has no hypervisor extension"
    # The timer comparator is the guest's where it works, and the kernel uses it then. It works in S-mode on virt.
    messages = shell(board, "dmesg | grep sstc")
    assert ("sstc" in isa.split("_")) == ("sstc" in messages)
    if where != VIRT_GSTAGE:
        assert ("sstc" in isa.split("_")) == (where == VIRT_PMP)
    timers = re.search(r"^ *\d+:\s+(\d+)\s+(\d+)\s.*riscv-timer", shell(board, "cat /proc/interrupts"), re.M)
    assert all(int(count) > 0 for count in timers.groups())


def look_at_firmware(board):
    """What the kernel found of SBI, and that it takes the counters to be as many as there are."""
    messages = shell(board, "dmesg | grep -iE 'sbi|pmu'")
    assert "SBI specification v3.0 detected" in messages
    for extension in ("TIME", "IPI", "RFENCE", "SRST", "DBCN"):
        assert f"SBI {extension} extension detected" in messages
    assert "riscv-pmu-sbi: SBI PMU extension is available" in messages
    assert "riscv-pmu-sbi: 16 firmware and 2 hardware counters" in messages


def look_at_entropy(board, where):
    """A board that has a seed for us gives its guests seeds of their own; what has none must not pretend."""
    early = "crng init done" in shell(board, "dmesg | sed '/Run .init/q'")
    assert early == (where != SIFIVE_U)


def test_a_shell_works_and_ends_the_board(images, boot, where):
    image = images.pack(manifest(linux(cmdline=SHELL, cpus=2)))
    board = boot(image, *where)
    board.expect("user space reached, 2 cpus")
    board.expect(PROMPT)
    assert shell(board, "echo $((6 * 7))").strip() == "42"
    look_at_processors(board, where)
    look_at_firmware(board)
    look_at_entropy(board, where)
    # The C library reads the time in user mode.
    assert shell(board, "date +%s").strip().isdigit()
    # Ctrl-C ends a program that would run for ever, and not the board.
    board.send("""sh -c "echo be''gun; exec sleep 1000000"\n""")
    board.expect("begun")  # said by what is to end, so it is there
    board.send("\x03")
    board.expect(PROMPT)
    assert shell(board, "echo $?").strip() == "130"
    # More than a buffer of the console holds.
    assert shell(board, "seq 500").split() == [str(n) for n in range(1, 501)]
    board.send("poweroff -f\n")
    log = log_lines(board.end(status=0))
    assert re.fullmatch(rf"diosix: \S+ on .+: \d+ harts, \d+ MiB RAM, isolation {isolation_of(where)}", log[0])
    assert re.fullmatch(r"diosix: image test 1\.0 verified, rollback 7, key [0-9a-f]{16}", log[1])
    assert all(re.fullmatch(r"diosix: memory: \d+ KiB free, \d+ KiB in capsules", log[n]) for n in (2, -2))
    assert log[3:-2] + log[-1:] == ["diosix: capsule linux: started", "diosix: capsule linux: stopped", ALL_STOPPED]


def test_a_guest_reboots(images, boot):
    board = boot(images.pack(manifest(linux(cmdline=SHELL, cpus=2))), *VIRT_PMP)
    board.expect(PROMPT)
    board.send("reboot -f\n")
    board.expect_line("diosix: capsule linux: restarted")
    board.expect("user space reached, 2 cpus")
    board.expect(PROMPT)
    board.send("poweroff -f\n")
    board.expect_line("diosix: capsule linux: stopped")
    board.end(status=0)


def test_two_guests_share_two_harts(images, boot):
    """Four vCPUs; lines are prefixed, input goes to the one in focus."""
    guests = [linux(name=name, cmdline=SHELL, cpus=2) for name in ("first", "second")]
    board = boot(images.pack(manifest(*guests)), *VIRT_GSTAGE, "--harts", "2")
    board.expect_all("[first] diosix-guest: user space reached, 2 cpus",
                     "[second] diosix-guest: user space reached, 2 cpus")
    board.send("\n\n")
    board.expect(r"\[first\] # ")
    board.send("echo I am $((1 + 0))\n")
    board.expect(r"\[first\] I am 1\r")
    board.send("\x1d?")
    board.expect(r"1 first \(in focus\)\r*\n")
    board.expect(r"2 second\r*\n")
    board.send("\x1d2\n")
    board.expect("input goes to second")
    board.expect(r"\[second\] # ")
    board.send("echo I am $((1 + 1))\n")
    board.expect(r"\[second\] I am 2\r")
    board.send("poweroff -f\n")
    board.expect_line("diosix: capsule second: stopped")
    board.send("\x1d1poweroff -f\n")
    board.expect_line("diosix: capsule first: stopped")
    board.expect_line(ALL_STOPPED)
    text = board.end(status=0)
    # From the first line of a guest on every line belongs to somebody.
    started = text.index("[first] ")
    strays = [line for line in text[started:].splitlines() if line and not re.match(r"\[(first|second)\] |diosix: ", line)]
    assert strays == []
