# SPDX-License-Identifier: MIT
"""
Guests that reach for what is not theirs get the trap or the error that the specifications name, and the board goes on.

docs/threat-model.md has the list of attacks, with the guest that tries each; tests/attacks/ has the guests.
"""
import json
import socket
import subprocess

import pytest

from board import BUILD, FAILED, HYPERVISOR, LIMIT, ROOT, VIRT_GSTAGE, VIRT_PMP, guest, log_lines, manifest, need

# Guests that need somebody else to tell them when to end, or what to do, or that crash.
DIRECTED = {"bystander", "hog-the-hart", "lose-its-handler", "root-tables-elsewhere", "reset-each-other",
            "storm-the-hypervisor", "demand-its-share"}
ATTACKS = sorted({path.stem for path in (ROOT / "tests/attacks").glob("*.c")} - DIRECTED - {"attack"})

# touch-foreign-memory.c walks over as much RAM.
MEMORY = ("--memory", "128M")
MIB = 1 << 20

VIRT = pytest.mark.parametrize("virt", [VIRT_GSTAGE, VIRT_PMP], ids=["virt-gstage", "virt-pmp"])


def attack(name, program=None, **more):
    program = need(BUILD / f"attacks/{program or name}.bin")
    return guest(name, f"{{file: {program}, load: 0x80200000, relocatable: true}}", **more)


# Guests with more than one vCPU.
TWO = {"cpus": 2}
MORE = {"name-foreign-harts": TWO, "pass-bad-pointers": TWO, "stop-and-start-each-other": TWO,
        "change-tables-under-the-walk": TWO}


@pytest.mark.alone
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


ROOTS = ("hypervisor", "before", "behind", "timer", "console", "interrupts", "nowhere")


def test_page_tables_whose_root_is_not_in_its_memory_crash_the_guest_alone(images, boot, where):
    guests = [attack(f"root-{root}", "root-tables-elsewhere", cmdline=root) for root in ROOTS]
    board = boot(images.pack(manifest(attack("bystander"), *guests)), *where)
    board.expect_all("bystander: goes on",
                     *(f"diosix: capsule root-{root}: crashed: its trap handler is not in its memory" for root in ROOTS))
    board.send("x")
    board.expect("bystander: undisturbed until the end")
    board.expect_line(FAILED)
    text = board.end(status=1)
    assert "BROKEN" not in text
    # A crash says once what happened, however often the guest would trap.
    assert len(log_lines(text)) < 20 + 4 * len(ROOTS)


@pytest.mark.alone
def test_vcpus_that_start_stop_and_reset_each_other_disturb_nobody(images, boot, where):
    image = images.pack(manifest(
        attack("bystander"), attack("reset-each-other", cpus=2),
        attack("two", "stop-and-start-each-other", cpus=2),
        attack("four", "stop-and-start-each-other", cpus=4, cmdline="four")))
    board = boot(image, "--harts", "2", *where)
    board.expect_all("bystander: goes on", "diosix: capsule two: stopped", "diosix: capsule four: stopped")
    for _ in range(3):
        board.expect_line("diosix: capsule reset-each-other: restarted")
    board.send("\x1d2q")
    board.expect("attack reset-each-other: held")
    board.expect_line("diosix: capsule reset-each-other: stopped")
    board.send("\x1d1x")
    board.expect("bystander: undisturbed until the end")
    text = board.end(status=0)
    assert text.count("attack stop-and-start-each-other: held") == 2
    assert "BROKEN" not in text


@VIRT
def test_a_storm_takes_from_nobody_more_than_its_share(images, boot, virt):
    image = images.pack(manifest(attack("demand-its-share"), attack("storm-the-hypervisor")))
    # Counted in instructions, not in the time of this machine.
    board = boot(image, "--harts", "1", *virt, qemu=("-icount", "shift=0,sleep=off"))
    board.expect("attack demand-its-share: (held|BROKEN[^\r\n]*)")
    assert board.match.group(1) == "held", board.tail()


# No share here: where instructions are counted, QEMU lets one hart wait for another until its turn is over.
@pytest.mark.alone
def test_a_storm_of_two_vcpus_against_each_other_ends_and_disturbs_nobody(images, boot, where):
    image = images.pack(manifest(attack("bystander"), attack("storm-the-hypervisor", cpus=2, cmdline="two")))
    board = boot(image, "--harts", "2", *where)
    board.expect("bystander: goes on")
    board.expect("attack storm-the-hypervisor: held")
    board.expect_line("diosix: capsule storm-the-hypervisor: stopped")
    board.send("x")
    board.expect("bystander: undisturbed until the end")
    assert "BROKEN" not in board.end(status=0)


# --- what is not the attackers' stays as it is ------------------------------------------------------

class Monitor:
    """QEMU's own view of the board."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rw")
        self.lines.readline()
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        self.lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            message = json.loads(self.lines.readline())
            assert "error" not in message, message
            if "return" in message:
                return

    def ram(self, base, size, path):
        self.command("stop")
        self.command("pmemsave", val=base, size=size, filename=str(path))
        self.command("cont")
        data = path.read_bytes()
        path.unlink()
        assert len(data) == size
        return data


def hypervisor_symbols(*names):
    out = subprocess.run(["riscv64-unknown-elf-nm", HYPERVISOR], check=True, capture_output=True, text=True).stdout
    values = {line.split()[2]: int(line.split()[0], 16) for line in out.splitlines() if len(line.split()) == 3}
    return [values[name] for name in names]


def changed_pages(before, after):
    return [at for at in range(0, len(before), 4096) if before[at:at + 4096] != after[at:at + 4096]]


# As many as have a digit of their own, less the one that is stopped.
ON_MEMORY = ("touch-foreign-memory", "map-foreign-memory", "pass-bad-pointers", "pass-random-arguments",
             "execute-random-words", "touch-privileged-registers", "run-privileged-instructions", "misuse-devices")


def ram_of(name, memory):
    """Where a guest's RAM is in the board's: it is loaded 2 MiB above its beginning."""
    image = need(BUILD / f"attacks/{name}.bin").read_bytes()[:256]
    (ram,) = [at for at in range(2 * MIB, len(memory) - 2 * MIB, 2 * MIB) if memory.startswith(image, at + 2 * MIB)]
    return ram


@VIRT
@pytest.mark.alone
def test_memory_outside_the_attackers_is_the_same_before_and_after(images, boot, virt, tmp_path):
    base, size = 0x80000000, 128 * MIB
    guests = [attack(name, cmdline="wait", **MORE.get(name, {})) for name in ON_MEMORY]
    path = tmp_path / "monitor"
    board = boot(images.pack(manifest(attack("lose-its-handler"), *guests)), *MEMORY, *virt,
                 qemu=("-qmp", f"unix:{path},server=on,wait=off"))
    board.expect_all("ready: c crashes", *(f"{name} waits" for name in ON_MEMORY))
    monitor = Monitor(path)
    before = monitor.ram(base, size, tmp_path / "before")
    freed = ram_of("lose-its-handler", before)
    board.send("q")
    board.expect_line("diosix: capsule lose-its-handler: stopped")
    while before[freed:freed + 4 * MIB].strip(b"\0"):  # it is scrubbed, and free then
        before = monitor.ram(base, size, tmp_path / "before")
    for digit, name in enumerate(ON_MEMORY, 2):
        board.send(f"\x1d{digit}x")
        board.expect(f"attack {name}: (held|BROKEN)")
        assert board.match.group(1) == "held", board.tail()
    after = monitor.ram(base, size, tmp_path / "after")
    # Guests' RAM is behind the first 2 MiB, where the hypervisor and all that it allocates for itself lie.
    changes = set(changed_pages(before, after))
    for name in ON_MEMORY:
        ram = ram_of(name, before)
        assert changes & set(range(ram, ram + 4 * MIB, 4096)), "it has not run at all"
        changes -= set(range(ram, ram + 4 * MIB, 4096))
    assert [hex(base + at) for at in sorted(changes) if at >= 2 * MIB] == []
    text, data = hypervisor_symbols("__text_start", "__rela_start")
    assert text == base and before[:data - text] == after[:data - text]
    for digit in range(2, 2 + len(ON_MEMORY)):
        board.send(f"\x1d{digit}x")
    board.end(status=0)
