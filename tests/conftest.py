# SPDX-License-Identifier: MIT
"""Fixtures of the tests that boot boards."""
import subprocess

import pytest

from board import BOARDS, BUILD, ROOT, Board, Images, guest, manifest, need


LONG = ("test_soak.py",)

# These run the project's own Makefile: one after the other.
USE_MAKE = ("test_packaging.py", "test_services.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """The longest come first, for nobody to be left with one at the end."""
    for item in items:
        if item.path.name in USE_MAKE:
            item.add_marker(pytest.mark.xdist_group("make"))
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    return Images(tmp_path_factory.mktemp("images"))


@pytest.fixture
def boot(images):
    """boot(image, *options, qemu=()) gives a Board; all are ended when the test ends."""
    boards = []

    def start(image, *options, qemu=()):
        boards.append(Board(image, images.pub, options, qemu))
        return boards[-1]

    yield start
    for board in boards:
        board.stop()


@pytest.fixture(params=BOARDS)
def where(request):
    """Options of `dmfs run` for each board and way to isolate."""
    return BOARDS[request.param]


@pytest.fixture(scope="session")
def small(images, tmp_path_factory):
    """As small as an image gets: one guest of a few bytes, which calls for shutdown; and with every byte needed."""
    program = tmp_path_factory.mktemp("small") / "shutdown.bin"
    program.write_bytes(bytes.fromhex("a1480145730000007300000001a0"))  # li a7, 8; li a0, 0; ecall, ...; j .
    return images.pack(manifest(guest("small", f"{{file: {program}, load: 0x80200000, relocatable: true}}")))


@pytest.fixture(scope="session")
def forged(images, tmp_path_factory):
    """Images of tests/golden, signed by the development key, each with its sentence."""
    folder = tmp_path_factory.mktemp("forged")
    subprocess.run([need(BUILD / "forge-images"), folder, ROOT / "tests/golden", images.key], check=True)
    lines = (folder / "expect.txt").read_text().splitlines()
    return {folder / name: sentence for name, sentence in (line.split("\t") for line in lines)}
