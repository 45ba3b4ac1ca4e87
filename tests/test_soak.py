# SPDX-License-Identifier: MIT
"""Guests that print without end while all capsules, the console service too, are killed, restarted, stopped and started at random."""
import json
import os
import random
import re
import socket
import subprocess
import threading

import pytest

from board import ALL_STOPPED, DMFS, LIMIT, VIRT_GSTAGE, VIRT_PMP, manifest
from test_console import console
from test_control import chatter

GUESTS = [f"g{i}" for i in range(8)]
CARELESS = GUESTS[7:]
WINDOW = 12  # requests on their way
WHOLE_LIMIT = 10 * LIMIT  # what is stuck is found much sooner, by who waits for it
STAGES = 10  # after each of them everything has to run, and print
SEED = int(os.environ.get("DIOSIX_TEST_SEED", "1"))

# What may be answered to an operation that came at the wrong time. Anything else is an error.
REFUSALS = ("it has not stopped", "it is not running", "it has stopped already", "it has stopped; 'start' starts it",
            "is asked to stop already; 'kill' ends it at once")
OPERATIONS = ("kill", "restart", "restart", "stop", "start", "start", "start", "focus")

BEGIN = "begin\n"
LINE = "a line that has to come, {:08}\n"
LINE_LEN = len(LINE.format(0))
MARK = re.compile(r"\.\.\. (\d+) bytes lost \.\.\.")
WHOLE = re.compile(r"a line that has to come, (\d{8})")
ENDED = "diosix: ... what the console service had not shown is lost ..."
BEGUN = re.compile(r"diosix: input goes to g\d; Ctrl-\] opens the console's bar")  # the service's first line


def said(at, length):
    """So many bytes of what a guest says in a life, from byte `at` on."""
    if length <= 0:
        return ""
    head = BEGIN[at:at + length]
    first, skip = divmod(max(at - len(BEGIN), 0), LINE_LEN)
    count = (length + skip) // LINE_LEN + 2
    return (head + "".join(LINE.format(first + i) for i in range(count))[skip:])[:length]


class Reader:
    """Checks what one guest says: each byte of a life in its order, none missing except where a mark says how many."""

    def __init__(self, name):
        self.name = name
        self.at = 0        # bytes of this life that have come; None: not known
        self.marked = False  # the last that has come is a mark
        self.fallback = True  # the hypervisor's console is the one that shows it
        self.before = ""     # of the life before, on the line where this one begins
        self.lines, self.begun, self.lost, self.resyncs = 0, 0, 0, 0

    def fall_back(self):
        """The console service has ended, and something may be missing here."""
        self.at, self.fallback = None, True

    def goes_on(self, text):
        if said(self.at, len(text)) != text:
            return False
        self.at += len(text)
        if said(self.at, 1) == "\n":
            self.at += 1
            self.lines += 1
        return True

    def begins(self, text):
        """A life may end anywhere: what it said last stands on the same line."""
        split = text.find(BEGIN[0])  # which no other line has
        rest, head = text[:split], text[split:]
        if split < 0 or said(self.at, len(rest)) != rest or not BEGIN.startswith(head):
            return False
        start = self.line_start()
        self.before = said(start, self.at - start) + rest
        self.at = 0
        self.begun += 1
        return self.goes_on(head)

    def line_start(self):
        return 0 if self.at < len(BEGIN) else self.at - (self.at - len(BEGIN)) % LINE_LEN

    def shown_again(self, text):
        """The hypervisor's console shows a line once more that others have interrupted, before the end of its line at the latest."""
        if not self.fallback or self.at == 0:
            return False
        now = self.at, self.lines
        self.at -= self.line_start() == self.at
        self.lines -= self.at < now[0]
        self.at = self.line_start()
        if self.at == 0 and text.startswith(self.before):
            text = text[len(self.before):]
        if self.goes_on(text) or self.begins(text):
            return True
        self.at, self.lines = now
        return False

    def find(self, text):
        """Where it is, from a whole line; lives may have changed meanwhile."""
        whole = WHOLE.search(text)
        self.before = ""
        if text.endswith("begin"):
            self.at = len(BEGIN)
            self.begun += 1
        elif whole and text.endswith(whole.group()):
            self.at = len(BEGIN) + (int(whole.group(1)) + 1) * LINE_LEN
            self.lines += 1

    def take(self, text):
        mark = MARK.fullmatch(text)
        if mark:
            self.lost += 1
            self.marked = True
            if self.at is not None:
                self.at += int(mark.group(1))
        elif self.at is None:
            self.find(text)
        elif self.goes_on(text) or self.begins(text) or self.shown_again(text):
            self.marked = False
        else:
            expected, self.at = said(self.at, 60), None
            self.find(text)
            # The end of one life and the beginning of the next may be lost together.
            if not self.marked:
                return f"{self.name}: {text!r} has come, not {expected!r}"
            self.resyncs += 1
            self.marked = False
        return None


class Output:
    """Reads all that the board prints on its line, in a thread, as fast as it comes."""

    def __init__(self, stream, copy):
        self.stream, self.copy = stream, copy
        self.readers = {name: Reader(name) for name in GUESTS}
        self.wrong, self.log, self.marks = [], [], 0
        self.changed = threading.Condition()
        self.over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        """The copy of it all is for who looks into a failure."""
        for raw in self.stream:
            self.copy.write(raw)
            with self.changed:
                self.line(raw.decode("latin-1").strip("\r\n"))
                self.changed.notify_all()
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def line(self, text):
        found = re.match(r"\[(g\d)\] ", text)
        if found:
            wrong = self.readers[found.group(1)].take(text[found.end():])
            if wrong:
                self.wrong.append(wrong)
            return
        if text == ENDED:
            self.marks += 1
            for reader in self.readers.values():
                reader.fall_back()
        if BEGUN.fullmatch(text):
            for reader in self.readers.values():
                reader.fallback = False
        if text.startswith("diosix: "):
            self.log.append(text)

    def counts(self):
        with self.changed:
            return {name: reader.lines for name, reader in self.readers.items()}

    def await_lines(self, before):
        """Waits until each has said more lines than that."""
        def silent():
            return [name for name, reader in self.readers.items() if reader.lines < before[name] + 3]
        with self.changed:
            assert self.changed.wait_for(lambda: self.over or not silent(), LIMIT), f"stuck: {silent()}, {self.log[-5:]}"
            assert not self.over, self.log[-5:]


class Port:
    """The control port, with several requests on their way."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")
        self.number = 0
        self.waiting = {}
        self.answers = {}
        self.refused = {}

    def send(self, command, **members):
        self.number += 1
        self.waiting[self.number] = command
        self.socket.sendall((json.dumps({"id": self.number, "command": command, **members}) + "\n").encode())
        return self.number

    def read(self):
        """One line. True for an empty one, with which the service begins."""
        line = self.lines.readline()
        assert line, "the board has closed the port"
        if not line.strip():
            return True
        message = json.loads(line)
        command = self.waiting.pop(message.get("id"), None)
        if command:
            self.answers[message["id"]] = message
            if not message["ok"]:
                refusal = next((each for each in REFUSALS if message["error"].endswith(each)), None)
                assert refusal, f"{command}: {message['error']}"
                self.refused[refusal] = self.refused.get(refusal, 0) + 1
        return False

    def drain(self, most=0):
        while len(self.waiting) > most:
            self.read()

    def ask(self, command, **members):
        number = self.send(command, **members)
        while number in self.waiting:
            self.read()
        return self.answers[number]["result"]

    def hello(self):
        self.waiting.clear()
        self.socket.sendall(b"\n")
        return self.ask("hello")

    def restart_console(self):
        """It ends without an answer to this, or to what was behind it; what it was saying is cut short."""
        self.send("restart", capsule="console")
        while True:
            try:
                if self.read():
                    break
            except json.JSONDecodeError:
                pass
        self.hello()

    def states(self):
        return {each["name"]: each["state"] for each in self.ask("list")}

    def run_all(self):
        """Starts whoever has stopped, until all run."""
        while True:
            states = self.states()
            for name, state in states.items():
                if state == "stopped":
                    self.send("start", capsule=name)
            if all(state == "running" for state in states.values()):
                return
            self.drain()


class Soak:
    def __init__(self, images, path, options):
        image = images.pack(manifest(*(chatter(name, cmdline="careless" if name in CARELESS else "fast") for name in GUESTS))
                            + console("terminal=dumb view=all"))
        self.process = subprocess.Popen([DMFS, "run", image, "--trust", images.pub, "--harts", "2", "--timeout", str(WHOLE_LIMIT),
                                         "--control", path, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        env={**os.environ, "LC_ALL": "C"})
        self.output = Output(self.process.stdout, open(f"{path}.line", "wb"))
        self.output.await_lines({name: 0 for name in GUESTS})
        self.port = Port(path)
        self.port.hello()
        self.random = random.Random(SEED)
        self.restarts = 0

    def operate(self):
        if self.random.random() < 1 / 200:
            self.restarts += 1
            return self.port.restart_console()
        command, more = self.random.choice(OPERATIONS), {}
        if command == "stop":
            more["timeout_ms"] = self.random.randrange(30)
        self.port.send(command, capsule=self.random.choice(GUESTS), **more)
        self.port.drain(self.random.choice((0, 2, WINDOW)))

    def free(self):
        return self.port.ask("stats")["board"]["free"]

    def look(self):
        """All runs, and prints."""
        self.port.drain()
        self.port.run_all()
        self.output.await_lines(self.output.counts())

    def end(self):
        self.port.drain()
        for name in GUESTS:
            self.port.send("kill", capsule=name)
        self.port.drain()
        while any(self.port.states()[name] != "stopped" for name in GUESTS):
            pass
        self.port.send("kill", capsule="console")
        assert self.process.wait(LIMIT) == 0
        self.output.thread.join(LIMIT)


@pytest.fixture
def soak(images, tmp_path):
    soaks = []

    def start(options):
        soaks.append(Soak(images, tmp_path / "ctl", options))
        return soaks[-1]

    yield start
    for each in soaks:
        each.process.terminate()
        each.process.wait()


@pytest.mark.alone
@pytest.mark.parametrize("options, operations", [(VIRT_GSTAGE, 10000), (VIRT_PMP, 2000)], ids=["gstage", "pmp"])
def test_nothing_is_lost_stuck_or_leaked(soak, options, operations):
    print(f"DIOSIX_TEST_SEED={SEED}")
    run = soak(options)
    run.look()
    free = run.free()
    for _ in range(STAGES):
        for _ in range(operations // STAGES):
            run.operate()
        run.look()
        assert not run.output.wrong, run.output.wrong[:10]
    assert run.free() == free
    lives = {each["name"]: each["restarts"] + 1 for each in run.port.ask("list")}
    run.end()
    out = run.output
    assert not out.wrong, out.wrong[:10]
    memory = [re.search(r"(\d+) KiB free, (\d+) KiB in capsules", line) for line in out.log if "diosix: memory: " in line]
    assert len({int(free) + int(used) for free, used in (line.groups() for line in memory)}) == 1 and len(memory) >= 2
    assert out.log[-1] == ALL_STOPPED and out.marks >= run.restarts > 0
    assert all(out.readers[name].resyncs < lives[name] for name in CARELESS)
    assert not any(out.readers[name].lost for name in GUESTS if name not in CARELESS)
    print({name: (reader.lines, reader.begun, reader.lost) for name, reader in out.readers.items()}, run.port.refused, run.restarts)
