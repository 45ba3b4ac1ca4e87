# SPDX-License-Identifier: MIT
"""Changing the trusted keys: a set signed by enough of the old and of the new; either is enough during the change."""
import re
import subprocess

import pytest

import board
from board import need
from cli_support import DMFS, REFUSED, USAGE, Tool, hypervisor, manifest

OLD = ["--trust", "o1.pub", "--trust", "o2.pub", "--trust", "o3.pub", "--threshold", "2"]
NEW = ["--trust", "n1.pub", "--trust", "n2.pub", "--threshold", "2"]


@pytest.fixture(params=DMFS)
def tool(request, tmp_path):
    tool = Tool(DMFS[request.param], tmp_path)
    tool.write("raw.bin", bytes(10000))
    tool.write("m.yaml", manifest())
    tool.write("hv", hypervisor())
    for name in ("o1", "o2", "o3", "n1", "n2"):
        tool.run("keygen", name, "--quiet")
    return tool


def make_set(tool, name, signers, version=5):
    tool.run("trust", "new", name, "--version", version, *NEW)
    if signers:
        tool.run("trust", "sign", name, *[arg for key in signers for arg in ("--key", f"{key}.key")])
    return name


def pack(tool, *keys):
    tool.run("pack", "m.yaml", "-o", "i.dmfs", *[arg for key in keys for arg in ("--key", f"{key}.key")])


def test_an_image_is_taken_under_either_set(tool):
    make_set(tool, "set", ["o1", "o3", "n1", "n2"])
    verify = ["verify", "i.dmfs", *OLD, "--trust-set", "set"]
    for keys, good in [(("o1", "o2"), True), (("n1", "n2"), True), (("o1", "n1", "n2", "o3"), True),
                       (("o1", "n1"), False), (("n2",), False)]:
        pack(tool, *keys)
        said = tool.run(*verify, status=0 if good else REFUSED)
        assert good or "too few trusted keys" in said.error
    pack(tool, "n1", "n2")
    assert said is not None and "of the next trust set" in tool.run(*verify).out
    # Without the set the new keys are nobody's.
    tool.run("verify", "i.dmfs", *OLD, status=REFUSED)


@pytest.mark.parametrize("signers, old, new", [
    (["o1", "n1", "n2"], 1, 2), (["o1", "o2", "n1"], 2, 1), (["n1", "n2"], 0, 2), (["o1", "o2", "o3"], 3, 0), ([], 0, 0),
])
def test_a_set_that_too_few_have_signed_is_refused(tool, signers, old, new):
    make_set(tool, "set", signers)
    pack(tool, "n1", "n2")
    for command in (["verify", "i.dmfs"], ["bundle", "hv", "-o", "out"]):
        result = tool.run(*command, *OLD, "--trust-set", "set", status=REFUSED)
        assert f"signed by {old} of the 2 trusted keys that are needed, and by {new} of its own 2" in result.error
    assert not (tool.folder / "out").exists()


def test_a_changed_set_is_refused(tool):
    make_set(tool, "set", ["o1", "o2", "n1", "n2"])
    good = tool.read("set")
    pack(tool, "o1", "o2")
    for at in [0, 31, 32, 40, 44, 48, 100, 111, 112, 300, 559, 560, 567, 568, 600, 663, 700, len(good) - 1]:
        changed = bytearray(good)
        changed[at] ^= 1
        tool.write("bad", bytes(changed))
        tool.run("verify", "i.dmfs", *OLD, "--trust-set", "bad", status=REFUSED)
    for data in (good[:-1], good + b"\0", b"", good[:568]):
        tool.write("bad", data)
        tool.run("verify", "i.dmfs", *OLD, "--trust-set", "bad", status=REFUSED)


def test_versions_only_go_up(tool):
    for version in (4, 5, 6):
        make_set(tool, f"set{version}", ["o1", "o2", "n1", "n2"], version)
    tool.run("bundle", "hv", *OLD, "--trust-set", "set5", "-o", "hv5")
    for version in (4, 5):
        result = tool.run("bundle", "hv5", *OLD, "--trust-set", f"set{version}", "-o", "x", status=REFUSED)
        assert "that version of the trust set, or a newer one, already" in result.error
    tool.run("bundle", "hv5", *OLD, "--trust-set", "set6", "-o", "hv6")
    # The change is over: only the new keys. What versions there were stays known.
    tool.run("bundle", "hv6", *NEW, "-o", "done")
    tool.run("bundle", "done", *OLD, "--trust-set", "set6", "-o", "x", status=REFUSED)


def test_show_and_wrong_usage(tool):
    make_set(tool, "set", ["o1", "n2"])
    said = tool.run("trust", "show", "set").out
    assert "trust set version 5, 2 of 2 keys" in said and said.count("signed by ") == 2
    assert "already" in tool.run("trust", "sign", "set", "--key", "o1.key", status=REFUSED).error
    assert "--version N is missing" in tool.run("trust", "new", "x", *NEW, status=USAGE).error
    assert "none of new, sign and show" in tool.run("trust", "make", "x", status=USAGE).error
    assert "is no trust set" in tool.run("trust", "show", "o1.pub", status=REFUSED).error


@pytest.mark.parametrize("how", board.BOARDS)
def test_boards_take_either_during_the_change(small, tmp_path, how):
    """Signed by the old alone, the new alone, both, neither."""
    tool = Tool(need(board.DMFS), tmp_path)
    for name in ("o1", "o2", "o3", "n1", "n2"):
        tool.run("keygen", name, "--quiet")
    make_set(tool, "set", ["o2", "o3", "n1", "n2"])
    for keys, good in [(("o1", "o2"), True), (("n1", "n2"), True), (("o1", "o2", "n1", "n2"), True), (("o1", "n1"), False)]:
        tool.run("pack", small.with_suffix(".yaml"), "-o", "i.dmfs", *[a for k in keys for a in ("--key", f"{k}.key")])
        done = subprocess.run([board.DMFS, "run", "i.dmfs", "--quiet", *OLD, "--trust-set", "set", "--timeout",
                               str(board.LIMIT), *board.BOARDS[how]], cwd=tmp_path, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        assert (done.returncode == 0) == good, done.stdout
        assert ("started" in done.stdout) == good
        assert good == (re.search("signed by too few trusted keys", done.stdout) is None)
