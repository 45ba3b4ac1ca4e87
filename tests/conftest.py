# SPDX-License-Identifier: MIT
"""Fixtures of the tests that boot boards, and which tests run beside others."""
import contextlib
import fcntl
import os
import subprocess

import pytest

from board import BOARDS, BUILD, ROOT, Board, Images, guest, manifest, need


# --- tests beside each other -------------------------------------------------------------------------

# These run the project's own Makefile: one after the other.
USE_MAKE = ("test_packaging.py", "test_services.py")


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: nothing runs beside it, as harts of its boards work at once, or it measures")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Who runs alone comes first, for nobody to wait long for that; then the group that one worker does, and then the others."""
    for item in items:
        if item.path.name in USE_MAKE and not item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.xdist_group("make"))
    items.sort(key=lambda item: (not item.get_closest_marker("alone"), not item.get_closest_marker("xdist_group")))


@contextlib.contextmanager
def locked(name, how):
    """A lock of all workers. The kernel releases it should this process end; no program that is started here inherits it."""
    with open(BUILD / name, "w") as file:
        fcntl.flock(file, how)
        yield


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    """
    Waits before the test begins, so that no limit of its own counts that. Who waits to be alone holds the gate, and
    nobody passes it to begin before.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    with contextlib.ExitStack() as mine:
        with locked(".tests-gate", fcntl.LOCK_EX):
            mine.enter_context(locked(".tests-running", fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH))
        yield


# --- fixtures ------------------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """Workers have folders of their own beside each other; what they compress is for all of them."""
    folder = tmp_path_factory.mktemp("images")
    return Images(folder, (folder.parents[1] if "PYTEST_XDIST_WORKER" in os.environ else folder) / "compressed")


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
