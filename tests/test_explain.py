# SPDX-License-Identifier: MIT
"""`dmfs explain` says before booting what boards say then."""
import json
import subprocess

import pytest

from board import BOARDS, BUILD, DMFS, LIMIT, SIFIVE_U, VIRT_GSTAGE, VIRT_PMP, guest, manifest, need

SHUTDOWN = "a1480145730000007300000001a0"  # li a7, 8; li a0, 0; ecall, ...; j .


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    path = tmp_path_factory.mktemp("kernel") / "shutdown.bin"
    path.write_bytes(bytes.fromhex(SHUTDOWN))
    return f"{{file: {path}, load: 0x80200000, relocatable: true}}"


def explained(image, pub, *options):
    """The checks that fail."""
    done = subprocess.run([DMFS, "explain", image, "--trust", pub, "--json", *options], capture_output=True, text=True,
                          timeout=LIMIT)
    case = json.loads(done.stdout)
    assert done.returncode == (0 if case["starts"] else 1) and case["starts"] == all(c["good"] for c in case["checks"])
    return [check for check in case["checks"] if not check["good"]]


def starts(image, pub, *options):
    """Whether a board starts it; the board's words."""
    done = subprocess.run([DMFS, "run", "--quiet", "--no-color", image, "--trust", pub, "--timeout", str(LIMIT), *options],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * LIMIT)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert (done.returncode == 1) == ("image refused: " in done.stdout), done.stdout
    return done.returncode == 0, done.stdout


def check(image, images, expected, *options):
    bad = explained(image, images.pub, *options)
    assert [check["check"] for check in bad] == expected, bad
    started, said = starts(image, images.pub, *options)
    assert started == (not expected), said


@pytest.mark.parametrize("memory, expected", [("120M", []), ("124M", []), ("126M", ["memory"])])
def test_memory_to_the_last_unit(images, kernel, where, memory, expected):
    check(images.pack(manifest(guest("one", kernel, memory))), images, expected, *where, "--memory", "128M")


def test_memory_of_many_capsules_and_vcpus(images, kernel, where):
    fits = manifest(*(guest(f"g{i}", kernel, "24M", cpus=16) for i in range(5)))
    check(images.pack(fits), images, [], *where, "--memory", "128M")
    check(images.pack(fits.replace("24M", "26M")), images, ["memory"], *where, "--memory", "128M")


@pytest.mark.parametrize("options, harts, expected", [
    (VIRT_GSTAGE, [1], []), (VIRT_GSTAGE, [2], ["harts"]), ((*VIRT_GSTAGE, "--harts", "3"), [2, 9], []),
    (SIFIVE_U, [0], ["harts"]), (SIFIVE_U, [4], []), ((*SIFIVE_U, "--harts", "2"), [3], ["harts"]),
])
def test_affinity(images, kernel, options, harts, expected):
    check(images.pack(manifest(guest("one", kernel, affinity=harts))), images, expected, *options)


@pytest.mark.parametrize("options, expected", [(VIRT_GSTAGE, []), (VIRT_PMP, ["address"]), (SIFIVE_U, ["address"])])
def test_kernel_for_one_address(images, kernel, options, expected):
    check(images.pack(manifest(guest("one", kernel.replace("true", "false")))), images, expected, *options)


@pytest.mark.parametrize("image, more, expected", [
    ("{name: t, rollback: 7, boards: [virt]}", ["--rollback", "7"], []),
    ("{name: t, rollback: 7, boards: [virt]}", ["--rollback", "8"], ["rollback"]),
    ("{name: t, boards: [nezha]}", [], ["board"]),
    ("{name: t}", ["--threshold", "1"], []),
])
def test_what_the_image_says_of_boards(images, kernel, image, more, expected):
    check(images.pack(manifest(guest("one", kernel), image=image)), images, expected, *VIRT_GSTAGE, *more)


@pytest.mark.parametrize("board, hart, options", [("virt", 0, VIRT_GSTAGE), ("sifive_u", 1, SIFIVE_U)])
def test_board_that_its_device_tree_describes(images, kernel, board, hart, options):
    """The tree of the very board that then starts it; QEMU's tree has the memory that QEMU was given."""
    tree = need(BUILD / f"dtb/{board}.dtb")
    for memory, affinity, expected in [("4M", [hart], []), ("4M", [9], ["harts"]), ("200G", [hart], ["memory"])]:
        image = images.pack(manifest(guest("one", kernel, memory, affinity=affinity)))
        bad = explained(image, images.pub, "--board", tree)
        assert [check["check"] for check in bad] == expected, bad
    fixed = images.pack(manifest(guest("one", kernel.replace("true", "false"))))
    bad = explained(fixed, images.pub, "--board", tree)
    assert [check["check"] for check in bad] == ([] if board == "virt" else ["address"])
    assert starts(fixed, images.pub, *options)[0] == (not bad)
    here, elsewhere = (images.pack(manifest(guest("one", kernel), image=f"{{name: t, boards: [{name}]}}"))
                       for name in (board, "nezha"))
    assert explained(here, images.pub, "--board", tree) == []
    assert [check["check"] for check in explained(elsewhere, images.pub, "--board", tree)] == ["board"]


@pytest.mark.parametrize("board, entries", [("virt", 16), ("unleashed", 8), ("nezha", None)])
def test_pmp_entries_where_they_are_known(images, kernel, board, entries):
    image = images.pack(manifest(guest("one", kernel)))
    done = subprocess.run([DMFS, "explain", image, "--trust", images.pub, "--board", board, "--json"],
                          capture_output=True, text=True, timeout=LIMIT, check=True)
    said = [check["text"] for check in json.loads(done.stdout)["checks"] if check["check"] == "pmp"]
    assert said == ([] if entries is None else [f"each hart has {entries} PMP entries; {5 if board == 'virt' else 3} are needed"])


def test_device_tree_that_cannot_be_used(images, kernel, tmp_path):
    image = images.pack(manifest(guest("one", kernel)))
    (tmp_path / "bad.dtb").write_bytes(b"none")
    for name, status in [("bad.dtb", 1), ("missing.dtb", 1), ("nezah", 2)]:
        done = subprocess.run([DMFS, "explain", image, "--trust", images.pub, "--board", name], cwd=tmp_path,
                              capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == status and done.stdout == "" and name in done.stderr, done.stderr


def test_explain_finds_what_is_wrong_with_every_forged_image(images, forged):
    assert len(forged) > 70
    for image, sentence in forged.items():
        bad = explained(image, images.pub, "--board", "virt", "--rollback", "7")
        if sentence == "no error":
            assert bad == []
        else:
            assert bad and any(sentence in check["text"] for check in bad), (image, sentence, bad)
            assert all(check["advice"] for check in bad)


def test_no_forged_image_upsets_what_looks_into_it(forged, tmp_path):
    """Under the sanitizers; refused or shown, nothing else."""
    for image in sorted(forged):
        for command in [("inspect", "--html", tmp_path / "page.html"), ("inspect",), ("sbom",), ("diff", image)]:
            done = subprocess.run([need(BUILD / "asan/dmfs"), command[0], image, *command[1:]], capture_output=True, timeout=LIMIT)
            assert done.returncode in (0, 1) and b"Sanitizer" not in done.stderr, (command, image, done.stderr)


def test_boards_that_are_booted_here_are_known():
    for options in BOARDS.values():
        done = subprocess.run([DMFS, "explain", "none", "--trust", "none", *options], capture_output=True, text=True)
        assert "nothing is known" not in done.stderr
