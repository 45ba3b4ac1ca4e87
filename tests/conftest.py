# SPDX-License-Identifier: MIT
"""Fixtures of the tests that boot boards."""
import pytest

from board import BOARDS, Board, Images


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
