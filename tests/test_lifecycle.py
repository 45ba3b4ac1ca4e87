# SPDX-License-Identifier: MIT
"""Capsules that others start, stop, kill and restart, and what is left of the board then."""
import re

import pytest

from board import ALL_STOPPED, BUILD, FAILED, ROOT, SIFIVE_U, VIRT_GSTAGE, VIRT_PMP, guest, linux, manifest, need

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


@pytest.mark.parametrize("harts", ["1", "2"])
@MODES
def test_a_thousand_operations_on_others_leak_no_page(images, boot, mode, harts):
    guests = (program("services", "manage", permissions=MANAGES, priority="high"), program("services", "run-on", cpus=2),
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
