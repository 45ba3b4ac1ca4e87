# SPDX-License-Identifier: MIT
"""`dmfs ctl` against a stand-in for a board, which speaks docs/control.md on a Unix socket."""
import fcntl
import json
import os
import pty
import signal
import socket
import subprocess
import termios
import threading

import pytest

from cli_support import DMFS, FAILED, REFUSED, USAGE, Tool

LIMIT = 60
HELLO = {"diosix": "0.1.0", "protocol": 1, "board": "riscv-virtio"}
LIST = [{"name": "linux", "kind": "guest", "state": "running", "cpus": 2, "priority": "normal", "memory": 268435456,
         "restarts": 0, "uptime_us": 3725000000, "last_end": "", "crash": ""},
        {"name": "console", "kind": "service", "state": "running", "cpus": 1, "priority": "high", "memory": 2097152,
         "restarts": 3, "uptime_us": 12345678, "last_end": "crashed", "crash": "load access fault at 0x10, and a sentence about it that no line has room for"}]
STATS = {"board": {"harts": 4, "isolation": "gstage", "ram": 1 << 30, "free": 700 << 20, "time_us": 90000000},
         "capsules": [{"name": "linux", "cpu_us": 2500000, "exits": {"timer": 40, "sbi": 2}, "output": 1000,
                       "dropped": 7, "messages_sent": 5, "messages_received": 6, "grants": 1}]}


class Board:
    """Answers each request by `answers[command]`: a result, an Exception for an error, or a function of board and request
    that sends what it likes. Keeps the requests of all connections."""

    def __init__(self, path, answers):
        self.path, self.answers = path, {"hello": HELLO, **answers}
        self.requests, self.bad = [], []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                self.client, _ = self.listener.accept()
            except OSError:
                return
            with self.client, self.client.makefile("rb") as lines:
                try:
                    for line in lines:
                        self.take(line)
                except OSError:
                    pass

    def take(self, line):
        try:
            request = json.loads(line)
        except ValueError:
            self.bad.append(line)
            self.say({"id": 0, "ok": False, "error": "that is no JSON"})
            return
        assert len(line) <= 4096
        self.requests.append(request)
        answer = self.answers[request["command"]]
        if callable(answer):
            answer(self, request)
        elif isinstance(answer, Exception):
            self.say({"id": request["id"], "ok": False, "error": str(answer)})
        else:
            self.answer(request, answer)

    def answer(self, request, result):
        self.say({"id": request["id"], "ok": True, "result": result})

    def say(self, message):
        self.send((json.dumps(message) + "\n").encode())

    def send(self, data):
        self.client.sendall(data)

    def hang_up(self):
        self.client.shutdown(socket.SHUT_RDWR)

    def of(self, command):
        """The requests of this command, without their ids."""
        return [{key: value for key, value in request.items() if key not in ("id", "command")}
                for request in self.requests if request["command"] == command]

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture(params=DMFS)
def tool(request, tmp_path):
    return Tool(DMFS[request.param], tmp_path)


@pytest.fixture
def board(tool):
    """board(**answers) gives a Board at the socket "board"."""
    boards = []

    def start(**answers):
        boards.append(Board(tool.folder / "board", answers))
        return boards[-1]

    yield start
    for each in boards:
        each.stop()


def ctl(tool, *args, **more):
    return tool.run("ctl", "board", *args, **more)


# --- commands --------------------------------------------------------------------------------------

def test_list_is_a_table(tool, board):
    board(list=LIST)
    lines = ctl(tool, "list").out.splitlines()
    assert lines[0].split() == ["NAME", "KIND", "STATE", "CPUS", "PRIORITY", "MEMORY", "RESTARTS", "UPTIME", "LAST",
                                "END", "CRASH"]
    assert lines[1].split() == ["linux", "guest", "running", "2", "normal", "256M", "0", "1:02:05", "-", "-"]
    assert lines[2].split()[:9] == ["console", "service", "running", "1", "high", "2M", "3", "12.34", "s"]
    assert lines[2].endswith(f"crashed   {LIST[1]['crash']}")


def test_stats_have_the_board_and_each_capsule(tool, board):
    board(stats=STATS)
    lines = ctl(tool, "stats").out.splitlines()
    assert lines[0] == "board: 4 harts, isolation gstage, 1G RAM, 700M free, up 0:01:30"
    assert lines[3].split() == ["linux", "2.50", "s", "42", "1000", "7", "5", "6", "1"]
    assert lines[5] == "linux exits: timer 40, sbi 2"


def test_exits_of_many_kinds_fit_the_lines(tool, board):
    exits = {f"kind-number-{i}": 1000 * i for i in range(40)}
    board(stats={**STATS, "capsules": [{**STATS["capsules"][0], "exits": exits}]})
    out = ctl(tool, "stats").out
    assert all(len(line) <= 100 for line in out.splitlines())
    assert all(f"{kind} {count}" in out for kind, count in exits.items())


def test_focus_says_where_input_goes(tool, board):
    board(focus={"state": "running"})
    assert ctl(tool, "focus", "linux").out == "input goes to linux\n"


@pytest.mark.parametrize("command", ["start", "kill", "restart"])
def test_states(tool, board, command):
    fake = board(**{command: {"state": "running"}})
    assert ctl(tool, command, "linux").out == "linux: running\n"
    assert fake.of(command) == [{"capsule": "linux"}]


def test_stop_says_how_and_has_a_time(tool, board):
    fake = board(stop={"state": "stopped", "how": "asked"})
    assert ctl(tool, "stop", "linux").out == "linux: stopped, asked\n"
    ctl(tool, "stop", "linux", "--grace", "3")
    assert fake.of("stop") == [{"capsule": "linux", "timeout_ms": 10000}, {"capsule": "linux", "timeout_ms": 3000}]


def test_permissions_and_image(tool, board):
    fake = board(permissions=["console_read", "hv_log_read"],
                 image={"name": "demo", "version": "1.0", "rollback": 7, "keys": ["0011223344556677", "8899aabbccddeeff"]})
    assert ctl(tool, "permissions", "linux").out == "console_read\nhv_log_read\n"
    assert ctl(tool, "image").out.split() == ["name", "demo", "version", "1.0", "rollback", "7",
                                              "key", "0011223344556677", "key", "8899aabbccddeeff"]
    assert fake.of("permissions") == [{"capsule": "linux"}] and fake.of("image") == [{}]


@pytest.mark.parametrize("command, result", [("list", LIST), ("stats", STATS), ("image", {"x": [1, None, "é\0"]})])
def test_json_is_the_result_as_it_came(tool, board, command, result):
    board(**{command: result})
    assert json.loads(ctl(tool, command, "--json").out) == result


def test_names_with_control_characters_do_not_steer_the_terminal(tool, board):
    board(list=[{**LIST[0], "crash": "\x1b[2J\x07"}], permissions=["\x1b]0;x"], kill=RuntimeError("\x1b[2J"))
    assert "\x1b" not in ctl(tool, "list").out + ctl(tool, "permissions", "x").out
    assert "\x1b" not in ctl(tool, "kill", "x", status=REFUSED).err


# --- the log ---------------------------------------------------------------------------------------

def log_line(seq):
    return {"seq": seq, "time_us": 1500000 + seq, "level": "info", "text": f"line {seq}"}


def pages(count, at_once=3):
    """A log of so many lines that gives a few at once."""
    def answer(fake, request):
        lines = [log_line(seq) for seq in range(request["from"], min(request["from"] + at_once, count))]
        fake.answer(request, {"lines": lines, "next": request["from"] + len(lines)})
    return answer


def test_log_is_read_to_its_end(tool, board):
    fake = board(log=pages(8))
    out = ctl(tool, "log").out
    assert out.splitlines() == [f"[     1.{500000 + seq}] info line {seq}" for seq in range(8)]
    assert [request["from"] for request in fake.of("log")] == [0, 3, 6, 8]
    whole = json.loads(ctl(tool, "log", "--json").out)
    assert whole == {"lines": [log_line(seq) for seq in range(8)], "next": 8}


def test_log_that_claims_more_without_end_is_left(tool, board):
    board(log={"lines": [log_line(0)], "next": 1})
    assert ctl(tool, "log").out.count("line") == 1


def test_follow_has_each_line_once_also_those_that_were_lost(tool, board):
    def answer(fake, request):
        have = 5 if not told else 9
        pages(have)(fake, request)
        if request["from"] >= have and not told:
            told.append(True)
            for seq in (4, 5):
                fake.say({"event": "log", **log_line(seq)})
            # 6 and 7 are lost: they have to be asked for.
            fake.say({"event": "log", **log_line(8)})
            fake.say({"event": "log", **log_line(9)})
            fake.hang_up()

    told = []
    fake = board(log=answer)
    result = ctl(tool, "log", "--follow", "--json", status=FAILED)
    have = [json.loads(line)["seq"] for line in result.out.splitlines()]
    assert have[:6] == [0, 1, 2, 3, 4, 5] and have == sorted(set(have))
    assert "closed the connection" in result.error or "cannot" in result.error
    assert all(request["follow"] for request in fake.of("log"))


def test_follow_asks_for_what_is_missing(tool, board):
    def answer(fake, request):
        have = 10 if told else 3
        pages(have, 20)(fake, request)
        if request["from"] == 3 and not told:
            told.append(True)
            fake.say({"event": "log", **log_line(7)})
        elif request["from"] == 10:
            fake.hang_up()

    told = []
    board(log=answer)
    out = ctl(tool, "log", "--follow", status=FAILED).out
    assert [line.split()[-1] for line in out.splitlines()] == [str(seq) for seq in range(10)]


# --- attach ----------------------------------------------------------------------------------------

BYTES = bytes(range(256)) * 3


def text_of(data):
    return data.decode("latin-1")


def finish(fake, request):
    fake.answer(request, {})


def test_attach_passes_all_bytes_of_output(tool, board):
    def answer(fake, request):
        fake.answer(request, {"data": text_of(BYTES)})
        fake.say({"event": "output", "capsule": "another", "data": "not ours"})
        fake.say({"event": "state", "capsule": "linux", "state": "running"})
        fake.say({"event": "output", "capsule": "linux", "data": text_of(BYTES[::-1])})
        fake.say({"event": "output", "capsule": "linux", "dropped": 12, "data": "end"})
        fake.hang_up()

    board(attach=answer)
    result = ctl(tool, "attach", "linux", text=False, status=FAILED)
    assert result.out == BYTES + BYTES[::-1] + b"end"
    assert "12 bytes of output are lost here" in result.err and "closed the connection" in result.err


def test_attach_passes_all_bytes_of_input_as_they_are_taken(tool, board):
    got = bytearray()
    sizes = iter([0, 1, 7, 0, 0, 100])

    def take(fake, request):
        data = request["data"].encode("latin-1")
        taken = min(len(data), next(sizes, len(data)))
        got.extend(data[:taken])
        fake.answer(request, {"taken": taken})
        if len(got) >= len(BYTES):
            fake.hang_up()

    board(attach={"data": ""}, input=take)
    ctl(tool, "attach", "linux", stdin=BYTES, status=FAILED)
    assert bytes(got) == BYTES


@pytest.mark.parametrize("taken, sentence", [(-1, "more input than"), (1000, "more input than")])
def test_attach_to_a_board_that_cannot_count(tool, board, taken, sentence):
    board(attach={"data": ""}, input={"taken": taken}, detach={})
    assert sentence in ctl(tool, "attach", "linux", stdin=b"x", status=FAILED).err


def test_input_that_is_refused_ends_it(tool, board):
    board(attach={"data": "hello"}, input=RuntimeError("'linux' has stopped"), detach={})
    result = ctl(tool, "attach", "linux", stdin=b"x", status=REFUSED)
    assert "'linux' has stopped" in result.error and result.out == "hello"


class Terminal:
    """dmfs ctl attach with a terminal for everything."""

    def __init__(self, tool):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen([tool.program, "ctl", "board", "attach", "linux"], cwd=tool.folder,
                                        env={**os.environ, "TERM": "dumb"}, stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.said = b""

    def expect(self, part):
        while part not in self.said:
            self.said += os.read(self.master, 4096)

    def end(self):
        status = self.process.wait(timeout=LIMIT)
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        assert after == self.before, "the terminal is not as it was"
        return status


def echo(fake, request):
    fake.answer(request, {"taken": len(request["data"])})
    text = "".join(f"<{ord(c):02x}>" for c in request["data"])
    fake.say({"event": "output", "capsule": "linux", "data": text})


@pytest.mark.parametrize("last", [b".", b"q"])
def test_terminal_is_raw_and_detaches(tool, board, last):
    fake = board(attach={"data": "before\r\n"}, input=echo, detach=finish)
    terminal = Terminal(tool)
    terminal.expect(b"Ctrl-] then '.' or q detaches")
    terminal.expect(b"before")
    os.write(terminal.master, b"\x03\x1c\r")
    terminal.expect(b"<03><1c><0d>")
    os.write(terminal.master, b"\x1d\x1d")
    terminal.expect(b"<1d>")
    os.write(terminal.master, b"\x1dx")
    terminal.expect(b"<1d><78>")
    os.write(terminal.master, b"\x1d")
    os.write(terminal.master, last)
    terminal.expect(b"detached from 'linux'")
    assert terminal.end() == 0
    assert fake.of("attach") == [{"capsule": "linux"}]


def test_terminal_comes_back_when_it_is_ended_or_the_board_goes(tool, board):
    fake = board(attach={"data": "before"}, input=echo, detach=finish)
    terminal = Terminal(tool)
    terminal.expect(b"before")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 143
    terminal = Terminal(tool)
    terminal.expect(b"before")
    fake.hang_up()
    terminal.expect(b"closed the connection")
    assert terminal.end() == FAILED


# --- what goes wrong ---------------------------------------------------------------------------------

def test_refusals_are_the_board_s_sentence(tool, board):
    board(stop=RuntimeError("there is no capsule 'linxu'; did you mean 'linux'?"), list=RuntimeError("denied"))
    result = ctl(tool, "stop", "linxu", status=REFUSED)
    assert result.error == "dmfs: error: there is no capsule 'linxu'; did you mean 'linux'?" and result.out == ""
    assert ctl(tool, "list", "--json", status=REFUSED).out == ""


@pytest.mark.parametrize("args, sentence", [
    (["lst"], "did you mean 'list'?"), (["permission", "x"], "did you mean 'permissions'?"),
    (["hello"], "knows no command 'hello'"), (["stop"], "'stop' takes the name of a capsule"),
    (["list", "linux"], "'list' takes no capsule"), (["list", "--follow"], "--follow is for 'log' only"),
    (["kill", "x", "--grace", "1"], "--grace is for 'stop' only"), (["list", "--timeout", "0"], "--timeout has to be"),
    ([], "an argument is missing"), (["attach", "x", "--json"], "'attach' has no result"),
])
def test_wrong_usage(tool, board, args, sentence):
    fake = board(attach={"data": ""})
    assert sentence in ctl(tool, *args, status=USAGE).err
    assert fake.of("attach") == []


def test_no_such_socket(tool):
    assert "cannot connect to 'board': No such file" in ctl(tool, "list", status=FAILED).error
    tool.write("board", b"")
    assert "cannot connect to 'board': Connection refused" in ctl(tool, "list", status=FAILED).error
    assert "at most 107 bytes, not 200" in tool.run("ctl", "x" * 200, "list", status=FAILED).error


def test_board_of_another_version(tool, board):
    board(hello={**HELLO, "protocol": 2}, list=LIST)
    assert "another version of the protocol than 1" in ctl(tool, "list", status=FAILED).error


def test_board_without_a_console_service(tool, board):
    board(hello=lambda fake, request: None)
    assert "does not answer" in ctl(tool, "list", "--timeout", "1", status=FAILED).error


def test_answer_without_a_result_or_a_reason(tool, board):
    board(list=lambda fake, request: fake.say({"id": request["id"], "ok": True}),
          stats=lambda fake, request: fake.say({"id": request["id"]}))
    assert "answers without a result" in ctl(tool, "list", status=FAILED).error
    assert "does not say why" in ctl(tool, "stats", status=REFUSED).error


@pytest.mark.parametrize("result", [None, 1, "x", [1, None, []], {}, {"board": 1, "capsules": "x"},
                                    [{"name": 5, "memory": -1, "uptime_us": "x", "exits": []}]])
@pytest.mark.parametrize("command", ["list", "stats", "image"])
def test_results_of_other_types_upset_nothing(tool, board, command, result):
    board(**{command: result})
    ctl(tool, command)


def test_others_answers_events_and_garbage_are_passed_over(tool, board):
    def answer(fake, request):
        fake.send(b'e": 5}\n\n\0\xff\xfe\n[1, 2]\n"x"\n{"id": "%d"}\n' % request["id"] + b"{" * 5000 + b"\n" + b"[" * 9000 + b"\n")
        fake.say({"id": 0, "ok": False, "error": "another's"})
        fake.say({"id": request["id"] + 1, "ok": True, "result": {"state": "wrong"}})
        fake.say({"event": "state", "capsule": "linux", "state": "stopped"})
        fake.answer(request, {"state": "right"})

    board(kill=answer)
    assert ctl(tool, "kill", "linux").out == "linux: right\n"


def test_answer_that_comes_byte_by_byte_with_others_behind_it(tool, board):
    def answer(fake, request):
        data = json.dumps({"id": request["id"], "ok": True, "result": {"state": "running"}}).encode() + b"\n{\"event\""
        for i in range(len(data)):
            fake.send(data[i:i + 1])

    board(start=answer)
    assert ctl(tool, "start", "linux").out == "linux: running\n"


def test_long_lines_are_read_and_endless_ones_are_not(tool, board):
    many = [{**LIST[0], "name": f"guest-{i}"} for i in range(500)]
    board(list=many, stats=lambda fake, request: fake.send(b"x" * (1 << 20)))
    assert len(ctl(tool, "list").out.splitlines()) == 501
    assert "lines of more than 262144 bytes" in ctl(tool, "stats", status=FAILED).error


@pytest.mark.parametrize("part", [b"", b'{"id": ', b"\n"])
def test_connection_that_is_lost(tool, board, part):
    def answer(fake, request):
        fake.send(part)
        fake.hang_up()

    board(list=answer)
    assert "the board at 'board' has closed the connection" in ctl(tool, "list", status=FAILED).error


def test_clients_come_one_after_another(tool, board):
    fake = board(list=LIST)
    for _ in range(5):
        ctl(tool, "list")
    assert len(fake.of("list")) == 5
    ids = [request["id"] for request in fake.requests]
    assert len(set(ids)) == len(ids), "an answer to one must not be taken for another's"


def test_what_another_left_of_a_line_does_no_harm(tool, board):
    fake = board(list=LIST)
    ctl(tool, "list")
    assert fake.bad == [b"\n"], "each client ends the line before its own first"
