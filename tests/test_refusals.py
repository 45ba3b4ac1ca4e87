# SPDX-License-Identifier: MIT
"""
Images that must be refused, shown to the host's verifier and to boards: both say the same sentence, nothing is started,
and the status is 1.
"""
import concurrent.futures
import re
import subprocess

import pytest

from board import (BOARDS, BUILD, DMFS, FAILED, HYPERVISOR, LIMIT, VIRT_GSTAGE, VIRT_PMP, guest, linux, manifest, need)
from rewound import Rewound

ROLLBACK = 7


def verify(image, pub, *options):
    """The host's verdict: None or the sentence."""
    done = subprocess.run([DMFS, "verify", "--no-color", image, "--trust", pub, "--rollback", str(ROLLBACK), *options],
                          capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode in (0, 1), done.stderr
    if done.returncode == 0:
        return None
    # Where it is comes first: "'FILE' is refused: object 'kernel', chunk 1 of 2: SENTENCE".
    return re.search(r" is refused: (?:object '.*?, chunk \d+ of \d+: )?(.*)\n", done.stderr).group(1)


def run(image, pub, *options):
    """The board's verdict, from what a board says and how `dmfs run` ends: None or the sentence."""
    done = subprocess.run([DMFS, "run", "--quiet", "--no-color", image, "--timeout", str(LIMIT), *options]
                          + (["--trust", pub] if pub else []),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * LIMIT)
    lines = done.stdout.splitlines()
    refusals = [line.removeprefix("diosix: image refused: ") for line in lines if "image refused: " in line]
    if done.returncode == 0 and not refusals:
        return None
    assert done.returncode == 1 and len(refusals) == 1, done.stdout + done.stderr
    assert "started" not in done.stdout and lines[-1] == FAILED
    return refusals[0]


# --- forged images ---------------------------------------------------------------------------------


def test_the_host_refuses_every_forged_image(forged, images):
    assert len(forged) > 70
    for image, sentence in forged.items():
        verdict = verify(image, images.pub, "--board", "virt")
        assert verdict == (None if image.stem == "accepted" else sentence), image.name


@pytest.mark.alone
def test_boards_refuse_every_forged_image(forged, images):
    """Each on one of the boards in turn; two at a time."""
    boards = list(BOARDS.values())

    def show(number, image):
        return run(image, images.pub, "--rollback", str(ROLLBACK), *boards[number % len(boards)])

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(show, range(len(forged)), forged))
    for (image, sentence), verdict in zip(forged.items(), verdicts):
        assert verdict == (None if image.stem == "accepted" else sentence), image.name


# --- every byte of a small image -------------------------------------------------------------------


def variants(image):
    """Every byte changed, by one bit or another; every truncation; bytes behind the end."""
    for at in range(len(image)):
        yield f"byte {at}", image[:at] + bytes([image[at] ^ 1 << at % 8]) + image[at + 1:]
    for length in range(1, len(image)):
        yield f"length {length}", image[:length]
    for more in (1, 7, 8, 4096):
        yield f"{more} bytes more", image + bytes(more)


@pytest.mark.alone
def test_every_change_and_every_truncation_is_refused_by_host_and_board_alike(small, images, tmp_path):
    """
    Each one boots: the board is put back to its reset every time, which takes a fraction of starting QEMU (rewound.py). Two
    boards work on it, each with its own part.
    """
    image = small.read_bytes()
    assert verify(small, images.pub) is None
    work = list(variants(image))
    assert len(work) > 2000

    def part(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = folder / "changed.dmfs"
        board = Rewound(folder, small, images.pub, ROLLBACK)
        try:
            assert board.boot(image) is None
            for what, changed in work[number::2]:
                said = board.boot(changed)
                file.write_bytes(changed)
                assert said is not None and said == verify(file, images.pub), f"{what}: {said}"
            assert board.boot(image) is None
        finally:
            board.stop()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(part, range(2)))


# --- keys ------------------------------------------------------------------------------------------


def test_no_key_and_the_wrong_key(small, images, tmp_path):
    subprocess.run([DMFS, "keygen", "--quiet", tmp_path / "other"], check=True)
    other = tmp_path / "other.pub"
    assert verify(small, other) == run(small, other) is not None
    # As built, the hypervisor trusts nobody; `dmfs run` wants a key, so this is QEMU itself.
    done = subprocess.run(["qemu-system-riscv64", "-M", "virt", "-bios", "none", "-kernel", HYPERVISOR, "-initrd", small,
                           "-display", "none", "-serial", "stdio", "-monitor", "none"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 1
    assert "diosix: image refused: " in done.stdout and "started" not in done.stdout
    assert "trust" in done.stdout


def test_a_threshold_counts_keys(small, images, tmp_path):
    subprocess.run([DMFS, "keygen", "--quiet", tmp_path / "second"], check=True)
    second = str(tmp_path / "second.pub")
    both = ("--trust", second, "--threshold", "2")
    assert verify(small, images.pub, *both) == run(small, images.pub, *both) is not None
    signed = tmp_path / "signed.dmfs"
    signed.write_bytes(small.read_bytes())
    subprocess.run([DMFS, "sign", "--quiet", signed, "--key", tmp_path / "second.key"], check=True)
    assert verify(signed, images.pub, *both) is run(signed, images.pub, *both) is None


# --- what a board does not have --------------------------------------------------------------------


def test_more_memory_than_there_is(images):
    # All but what the hypervisor, its tables and the image itself take is there in one piece.
    image = images.pack(manifest(linux(memory="512M")))
    said = run(image, images.pub, "--memory", "256M", *VIRT_GSTAGE)
    assert re.fullmatch(r"capsule linux needs 512 MiB of memory in one piece, the board has 2\d\d MiB left", said)
    said = run(images.pack(manifest(linux(memory="1023G"))), images.pub, *VIRT_PMP)
    assert re.fullmatch(r"capsule linux needs 1047552 MiB of memory in one piece, the board has \d+ MiB left", said)


def test_a_hart_that_is_not_there(small, images):
    kernel = re.search(r"kernel: (.*)", small.with_suffix(".yaml").read_text()).group(1)
    image = images.pack(manifest(guest("pinned", kernel, affinity=[5])))
    assert run(image, images.pub, "--harts", "2") == "capsule pinned: its affinity names no hart of this board"
    assert run(image, images.pub, "--harts", "6") is None


def test_a_kernel_for_one_address_on_a_board_that_has_not_got_it(images):
    """Guest-physical is host-physical there, and at 0x80000000 is the hypervisor."""
    kernel = need(BUILD / "attacks/hog-the-hart.bin")
    image = images.pack(manifest(guest("fixed", f"{{file: {kernel}, load: 0x80200000}}")))
    assert "runs at one address" in run(image, images.pub, *VIRT_PMP)


def test_no_image_at_all(images, tmp_path):
    bundled = tmp_path / "diosix.elf"
    subprocess.run([DMFS, "bundle", "--quiet", HYPERVISOR, "-o", bundled, "--trust", images.pub], check=True)
    done = subprocess.run(["qemu-system-riscv64", "-M", "virt", "-bios", "none", "-kernel", bundled, "-display", "none",
                           "-serial", "stdio", "-monitor", "none"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=LIMIT)
    assert done.returncode == 1
    assert "diosix: image refused: there is none: the board's device tree has no linux,initrd-start" in done.stdout
