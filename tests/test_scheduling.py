# SPDX-License-Identifier: MIT
"""Many capsules on few harts: their shares, their lives, and what is left of the board when they have ended."""
import re

import pytest

from board import ALL_STOPPED, BUILD, FAILED, ROOT, VIRT_GSTAGE, VIRT_PMP, guest, linux, manifest, need

# Time is counted in instructions, and jumps to the next timer when all sleep: shares do not depend on the machine.
ICOUNT = ("-icount", "shift=0,sleep=off")
MODES = pytest.mark.parametrize("mode", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
HELLO = ROOT / "examples/hello/hello.elf"


def program(kind, name=None, **more):
    path = need(BUILD / f"scheduling/{kind}.bin")
    return guest(name or kind, f"{{file: {path}, load: 0x80200000, relocatable: true}}", **more)


def shares(board, names):
    """What each has had of the hart, in percent."""
    return {name: int(re.search(rf"\[{name}\] share (\d+)", board.text).group(1)) / 100 for name in names}


def run_to_end(board):
    board.expect_line(ALL_STOPPED)
    return board.end(status=0)


@MODES
def test_a_limit_holds_and_the_rest_is_for_the_others(images, boot, mode):
    guests = program("work", "quarter", cpu_limit="25%"), program("work", "free", priority="low")
    board = boot(images.pack(manifest(*guests)), "--harts", "1", *mode, qemu=ICOUNT)
    run_to_end(board)
    had = shares(board, ("quarter", "free"))
    assert had["quarter"] == pytest.approx(25, abs=1)
    assert had["free"] == pytest.approx(75, abs=2)


@MODES
def test_equals_get_equal_shares(images, boot, mode):
    names = ("one", "two", "three", "four")
    board = boot(images.pack(manifest(*(program("work", name) for name in names))), "--harts", "1", *mode, qemu=ICOUNT)
    run_to_end(board)
    assert all(share == pytest.approx(25, abs=1.5) for share in shares(board, names).values())


@MODES
def test_sixty_four_guests_on_one_hart(images, boot, mode):
    names = [f"hello-{n}" for n in range(64)]
    kernel = f"{{file: {need(HELLO)}, relocatable: true}}"
    board = boot(images.pack(manifest(*(guest(name, kernel) for name in names))), "--harts", "1", *mode)
    text = run_to_end(board)
    for name in names:
        assert f"diosix: capsule {name}: stopped" in text
        assert f"[{name}] Hello from hart 0" in text


@MODES
@pytest.mark.alone
def test_eight_linux_guests_with_twelve_vcpus_on_two_harts(images, boot, mode):
    guests = [linux(f"linux-{n}", cpus=2 if n < 4 else 1) for n in range(8)]
    board = boot(images.pack(manifest(*guests)), "--harts", "2", "--memory", "2G", *mode)
    text = run_to_end(board)
    for n in range(8):
        assert f"user space reached, {2 if n < 4 else 1} cpus" in text
        assert f"diosix: capsule linux-{n}: stopped" in text


def memory(text):
    """Free memory and that in capsules, in KiB, as the log states them at the start and at the end."""
    found = re.findall(r"diosix: memory: (\d+) KiB free, (\d+) KiB in capsules", text)
    assert len(found) == 2
    return [tuple(map(int, pair)) for pair in found]


@MODES
def test_a_thousand_restarts_leak_no_page(images, boot, mode):
    board = boot(images.pack(manifest(program("die"))), "--harts", "1", *mode, qemu=ICOUNT)
    for _ in range(1000):
        board.expect_line("diosix: capsule die: restarted")
    board.send("q")
    text = run_to_end(board)
    assert "BROKEN" not in text
    (free, owned), (free_at_end, owned_at_end) = memory(text)
    assert free + owned == free_at_end + owned_at_end
    # What is left is the record of the capsule, a few pages; its memory is free.
    assert owned - owned_at_end >= 4096 and owned_at_end < 64


@MODES
def test_a_guest_that_dies_at_once_is_restarted_later_and_later_and_then_no_more(images, boot, mode):
    guests = program("die-at-once", "mortal", restart="on-crash", restart_limit=5), program("work")
    board = boot(images.pack(manifest(*guests)), "--harts", "1", *mode, qemu=ICOUNT)
    board.expect_line("diosix: capsule mortal: crashed: 5 restarts in a row did not last 10 s, no more are tried")
    board.expect_line(FAILED)
    text = board.end(status=1)
    assert re.findall(r"capsule mortal: restarts in (\d+) ms", text) == ["100", "200", "400", "800"]
    assert text.count("diosix: capsule mortal: restarted") == 5
    assert shares(board, ["work"])["work"] > 98


def test_a_guest_restarts_at_once_when_it_has_lived_long_enough(images, boot):
    board = boot(images.pack(manifest(program("die", restart_limit=2))), *VIRT_GSTAGE, "--harts", "1", qemu=ICOUNT)
    for _ in range(5):
        board.expect_line("diosix: capsule die: restarted")
    board.send("q")
    assert "restarts in" not in run_to_end(board)
