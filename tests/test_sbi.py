# SPDX-License-Identifier: MIT
"""SBI as guests see it: tests/conformance runs in a capsule, and says of each extension whether it is as specified."""
import re

import pytest

from board import BUILD, guest, manifest, need

TOPICS = {"base", "time", "ipi", "rfence", "hsm", "dbcn", "pmu", "susp", "fwft", "sse", "legacy"}


def checks(cpus):
    program = need(BUILD / "conformance/sbi.bin")
    return guest("sbi", f"{{file: {program}, load: 0x80200000, relocatable: true}}", cpus=cpus)


@pytest.mark.parametrize("cpus", (1, 2, 4))
@pytest.mark.alone
def test_every_extension_is_as_specified(images, boot, where, cpus):
    board = boot(images.pack(manifest(checks(cpus))), *where)
    board.expect_line("sbi: end")
    said = board.end(status=0)
    assert "WRONG" not in said, said
    assert set(re.findall(r"^sbi: (\w+): ok\r*$", said, re.M)) == TOPICS
    assert re.search(r"^dbcn: one line across two pages\r*$", said, re.M)


def test_a_vcpus_counters_count_its_own_time_alone(images, boot, where):
    """With instructions for a clock, and two vCPUs on one hart, one asleep while the other runs."""
    board = boot(images.pack(manifest(checks(2))), "--harts", "1", *where, qemu=("-icount", "shift=0,sleep=off"))
    board.expect_line("sbi: own time was checked")
    board.expect_line("sbi: end")
    assert "WRONG" not in board.end(status=0)
