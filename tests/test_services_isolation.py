# SPDX-License-Identifier: MIT
"""Services that misuse the service ABI, with all permissions that there are; docs/threat-model.md lists what they try."""
import re

import pytest

from board import BUILD, ROOT, VIRT_GSTAGE, VIRT_PMP, guest, manifest, need

pytestmark = pytest.mark.alone

PERMISSIONS = re.findall(r"\tDMFS_PERM_(\w+),", (ROOT / "sdk/libdmfs/dmfs.h").read_text())


def all_but(*names):
    return f"[{', '.join(name.lower() for name in PERMISSIONS if name.lower() not in names)}]"


def raw(path):
    return f"{{file: {need(BUILD / path)}, load: 0x80200000, relocatable: true}}"


def test_random_calls_of_all_kinds_disturb_nobody(images, boot, where):
    program = raw("service-guests/call-at-random.bin")
    image = images.pack(manifest(
        guest("bystander", raw("attacks/bystander.bin")),
        # Nobody has the console and the log: so the log is printed all the time.
        guest("one", program, cpus=2, permissions=all_but("hv_log_read")),
        guest("two", program, cpus=2, permissions=all_but("service_console")),
        guest("victim", program, cmdline="victim", cpus=2, restart="always",
              permissions=all_but("service_console", "hv_log_read"))))
    board = boot(image, "--harts", "2", *where)
    for name in "one", "two":
        while not re.search(f"diosix: capsule {name}: (stopped|crashed)", board.text):
            board.expect(r"\n")
    assert not re.search("BROKEN|status [1-9]", board.text), board.tail()
    board.send("\x1d1x")
    board.expect("bystander: undisturbed until the end")
    board.expect_line("diosix: board: all capsules stopped")
    text = board.end(status=0)
    # The victim was ended while all that went on, more than once.
    assert len(re.findall("diosix: capsule victim: (?:re)?started", text)) > 10


@pytest.mark.parametrize("virt", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
@pytest.mark.parametrize("focus", ["flood", "lines"])
def test_a_flood_neither_loses_nor_delays_what_another_prints(images, boot, virt, focus):
    program = raw("service-guests/flood-the-console.bin")
    guests = {"flood": guest("flood", program, cmdline="flood"), "lines": guest("lines", program)}
    # Who comes first is in focus.
    board = boot(images.pack(manifest(guests.pop(focus), *guests.values())), "--harts", "2", *virt)
    board.expect_line("diosix: capsule lines: stopped")
    # One that is interrupted is shown once more, so whole ones count.
    lines = re.findall(r"\[lines\] this is line (\d+) of those that count\r", board.text)
    assert [int(n) for n in lines] == [*range(200)]
    assert not re.search(r"\[lines\] \.\.\. \d+ bytes lost", board.text)
    # The flood went on all the while, and goes on.
    first, last = (board.text.index(f"this is line {n} of those") for n in ("000", "199"))
    assert board.text.count("flood", first, last) > 10
    board.expect("flood flood")
    board.send("x" if focus == "flood" else "\x1d2x")
    board.expect("diosix: capsule flood: stopped")
    board.end(status=0)
