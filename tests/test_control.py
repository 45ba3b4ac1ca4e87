# SPDX-License-Identifier: MIT
"""The control port end to end: `dmfs ctl`, the socket of `dmfs run --control`, the second port, and the console service."""
import json
import os
import re
import signal
import socket
import subprocess

import pexpect
import pytest

from board import BUILD, DMFS, LIMIT, SIFIVE_U, VIRT_GSTAGE, VIRT_PMP, guest, linux, manifest, need
from cli_support import DONE, REFUSED
from test_console import console

STATES = ("running", "stopping", "loading", "scrubbing", "stopped")
CAPSULES = ["answer", "chatter", "other", "console"]


def chatter(name, **more):
    return guest(name, f"{{file: {need(BUILD / 'service-guests/chatter.bin')}, load: 0x80200000, relocatable: true}}", **more)


class Control:
    """`dmfs ctl` of one board."""

    def __init__(self, path):
        self.path = path

    def arguments(self, *args):
        return [str(DMFS), "ctl", str(self.path), "--timeout", str(LIMIT), *args]

    def run(self, *args, status=DONE):
        done = subprocess.run(self.arguments(*args), capture_output=True, text=True, timeout=2 * LIMIT,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == status, f"{args}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if status == DONE else done.stderr

    def json(self, *args):
        return json.loads(self.run(*args, "--json"))

    def spawn(self, *args):
        child = pexpect.spawn(self.arguments(*args)[0], self.arguments(*args)[1:], timeout=LIMIT, encoding="utf-8",
                              env=dict(os.environ, LC_ALL="C"))
        child.delaybeforesend = None
        return child

    def state(self, name):
        return {each["name"]: each["state"] for each in self.json("list")}[name]

    def await_state(self, name, state):
        while self.state(name) != state:
            pass


@pytest.fixture
def board_on(images, boot, tmp_path):
    """board_on(options, guest, ...) is a board whose console service answers at a control port."""
    def start(options, *guests):
        path = tmp_path / "ctl"
        image = images.pack(manifest(*guests) + console("terminal=dumb view=one focus=answer"))
        control = Control(path)
        control.board = boot(image, "--control", str(path), *options)
        control.board.expect("begin")
        return control
    return start


@pytest.fixture(params=[VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
def options(request):
    return request.param


@pytest.fixture
def control(board_on, options):
    return board_on(options, chatter("answer", cmdline="quiet"), chatter("chatter"), chatter("other"))


def test_what_it_tells(control):
    lines = control.run("list").splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", *CAPSULES]
    table = control.json("list")
    assert [each["name"] for each in table] == CAPSULES
    assert [each["kind"] for each in table] == ["guest"] * 3 + ["service"]
    assert all(each["state"] == "running" and each["restarts"] == 0 and each["uptime_us"] > 0 for each in table)
    assert [each["memory"] >> 20 for each in table[:3]] == [4, 4, 4] and table[3]["priority"] == "high"
    stats = control.json("stats")
    assert 0 < stats["board"]["free"] < stats["board"]["ram"] and stats["board"]["isolation"] in ("gstage", "pmp")
    assert [each["name"] for each in stats["capsules"]] == CAPSULES
    assert all(each["cpu_us"] > 0 and sum(each["exits"].values()) > 0 for each in stats["capsules"])
    assert control.json("stats")["capsules"][1]["output"] > 0
    assert "board: " in control.run("stats")
    assert "service_control" in control.run("permissions", "console").split()
    assert control.run("permissions", "answer") == ""
    image = control.json("image")
    assert (image["name"], image["version"], image["rollback"]) == ("test", "1.0", 7) and len(image["keys"]) == 1
    assert re.search(r"^key +" + image["keys"][0] + "$", control.run("image"), re.M)


def test_what_it_does(control):
    assert control.run("stop", "chatter", "--grace", "1") == "chatter: stopped, killed\n"
    assert "it has stopped already" in control.run("kill", "chatter", status=REFUSED)
    assert "it is not running" in control.run("stop", "chatter", status=REFUSED)
    assert "'start' starts it" in control.run("restart", "chatter", status=REFUSED)
    assert control.json("start", "chatter")["state"] in STATES
    control.await_state("chatter", "running")
    assert "it has not stopped" in control.run("start", "chatter", status=REFUSED)
    assert control.json("restart", "chatter")["state"] in STATES
    control.await_state("chatter", "running")
    assert control.json("kill", "chatter")["state"] in STATES
    control.await_state("chatter", "stopped")
    assert control.run("focus", "answer") == "input goes to answer\n"
    control.board.send("hello\r")
    control.board.expect("<hello>")
    assert "did you mean 'answer'?" in control.run("stop", "anwser", status=REFUSED)
    restarts = {each["name"]: each["restarts"] for each in control.json("list")}
    assert restarts["chatter"] == 2 and restarts["answer"] == 0
    ends = {each["name"]: each["last_end"] for each in control.json("list")}
    assert ends["chatter"] == "killed" and ends["answer"] == "none"


def test_a_kernel_that_is_asked_powers_off(board_on, options):
    control = board_on(options, chatter("answer", cmdline="quiet"), linux("shell", cmdline="console=ttyS0"))
    shell = control.spawn("attach", "shell")
    shell.expect("# ")
    shell.send("echo four$((2 + 2))\n")
    shell.expect("four4")
    shell.send("\x1dq")
    shell.expect(pexpect.EOF)
    assert control.run("stop", "shell", "--grace", str(LIMIT)) == "shell: stopped, asked\n"
    assert control.json("start", "shell")["state"] in STATES
    shell = control.spawn("attach", "shell")
    shell.expect("# ")
    shell.close(force=True)


def test_a_service_that_is_asked_ends_in_its_own_way(images, boot, options, tmp_path):
    program = need(BUILD / "capsule/check/check.elf")
    services = "".join(f"\n  - {{name: {name}, program: {program}, cmdline: {word}, restart: always}}"
                       for name, word in (("willing", "stop"), ("deaf", "read")))
    text = manifest(chatter("chatter", cmdline="quiet")) + console("terminal=dumb view=all") + services + "\n"
    control = Control(tmp_path / "ctl")
    control.board = boot(images.pack(text), "--control", str(control.path), *options)
    control.board.expect_all("ready to be stopped")
    assert control.run("stop", "willing", "--grace", str(LIMIT)) == "willing: stopped, asked\n"
    control.board.expect("asked to stop, first this has to be done")
    control.board.expect("in order")
    ends = {each["name"]: (each["state"], each["last_end"], each["restarts"]) for each in control.json("list")}
    assert ends["willing"] == ("stopped", "shutdown", 0), "what stopped on request is not restarted"
    assert control.run("stop", "deaf", "--grace", "1") == "deaf: stopped, killed\n"
    assert control.json("start", "willing")["state"] in STATES
    control.board.expect("ready to be stopped")


def attached(control, name, word):
    """A client that has typed a line, and got the answer."""
    child = control.spawn("attach", name)
    child.expect("the keyboard is that of")
    child.send(word + "\r")
    child.expect(f"<{word}>")
    return child


def test_clients_come_and_go(control):
    for word in "one", "two", "three":
        child = attached(control, "answer", word)
        child.send("\x1d.")
        child.expect("detached from 'answer'")
        child.expect(pexpect.EOF)
        assert len(control.json("list")) == 4


def test_who_comes_after_one_that_was_killed_begins_anew(control):
    for name in "answer", "chatter":
        child = control.spawn("attach", name)
        child.expect(r"(?s)the keyboard is that of.*\n")
        child.kill(signal.SIGKILL)
        child.wait()
        # Nothing that the one before had asked for comes to this one.
        child = attached(control, "answer", "again")
        assert "has to come" not in child.before
        child.close(force=True)
    assert control.json("stats")["capsules"][0]["name"] == "answer"


def test_the_log_and_its_followers(control):
    whole = control.json("log")
    assert [line["seq"] for line in whole["lines"]] == [*range(1, whole["next"])]
    assert any("capsule chatter: started" in line["text"] for line in whole["lines"])
    assert control.run("log").count("\n") == whole["next"] - 1
    follower = control.spawn("log", "--follow")
    follower.expect("capsule console: started")
    follower.kill(signal.SIGKILL)
    follower.wait()
    assert control.json("restart", "answer")["state"] in STATES
    follower = control.spawn("log", "--follow")
    follower.expect("capsule answer: restarted")
    follower.close(force=True)


def test_a_second_uart_does_as_well(board_on):
    control = board_on(SIFIVE_U, chatter("answer", cmdline="quiet"), chatter("other", cmdline="quiet"))
    for word in "one", "two", "three":
        attached(control, "answer", word).close(force=True)
    assert control.run("permissions", "answer") == ""
    assert control.run("stop", "other", "--grace", "1") == "other: stopped, killed\n"
    assert "it has stopped already" in control.run("kill", "other", status=REFUSED)
    assert control.json("start", "other")["state"] in STATES
    assert "did you mean 'answer'?" in control.run("stop", "anwser", status=REFUSED)
    assert len(control.json("list")) == 3 and len(control.json("stats")["capsules"]) == 3


def test_no_request_waits_for_what_comes_after_it(board_on, options):
    """A line's end that comes a moment later than the line, while the board reads that, is seen: nothing else wakes it here."""
    control = board_on(options, chatter("answer", cmdline="quiet"))
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LIMIT)
        client.connect(str(control.path))
        with client.makefile() as answers:
            for i in range(1, 201):
                client.sendall(f'{{"id": {i}, "command": "list"}}'.encode())
                client.sendall(b"\n")
                assert next(each for each in map(json.loads, filter(str.strip, answers)) if "id" in each)["id"] == i


def ask_for_the_log(client, ids):
    client.sendall("".join(f'{{"id": {i}, "command": "log"}}\n' for i in ids).encode())


def test_a_client_that_reads_late_loses_nothing(board_on):
    """On sifive_u, for there QEMU drops what is not taken at once."""
    control = board_on(SIFIVE_U, chatter("answer", cmdline="quiet"), chatter("other", cmdline="quiet"))
    for _ in range(20):
        control.json("restart", "other")
        control.await_state("other", "running")
    lines = control.json("log")["lines"]
    assert len(lines) > 20
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LIMIT)
        client.connect(str(control.path))
        ask_for_the_log(client, range(1, 31))
        # Meanwhile the board has better things to do.
        for word in "one", "two", "three", "four", "five":
            control.board.send(word + "\r")
            control.board.expect(f"<{word}>")
        with client.makefile() as answers:
            for i in range(1, 31):
                answer = next(each for each in map(json.loads, filter(str.strip, answers)) if "id" in each)
                assert answer["id"] == i and answer["ok"] and answer["result"]["lines"][:len(lines)] == lines
