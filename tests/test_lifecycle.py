# SPDX-License-Identifier: MIT
"""Capsules that others start, stop, kill and restart, and what is left of the board then."""
import re

import pytest

from board import ALL_STOPPED, BUILD, FAILED, ROOT, VIRT_GSTAGE, VIRT_PMP, guest, linux, manifest, need

MODES = pytest.mark.parametrize("mode", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
MANAGES = "[capsule_list, capsule_start, capsule_stop, capsule_restart]"


def program(folder, kind, **more):
    path = need(BUILD / f"{folder}/{kind}.bin")
    return guest(kind, f"{{file: {path}, load: 0x80200000, relocatable: true}}", **more)


def memory(text):
    """The sum of free memory and that in capsules, in KiB, at the start and at the end."""
    found = re.findall(r"diosix: memory: (\d+) KiB free, (\d+) KiB in capsules", text)
    assert len(found) == 2
    return [sum(map(int, pair)) for pair in found]


@pytest.mark.parametrize("harts", ["1", pytest.param("2", marks=pytest.mark.alone)])
@MODES
def test_a_thousand_operations_on_others_leak_no_page(images, boot, mode, harts):
    guests = (program("service-guests", "manage", permissions=MANAGES, priority="high"), program("service-guests", "run-on", cpus=2),
              program("scheduling", "die-at-once", restart="on-crash", restart_limit=0),
              program("scheduling", "die", restart="always"))
    board = boot(images.pack(manifest(*guests)), "--harts", harts, *mode)
    board.expect_line(ALL_STOPPED)
    text = board.end(status=0)
    assert "BROKEN" not in text
    assert "[manage] attack manage: held" in text
    for name in ("run-on", "die-at-once", "die"):
        for event in ("started", "restarted", "stopped"):
            assert text.count(f"diosix: capsule {name}: {event}") > 10
    at_first, at_last = memory(text)
    assert at_first == at_last


def service(kind, permissions):
    path = need(BUILD / f"service-guests/{kind}.bin")
    return "\n".join(["services:", f"  - name: {kind}", f"    program: {{file: {path}, load: 0x80200000, relocatable: true}}",
                      "    memory: 4M", f"    permissions: {permissions}"])


def tell(board, key):
    """Types a key for the service, which is the second capsule, and waits until it is done."""
    board.send("\x1d2" + key + "\x1d1")
    board.expect(r"done\r*\n")


@pytest.mark.alone
def test_linux_powers_off_when_it_is_asked_and_can_be_started_again(images, boot, where):
    """A break and a key of SysRq, three times. The board stays on as somebody is there who can start it again."""
    rights = "[capsule_list, capsule_start, capsule_stop, hv_log_read]"
    board = boot(images.pack(manifest(linux(cmdline="console=ttyS0"), service("stop-and-start", rights))), *where)
    prompt = r"\[linux\] # "
    board.expect(prompt)
    tell(board, "s")
    for message in ("Emergency Sync", "Emergency Remount R/O", "Power Off"):
        assert board.text.count(f"sysrq: {message}") == 1
    board.send("\x1d2L")
    board.expect(r"last: diosix: capsule linux: stopped\r*\n")
    tell(board, "S")
    board.expect(prompt)
    tell(board, "k")
    board.send("\x1d2i")
    board.expect_line(ALL_STOPPED)
    text = board.end(status=0)
    assert text.count("diosix: capsule linux: started") == text.count("diosix: capsule linux: stopped") - 1 == 2
    assert "BROKEN" not in text
    at_first, at_last = memory(text)
    assert at_first == at_last


def test_a_service_that_may_start_nobody_does_not_keep_the_board(images, boot, where):
    """The guest ends by itself, and the board with it, although a service runs; on sifive_u by what the log says."""
    hello = f"{{file: {need(ROOT / 'examples/hello/hello.elf')}, relocatable: true}}"
    board = boot(images.pack(manifest(guest("hello", hello), service("run-on", "[]"))), *where)
    board.expect_line(ALL_STOPPED)
    assert "diosix: capsule run-on: stopped" not in board.end(status=0)


def test_a_guest_that_crashes_fails_the_board_although_a_service_runs(images, boot, where):
    board = boot(images.pack(manifest(program("scheduling", "die-at-once"), service("run-on", "[]"))), *where)
    board.expect_line(FAILED)
    board.end(status=1)
