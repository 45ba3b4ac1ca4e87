# SPDX-License-Identifier: MIT
"""Each call of the service ABI, by its own table, is denied without its permission, and with it is not."""
import re

import pytest

from board import BUILD, ROOT, VIRT_GSTAGE, VIRT_PMP, guest, manifest, need

TABLE = re.findall(r"^\tX\((\d+), \w+, (\w+), (\w+)\)", (ROOT / "sdk/capsule/service_abi.h").read_text(), re.M)
CALLS = {name: (int(number), needs.lower()) for number, name, needs in TABLE}
PERMISSIONS = [line.lower() for line in re.findall(r"\tDMFS_PERM_(\w+),", (ROOT / "sdk/libdmfs/dmfs.h").read_text())]
ROLES = ["service_console", "service_storage", "service_network", "service_control"]

# Those of whose bits there are two: denied, and not there.
GUARDED = [name for name, (_, needs) in CALLS.items() if needs not in ("anybody", "role")]

# No board here has a second port.
NO_PORT = {"control_read", "control_write"}
# Where the bits of the guest's result are (tests/services/permissions.c).
ROLES_AT, ABSENT_AT = 36, 40


def test_the_table_is_read_whole():
    assert [number for number, _ in CALLS.values()] == list(range(33))
    assert len(PERMISSIONS) == 16
    assert {needs for _, needs in CALLS.values()} <= {*PERMISSIONS, "anybody", "role"}


@pytest.fixture(scope="module")
def matrix_image(images):
    program = f"{{file: {need(BUILD / 'service-guests/permissions.bin')}, load: 0x80200000, relocatable: true}}"
    guests = [guest("victim", program, cmdline="victim"), guest("nothing", program)]
    guests += [guest(f"only.{name}", program, permissions=f"[{name}]") for name in PERMISSIONS]
    return images.pack(manifest(*guests))


@pytest.mark.parametrize("virt", [VIRT_GSTAGE, VIRT_PMP], ids=["virt-gstage", "virt-pmp"])
def test_a_call_is_denied_without_its_permission_and_only_then(matrix_image, boot, virt):
    board = boot(matrix_image, "--memory", "160M", *virt)
    found = {}
    while len(found) < 1 + len(PERMISSIONS):
        board.expect(r"diosix: capsule (?:only\.)?([a-z_]+): crashed: it exited with status (-?\d+)[\r\n]")
        found[board.match.group(1)] = int(board.match.group(2)) & (1 << 64) - 1
    wrong = []
    for mine, result in found.items():
        for call, (number, needs) in CALLS.items():
            if call in ("exit", "register"):
                continue
            denied = result >> number & 1
            absent = call in GUARDED and result >> (ABSENT_AT + GUARDED.index(call)) & 1
            if denied != (needs not in ("anybody", mine)):
                wrong.append(f"{mine}: {call} is {'denied' if denied else 'not denied'}")
            if absent and not (call in NO_PORT and not denied):
                wrong.append(f"{mine}: {call} is not there, or denied at times")
        for at, role in enumerate(ROLES, ROLES_AT):
            if result >> at & 1 != (role != mine):
                wrong.append(f"{mine}: registering as {role}")
    assert not wrong, "\n".join(wrong)
