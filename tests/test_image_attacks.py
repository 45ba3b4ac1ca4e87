# SPDX-License-Identifier: MIT
"""
The attacks on images that the design lists (docs/threat-model.md), each shown refused by the host's verifier, as it ships
and under the sanitizers, and by a board. Most are images of tests/golden; what more there is to an attack is a function
with its name. "host" and "board" say where; an attack that is possible in one place only has no test in the other.
"""
import re
import subprocess

import pytest

from board import BUILD, DMFS, HYPERVISOR, LIMIT, ROOT, VIRT_GSTAGE, need
from debugger import A0, Debugger
from rewound import Rewound
from test_refusals import ROLLBACK, run, verify

ROWS = {
    "name_matched_loosely-CVE-2021-27138": ["name-matched-loosely", "name-twice"],
    "reads_out_of_bounds_while_verifying-CVE-2021-27097": [
        "object-name-out-of-bounds", "chunk-out-of-bounds", "kernel-of-another-type", "property-of-nobody",
        "truncated-in-header", "truncated-in-region", "truncated-in-signatures", "truncated-in-payload"],
    "signature_reused_on_a_cloned_configuration-CVE-2020-10648": ["signature-on-cloned-capsule"],
    "unsigned_list_of_what_is_covered-CVE-2026-46728": ["unsigned-list-of-what-is-signed", "signature-over-header-alone"],
    "mix_and_match_of_validly_signed_parts": ["mixed-payload", "mixed-signatures", "mixed-header", "mixed-chunk-table"],
    "rollback": ["rollback", "rollback-with-raised-index"],
    "protected_fields_from_an_unprotected_area-CVE-2024-32883": ["protected-field-in-signature-block", "sealed-keys"],
    "checked_then_replaced-CVE-2020-25860": [],
    "lengths_past_2_31_and_2_32-CVE-2026-34155": [
        "signed-len-past-2-31", "signed-len-past-2-32", "payload-len-past-2-31", "payload-len-past-2-32",
        "payload-len-that-wraps", "raw-len-past-2-31", "raw-len-past-2-32", "raw-len-that-wraps", "mem-len-that-wraps",
        "stored-len-past-2-31", "chunk-raw-len-past-2-31", "kernel-that-wraps"],
    "same_key_counted_twice-GMS-2022-4197": ["same-key-twice"],
    "threshold_0-GHSA-fphv-w9fq-2525": [],
    "flood_of_signatures-CVE-2020-6173": ["flood-of-signatures", "seventeen-signatures"],
    "gzip_headers-CVE-2022-37434": ["gzip-stream"],
    "stream_that_inflates_past_its_length": ["stream-past-its-length"],
    "path_escapes_on_extract-CVE-2021-40153": ["name-that-escapes", "name-of-the-folder-above", "name-from-the-root"],
}
MORE = {}


def more(row):
    """What is tried in one place besides the row's images: a function whose name begins with the place."""
    def keep(function):
        MORE[row, function.__name__.partition("_")[0]] = function
        return function
    return keep


class Scene:
    """What an attack needs: the forged images by name, each with its sentence, keys, and a folder."""

    def __init__(self, forged, images, folder):
        self.files = {path.stem: path for path in forged}
        self.sentences = {path.stem: sentence for path, sentence in forged.items()}
        self.images, self.folder = images, folder

    def dmfs(self, *arguments, program=DMFS, **more):
        return subprocess.run([program, *map(str, arguments)], cwd=self.folder, capture_output=True, timeout=LIMIT, **more)


@pytest.fixture
def scene(forged, images, tmp_path):
    return Scene(forged, images, tmp_path)


@pytest.fixture(scope="session")
def board(forged, images, tmp_path_factory):
    """A board that is reset for each image, and takes the valid one."""
    valid = next(path for path in forged if path.stem == "accepted")
    board = Rewound(tmp_path_factory.mktemp("board"), valid, images.pub, ROLLBACK)
    assert board.boot(valid.read_bytes()) is None
    yield board
    board.stop()


def attack_host(row, scene):
    for name in ROWS[row]:
        file, sentence = scene.files[name], scene.sentences[name]
        assert verify(file, scene.images.pub, "--board", "virt") == sentence, name
        for command in (["verify", file, "--board", "virt", "--rollback", ROLLBACK], ["extract", file, "-C", "out"]):
            done = scene.dmfs(*command, "--trust", scene.images.pub, program=need(BUILD / "asan/dmfs"))
            assert "Sanitizer" not in done.stderr.decode() and done.stdout == b""
            # Whoever extracts has not said what index is too low, nor named a board.
            assert done.returncode == 1 or (command[0] == "extract" and name == "rollback"), name


@pytest.mark.parametrize("row", ROWS)
def test_attack_on_the_host(row, scene):
    attack_host(row, scene)
    if (row, "host") in MORE:
        MORE[row, "host"](scene)
    assert ROWS[row] or (row, "host") in MORE


@pytest.mark.parametrize("row", ROWS)
def test_attack_on_the_board(row, scene, board):
    for name in ROWS[row]:
        assert board.boot(scene.files[name].read_bytes()) == scene.sentences[name], name
    if (row, "board") in MORE:
        MORE[row, "board"](scene)
    assert ROWS[row] or (row, "board") in MORE


def test_the_threat_model_lists_these_attacks():
    text = (ROOT / "docs/threat-model.md").read_text()
    section = text[text.index("## Images that attack"):]
    assert re.findall(r"^\| `([^`]+)`", section, re.M) == list(ROWS)


# --- what more there is to some ------------------------------------------------------------------------


@more("name_matched_loosely-CVE-2021-27138")
def host_names_are_compared_whole(scene):
    for name in ("kern", "kernel@1", "kernel ", "KERNEL", ""):
        assert scene.dmfs("extract", scene.files["accepted"], name, "-C", "out").returncode == 1, name
    assert not (scene.folder / "out").exists()


@more("checked_then_replaced-CVE-2020-25860")
def host_reads_an_image_once(scene):
    """From a pipe, which gives nothing a second time: what was verified is what is extracted."""
    image = scene.files["accepted"].read_bytes()
    done = scene.dmfs("extract", "-", "--trust", scene.images.pub, "-C", "out", input=image)
    assert done.returncode == 0 and (scene.folder / "out/file").read_bytes() == b"a file\n"


@more("checked_then_replaced-CVE-2020-25860")
def board_uses_the_copy_that_it_verified(scene):
    """An older image, validly signed, is put where the image came in, between the board's copying it and its verifying that."""
    older = scene.files["rollback"].read_bytes()
    at = Debugger(scene.folder, scene.files["accepted"], scene.images.pub, (*VIRT_GSTAGE, "--harts", "1"), ())
    try:
        at.stop_at("dmfs_read_extent", "dmfs_open_verified")
        assert at.go()[0] == "dmfs_read_extent"
        original = at.register(A0)
        at.step(1)
        assert at.go()[0] == "dmfs_open_verified"
        copy = at.register(A0 + 1)
        assert abs(copy - original) >= len(older)
        assert at.ask(f"m{copy:x},20") == scene.files["accepted"].read_bytes()[:32].hex()
        for offset in range(0, len(older), 1024):
            part = older[offset:offset + 1024]
            assert at.ask(f"M{original + offset:x},{len(part):x}:{part.hex()}") == "OK"
        assert at.ask("D") == "OK"  # and it goes on
        text = at.board.end(status=0)
    finally:
        at.stop()
    assert f"diosix: image forge 1.0 verified, rollback {ROLLBACK}, " in text


def with_trust(scene, count, threshold, keys):
    """A hypervisor whose trust section says what no `dmfs` would write."""
    file = scene.folder / "trusting.elf"
    assert scene.dmfs("bundle", HYPERVISOR, "-o", file, "--trust", scene.images.pub).returncode == 0
    elf = bytearray(file.read_bytes())
    at = elf.index(b"DIOSIX TRUST V3\0") + 16
    elf[at:at + 16 + 32 * len(keys)] = (count.to_bytes(4, "little") + threshold.to_bytes(4, "little") + bytes(8)
                                        + b"".join(keys))
    file.write_bytes(elf)
    done = subprocess.run(["qemu-system-riscv64", "-M", "virt", "-bios", "none", "-kernel", file, "-initrd",
                           scene.files["accepted"], "-display", "none", "-serial", "stdio", "-monitor", "none"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 1 and "started" not in done.stdout
    return re.search(r"^diosix: image refused: (.*?)\r?$", done.stdout, re.M).group(1)


def public_key(scene):
    return bytes.fromhex(scene.images.pub.read_text().split()[1])


@more("same_key_counted_twice-GMS-2022-4197")
def host_takes_no_key_twice(scene):
    pub = scene.images.pub
    done = scene.dmfs("verify", scene.files["accepted"], "--trust", pub, "--trust", pub, "--threshold", 2)
    assert done.returncode == 2 and b"are the same key" in done.stderr
    assert scene.dmfs("sign", scene.files["accepted"], "--key", scene.images.key, "-o", "twice").returncode == 1
    assert not (scene.folder / "twice").exists()


@more("same_key_counted_twice-GMS-2022-4197")
def board_takes_no_anchor_twice(scene):
    assert with_trust(scene, 2, 2, [public_key(scene)] * 2) == "the same key occurs twice"


THRESHOLD = "the number of signatures demanded is 0 or above that of trusted keys"


@more("threshold_0-GHSA-fphv-w9fq-2525")
def host_demands_at_least_one_signature(scene):
    for command in (["verify", scene.files["unsigned"]], ["bundle", HYPERVISOR, "-o", "out"], ["run", scene.files["unsigned"]],
                    ["extract", scene.files["unsigned"]], ["inspect", scene.files["unsigned"]]):
        done = scene.dmfs(*command, "--trust", scene.images.pub, "--threshold", 0)
        assert done.returncode == 2 and b"--threshold has to be a number from 1 to 1" in done.stderr, command
    assert not (scene.folder / "out").exists()


@more("threshold_0-GHSA-fphv-w9fq-2525")
def board_demands_at_least_one_signature(scene):
    assert with_trust(scene, 1, 0, [public_key(scene)]) == THRESHOLD
    assert with_trust(scene, 1, 2, [public_key(scene)]) == THRESHOLD
    assert run(scene.files["unsigned"], scene.images.pub) == "the image is not signed"


@more("path_escapes_on_extract-CVE-2021-40153")
def host_extracts_into_the_folder_alone(scene):
    """Without --trust too, where anybody may have made the image; and past links that lie in wait."""
    (scene.folder / "out").mkdir()
    for name in ROWS["path_escapes_on_extract-CVE-2021-40153"]:
        assert scene.dmfs("extract", scene.files[name], "-C", "out").returncode == 1, name
    outside = scene.folder / "outside"
    outside.write_bytes(b"mine")
    (scene.folder / "out/file").symlink_to(outside)
    (scene.folder / "out/kernel").symlink_to(scene.folder / "dangling")
    assert scene.dmfs("extract", scene.files["accepted"], "file", "-C", "out").returncode == 3
    assert scene.dmfs("extract", scene.files["accepted"], "kernel", "-C", "out").returncode == 3
    assert outside.read_bytes() == b"mine" and not (scene.folder / "dangling").exists()
    assert sorted(path.name for path in scene.folder.iterdir()) == ["out", "outside"]
