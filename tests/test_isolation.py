# SPDX-License-Identifier: MIT
"""Guests that reach for what is not theirs get the trap that the specification names, and the board goes on."""
from board import BUILD, ROOT, VIRT_GSTAGE, guest, manifest, need

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


def test_a_hart_is_shared_with_a_guest_that_never_gives_it_back(images, boot, where):
    image = images.pack(manifest(attack("hog-the-hart", priority="high"), attack("bystander", priority="low")))
    board = boot(image, "--harts", "1", *where)
    board.expect("bystander: goes on")
    board.send("\x1d2x")
    board.expect("bystander: undisturbed until the end")
    board.expect_line("diosix: capsule bystander: stopped")
    board.send("\x1d1x")
    board.expect_line("diosix: capsule hog-the-hart: stopped")
    board.end(status=0)


def test_a_crash_is_reported_and_others_go_on(images, boot, where):
    image = images.pack(manifest(attack("lose-its-handler"), attack("bystander")))
    board = boot(image, *where)
    board.expect_all("bystander: goes on", "ready: c crashes")
    board.send("c")
    board.expect(r"diosix: capsule lose-its-handler: vCPU 0 on hart \d+: its trap handler is not in its memory")
    board.expect(r"pc +0*8 .*mstatus [0-9a-f]{16}")
    board.expect(r"s11 +0{12}5eed\b")
    board.expect_line("diosix: capsule lose-its-handler: crashed: its trap handler is not in its memory")
    board.send("\x1d2x")
    board.expect("bystander: undisturbed until the end")
    board.expect_line("diosix: board: stopped after failure")
    board.end(status=1)


def test_a_guest_restarts_from_the_image_and_finds_nothing_of_its_last_life(images, boot, where):
    board = boot(images.pack(manifest(attack("lose-its-handler", restart="on-crash"))), *where)
    for key, reason in (("c", "its trap handler is not in its memory"), ("f", "it reported a system failure"), ("c", "")):
        board.expect("ready: c crashes")
        board.send(key)
        board.expect(f"diosix: capsule lose-its-handler: crashed: {reason}")
        board.expect_line("diosix: capsule lose-its-handler: restarted")
    board.expect("ready: c crashes")
    board.send("r")
    board.expect_line("diosix: capsule lose-its-handler: restarted")
    board.expect("ready: c crashes")
    board.send("q")
    board.expect("attack lose-its-handler: held")
    board.expect_line("diosix: capsule lose-its-handler: stopped")
    assert "BROKEN" not in board.end(status=0)


def test_a_guest_that_always_restarts_does_so_after_a_shutdown(images, boot):
    board = boot(images.pack(manifest(attack("lose-its-handler", restart="always"))), *VIRT_GSTAGE)
    for _ in range(3):
        board.expect("ready: c crashes")
        board.send("q")
        board.expect_line("diosix: capsule lose-its-handler: stopped")
        board.expect_line("diosix: capsule lose-its-handler: restarted")
