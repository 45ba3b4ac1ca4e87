#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots a board with the console service and draws its screens: docs/pictures/console-*.svg. `make pictures` runs it."""
import pathlib
import re
import tempfile

import pictures
from board import BUILD, ROOT, Images, need
from terminal import Terminal

FOLDER = ROOT / "docs/pictures"
ROWS, COLUMNS = 26, 90


def draw(board, name, title):
    path = FOLDER / f"console-{name}.svg"
    path.write_text(pictures.draw(board.screen, title))
    print(path.relative_to(ROOT))


def tour(board):
    """Everything is typed as somebody would."""
    board.shows("[linux] # ")
    board.type("uname -a\r")
    board.shows("GNU/Linux")
    board.type("\x1dstart hello\r")
    board.shows("[hello]", "capsule hello: stopped")
    board.type("nproc\r")
    board.shows("[linux] 2 ")
    draw(board, "all", "The view of all: lines of two guests and of the hypervisor")
    board.type("\x1dlinux\r")
    board.shows_not("[linux]")
    board.type("clear; ls /bin | head -n 48 | xargs -n 6 echo; busybox free -m\r")
    board.shows("Mem:", "Swap:", "# ")
    draw(board, "one", "The view of one: Linux has the terminal")
    board.type("\x1dst\t")
    board.shows("start stats stop")
    draw(board, "bar", "The bar: completion lists what begins with st")
    board.type("\x1b")
    board.shows_not("start stats stop")
    board.type("while :; do :; done &\r")
    board.shows("done &")
    board.type("\x1dtop\r")
    board.wait(lambda screen: re.search(r"^linux +running +2 +[1-9]\d+\.", screen, re.M), "a busy guest")
    draw(board, "top", "Top: who uses how much")
    board.type("q")
    board.shows_not("%CPU")
    board.type("\x1dlog\r")
    board.shows("log, info, following")
    board.type("/started\r")
    board.shows("log, info:")
    draw(board, "log", "The log, and a search in it")


def main():
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        images = Images(pathlib.Path(folder))
        need(BUILD / "services/console.elf")
        board = Terminal(images.pack_file(ROOT / "manifests/console.yaml"), images.pub, ("--quiet",), rows=ROWS, columns=COLUMNS)
        try:
            tour(board)
        finally:
            board.stop()


if __name__ == "__main__":
    main()
