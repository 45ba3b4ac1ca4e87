# SPDX-License-Identifier: MIT
"""What the documentation says is true."""
import re
import subprocess

import pytest

from board import BUILD, GUESTS, ROOT, need

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples").glob("*/README.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_table_of_boards_is_what_the_reader_makes_of_the_trees():
    trees = sorted((BUILD / "dtb").glob("*.dtb")), sorted(need(GUESTS / "dtb").glob("*.dtb"))
    table = subprocess.run([need(BUILD / "boards"), *trees[0], *trees[1]], capture_output=True, text=True, check=True).stdout
    page = (ROOT / "docs/boards.md").read_text()
    rows = table.splitlines()[2:]
    assert len(rows) == len(trees[0]) + len(trees[1]) and len(trees[1]) >= 35
    version = re.search(r"linux-image-(\S+)", (GUESTS / "versions").read_text()).group(1)
    if f"`linux-image-{version}`" in page:
        assert sorted(rows) == sorted(line for line in page.splitlines() if re.match(r"\| [^|]*\.dtb ", line))
    else:  # Debian has moved on: its trees may differ from the page's, yet each of them has to have its row
        assert all(row.count("|") == rows[0].count("|") for row in rows)
