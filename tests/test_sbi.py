# SPDX-License-Identifier: MIT
"""SBI as guests see it: tests/conformance runs in a capsule, and says of each extension whether it is as specified."""
import re

import pytest

from board import BUILD, guest, manifest, need

TOPICS = {"base", "time", "ipi", "rfence", "hsm", "dbcn", "pmu", "susp", "fwft", "legacy"}


def checks(cpus):
    program = need(BUILD / "conformance/sbi.bin")
    return guest("sbi", f"{{file: {program}, load: 0x80200000, relocatable: true}}", cpus=cpus)


@pytest.mark.parametrize("cpus", (1, 2, 4))
def test_every_extension_is_as_specified(images, boot, where, cpus):
    board = boot(images.pack(manifest(checks(cpus))), *where)
    board.expect_line("sbi: end")
    said = board.end(status=0)
    assert "WRONG" not in said, said
    assert set(re.findall(r"^sbi: (\w+): ok\r*$", said, re.M)) == TOPICS
    assert re.search(r"^dbcn: one line across two pages\r*$", said, re.M)
