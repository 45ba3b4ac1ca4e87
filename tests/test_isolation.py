# SPDX-License-Identifier: MIT
"""Guests that reach for what is not theirs get the trap that the specification names, and the board goes on."""
import pytest

from board import BUILD, ROOT, VIRT_GSTAGE, VIRT_PMP, guest, manifest, need

# Guests that need somebody else to tell them when to end, or what to do.
DIRECTED = {"bystander", "hog-the-hart", "lose-its-handler"}
ATTACKS = sorted({path.stem for path in (ROOT / "tests/attacks").glob("*.c")} - DIRECTED - {"attack"})

# touch-foreign-memory.c walks over as much RAM.
MEMORY = ("--memory", "128M")


def attack(name, **more):
    program = need(BUILD / f"attacks/{name}.bin")
    return guest(name, f"{{file: {program}, load: 0x80200000, relocatable: true}}", **more)


# Guests with a second vCPU.
TWO = {"cpus": 2}
MORE = {"name-foreign-harts": TWO, "pass-bad-pointers": TWO}


def test_attacks_are_held_and_a_bystander_does_not_notice(images, boot, where):
    guests = [attack(name, **MORE.get(name, {})) for name in ATTACKS]
    board = boot(images.pack(manifest(attack("bystander"), *guests)), *MEMORY, *where)
    board.expect_all("bystander: goes on", *(f"capsule {name}: stopped" for name in ATTACKS))
    for name in ATTACKS:
        assert f"attack {name}: held" in board.text, board.tail()
    assert "BROKEN" not in board.text
    board.send("x")  # the bystander comes first in the manifest, so input is its own
    board.expect("bystander: undisturbed until the end")
    board.expect_line("diosix: board: all capsules stopped")
    assert "BROKEN" not in board.end(status=0)
