# SPDX-License-Identifier: MIT
"""
`dmfs run`: how QEMU is started, what passes between it and the user, and what its end means.
Most tests put a stand-in for QEMU first in PATH, a shell script; one boots a real board with a
few instructions for a hypervisor.
"""
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import termios
import time

import jsonschema
import pytest

from cli_support import DMFS, DONE, FAILED, REFUSED, ROOT, TRUST_SECTION_LEN, USAGE, Tool, hypervisor

ENDED, TIMEOUT = 130, 124
GREETING = 'echo "diosix: 0.1 on riscv-virtio: 2 harts"'


@pytest.fixture(params=DMFS)
def tool(request, tmp_path):
    tool = Tool(DMFS[request.param], tmp_path)
    tool.run("keygen", "a", "--quiet")
    tool.write("diosix.elf", hypervisor())
    tool.write("image", b"an image, as far as QEMU is concerned")
    return tool


def board(tool, script):
    """Makes `script` the board."""
    path = tool.write("bin/qemu-system-riscv64", f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{path.parent}:{os.environ['PATH']}"}


ARGS = ["run", "image", "--trust", "a.pub", "--hypervisor", "diosix.elf"]


def boot(tool, script, *more, **options):
    return tool.run(*ARGS, *more, env=board(tool, script), **options)


def test_qemu_gets_the_machine_and_the_files(tool):
    script = """
while [ $# -gt 0 ]; do
	case $1 in -kernel) kernel=$2 ;; -initrd) image=$2 ;; esac
	printf '%s ' "$1"; shift
done
cat "$kernel" >kernel.out; cat "$image" >image.out"""
    out = boot(tool, script, "--harts", "3", "--memory", "512M", "--", "-icount", "shift=0").out
    for part in ["-M virt ", "-bios none ", "-smp 3 ", "-m 524288k ", "-cpu rv64 ", "-no-reboot ",
                 "-icount shift=0 "]:
        assert part in out
    assert tool.read("image.out") == tool.read("image")
    tool.run("bundle", "diosix.elf", "--trust", "a.pub", "-o", "bundled.elf")
    assert tool.read("kernel.out") == tool.read("bundled.elf")


@pytest.mark.parametrize("options, expected, unexpected", [
    ([], "-cpu rv64 ", "sifive_u"),
    (["--isolation", "pmp"], "-cpu rv64,h=false ", "sifive_u"),
    (["--board", "sifive_u"], "-M sifive_u -bios none", "-cpu"),
    (["--board", "sifive_u"], "-smp 5 ", "-cpu"),
    (["--board", "sifive_u", "--harts", "1"], "-smp 2 ", "-cpu"),
])
def test_board_and_isolation_choose_the_machine(tool, options, expected, unexpected):
    script = f'printf "%s " "$@" >args; {GREETING}; echo "diosix: board: all capsules stopped"'
    boot(tool, script, *options)
    args = tool.read("args").decode()
    assert expected in args and unexpected not in args


def test_virt_ends_as_qemu_does(tool):
    assert "2 harts" in boot(tool, GREETING).out
    result = boot(tool, f'{GREETING}; echo "diosix: image refused: no"; exit 1', status=REFUSED)
    assert "the hypervisor's last line: diosix: image refused: no" in result.error
    assert "failed before the hypervisor began" in boot(tool, "exit 1", status=FAILED).error
    assert "failed before the hypervisor began" in boot(tool, "kill -9 $$", status=FAILED).error


@pytest.mark.parametrize("said, status", [
    ("diosix: board: all capsules stopped", DONE),
    ("diosix: board: all capsules stopped\\r", DONE),
    ("diosix: board: all capsules stopped\\nlinux| diosix: noise", DONE),
    ("diosix: board: stopped after failure", REFUSED),
    ("diosix: board: all capsules stopped\\ndiosix: board: stopped after failure", REFUSED),
    ("linux| diosix: board: all capsules stopped", REFUSED),
    ("diosix: board: all capsules stopped, nearly", REFUSED),
    ("", REFUSED),
])
def test_sifive_u_ends_by_its_last_line(tool, said, status):
    boot(tool, f"{GREETING}; printf '{said}\\n'", "--board", "sifive_u", status=status)


def test_input_passes_and_its_end_ends_nothing(tool):
    script = f'{GREETING}; read line; echo "got $line"; sleep 0.3; echo later'
    result = boot(tool, script, stdin=b"hello\n")
    assert "got hello\nlater\n" in result.out


def test_all_bytes_pass_both_ways(tool):
    data = bytes(range(256)) * 2000
    script = f"{GREETING} >&2; head -c {len(data)} >got; cat got"
    assert boot(tool, script, stdin=data, text=False).out == data
    assert tool.read("got") == data


def test_log_is_appended_to_what_is_there(tool):
    tool.write("log", b"somebody's\n")
    for _ in range(2):
        boot(tool, "printf 'one\\033[1m\\0two'", "--log", "log")
    assert tool.read("log") == b"somebody's\n" + b"one\x1b[1m\0two" * 2


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_log_has_what_was_said_when_it_is_killed(tool, number):
    env = {**os.environ, **board(tool, f"{GREETING}; exec sleep 60")}
    process = subprocess.Popen([tool.program, *ARGS, "--log", "log"], cwd=tool.folder, env=env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    line = process.stdout.readline()
    process.send_signal(number)
    process.wait(timeout=20)
    process.stdout.close()
    assert line and tool.read("log") == line


def test_log_that_cannot_be_opened(tool):
    assert "cannot write 'none/log'" in boot(tool, GREETING, "--log", "none/log", status=FAILED).error


# --- what the board is told of the terminal --------------------------------------------------------

TELL = 'printf "<%s>" "$@"'


def test_bootargs_say_that_there_is_no_terminal_and_join_the_user_s(tool):
    out = boot(tool, TELL, "--", "-append", "quiet  x=1", "-S", "-append", "y").out
    assert out.count("<-append>") == 1
    assert out.endswith("<-S><-append><diosix.terminal=dumb quiet  x=1 y>")


@pytest.mark.parametrize("term, options, more, kind", [
    ("xterm-256color", [], {}, "color"), ("linux", [], {}, "color"), ("dumb", [], {}, "dumb"), ("", [], {}, "dumb"),
    ("vt100", [], {}, "vt100"), ("vt102", ["--no-color"], {}, "vt100"), ("vt52", [], {}, "dumb"), ("vt220", [], {}, "mono"),
    ("vte-256color", [], {}, "color"), ("xterm", ["--no-color"], {}, "mono"), ("xterm", [], {"NO_COLOR": "1"}, "mono"), ("xterm", [], {"NO_COLOR": ""}, "color"),
])
def test_bootargs_say_what_the_terminal_can(tool, term, options, more, kind):
    master, slave = pty.openpty()
    env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    env.update(board(tool, 'printf "%s " "$@" >args'), TERM=term, **more)
    subprocess.run([tool.program, *ARGS, *options], cwd=tool.folder, env=env, stdin=subprocess.DEVNULL,
                   stdout=slave, stderr=subprocess.DEVNULL, timeout=60, check=True)
    os.close(slave)
    os.close(master)
    assert f"-append diosix.terminal={kind} " in tool.read("args").decode()


# --- JSON ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("script, options, status, ended_by, last", [
    ("echo a line", [], DONE, "board", "diosix: 0.1 on riscv-virtio: 2 harts"),
    ('echo "diosix: image refused: no"; exit 1', [], REFUSED, "board", "diosix: image refused: no"),
    ("exec sleep 60", ["--timeout", "1"], TIMEOUT, "timeout", "diosix: 0.1 on riscv-virtio: 2 harts"),
])
def test_json_says_how_it_ended(tool, script, options, status, ended_by, last):
    result = boot(tool, f"{GREETING}; {script}", "--json", *options, status=status)
    value = json.loads(result.out)
    jsonschema.validate(value, json.loads((ROOT / "docs/schemas/run.schema.json").read_text()))
    assert value["ended_by"] == ended_by and value["status"] == status and value["last_line"] == last
    assert value["image"] == "image" and value["board"] == "virt" and "2 harts" in result.err


# --- the control socket ------------------------------------------------------------------------------

def test_control_socket_is_the_second_serial_port(tool):
    virt = boot(tool, f"stat -c %a/%F control >mode; {TELL}", "--control", "control").out
    assert "<-chardev><pipe,id=control,path=/proc/self/fd/" in virt and "<virtserialport,bus=control-bus.0,nr=1,chardev=control>" in virt
    assert tool.read("mode") == b"600/socket\n"
    assert not (tool.folder / "control").exists()
    said = f'{TELL}; echo; echo "diosix: board: all capsules stopped"'
    sifive = boot(tool, said, "--control", "control", "--board", "sifive_u").out
    assert sifive.index("<chardev:console>") < sifive.index("<-serial><chardev:control>")


@pytest.mark.parametrize("make", [lambda path: path.write_text("mine"), lambda path: path.mkdir(),
                                  lambda path: path.symlink_to("nowhere"),
                                  lambda path: socket.socket(socket.AF_UNIX).bind(str(path))])
def test_control_socket_is_put_over_nothing(tool, make):
    path = tool.folder / "control"
    make(path)
    before = path.lstat()
    error = boot(tool, "touch began", "--control", "control", status=FAILED).error
    assert "there is something at 'control' already" in error
    assert path.lstat() == before and not (tool.folder / "began").exists()


def test_control_socket_that_cannot_be(tool):
    assert "takes a path of 1 to 107 bytes, not 108" in boot(tool, "", "--control", "x" * 108, status=USAGE).error
    assert "not 0" in boot(tool, "", "--control", "", status=USAGE).error
    error = boot(tool, "", "--control", "none/control", status=FAILED).error
    assert "cannot make the control socket 'none/control'" in error


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_control_socket_is_removed_when_the_run_is_interrupted(tool, number):
    env = {**os.environ, **board(tool, f"{GREETING}; exec sleep 60")}
    process = subprocess.Popen([tool.program, *ARGS, "--control", "control"], cwd=tool.folder, env=env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    process.stdout.readline()
    assert (tool.folder / "control").is_socket()
    process.send_signal(number)
    assert process.wait(timeout=20) == 128 + number
    process.stdout.close()
    assert not (tool.folder / "control").exists()


def wait_until(true, limit=60):
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


# Opens the second serial port as QEMU does: what comes from it is 3, what goes to it is 4.
PORT = r"""
for word; do case $word in pipe,id=control,path=*) port=${word#*path=} ;; esac; done
exec 3<>$port.in 4<>$port.out
"""
STOPPED = "diosix: board: all capsules stopped"


class Run:
    """`dmfs run` with a control socket, and a script for a board."""

    def __init__(self, tool, script):
        self.tool = tool
        self.folder = tool.folder / "tmp"
        self.folder.mkdir()
        env = {**os.environ, **board(tool, f"{PORT}{script}"), "TMPDIR": str(self.folder)}
        self.process = subprocess.Popen([tool.program, *ARGS, "--control", "control"], cwd=tool.folder, env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline().startswith("diosix: ")

    def client(self, say=b""):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(60)
        client.connect(str(self.tool.folder / "control"))
        client.sendall(say)
        return client

    def end(self, status=DONE):
        assert self.process.wait(timeout=60) == status
        self.process.stdout.close()
        assert not (self.tool.folder / "control").exists() and list(self.folder.iterdir()) == []


def rest(client):
    with client:
        return b"".join(iter(lambda: client.recv(65536), b""))


MANY = "".join(f"{i}\n" for i in range(1, 150001)).encode()


def test_control_client_that_reads_late_gets_all_and_then_the_end(tool):
    # More than a client's socket takes, and less than waits for it.
    run = Run(tool, f'{GREETING}; read line <&3; echo "$line" >&4; seq 1 150000 >&4; echo "{STOPPED}"')
    client = run.client(b"go\n")
    assert run.process.stdout.readline() == STOPPED + "\n"
    assert len(MANY) > 900000 and rest(client) == b"go\n" + MANY
    run.end()


def test_control_client_that_reads_nothing_ends_with_the_board(tool):
    run = Run(tool, f'{GREETING}; read line <&3; seq 1 150000 >&4; echo "{STOPPED}"')
    with run.client(b"go\n"):
        run.end()


def test_control_client_may_say_all_and_then_listen(tool):
    script = f'{GREETING}; read line <&3; read line <&3; echo "$line" >&4; echo "{STOPPED}"'
    run = Run(tool, script)
    client = run.client(b"x" * 100000 + b"\nlast\n")
    client.shutdown(socket.SHUT_WR)
    assert rest(client) == b"last\n"
    run.end()


def test_control_clients_take_turns_and_get_what_is_theirs(tool):
    run = Run(tool, f'seq 1 1000 >&4; {GREETING}; while read line <&3; do echo "<$line>" >&4; done')
    # Nobody heard what was said before.
    first = run.client(b"one\n")
    assert first.recv(64) == b"<one>\n"
    second = run.client(b"two\n")
    first.sendall(b"three\n")
    assert first.recv(64) == b"<three>\n"
    first.close()
    assert second.recv(64) == b"<two>\n"
    run.process.send_signal(signal.SIGTERM)
    assert rest(second) == b""
    run.end(128 + signal.SIGTERM)


def test_control_port_leaves_nothing_behind_when_dmfs_is_killed(tool):
    run = Run(tool, f"echo $$ >pid; {GREETING}; cat <&3 >&4")
    with run.client(b"x") as client:
        assert client.recv(1) == b"x" and list(run.folder.iterdir()) == []
        run.process.kill()
        run.process.wait()
        run.process.stdout.close()
        assert client.recv(1) == b"" and is_gone(tool)


@pytest.mark.parametrize("moment", [None, 0, 0.002, 0.005, 0.01, 0.02, 0.04])
def test_control_pipes_do_not_stay_when_dmfs_is_killed_early(tool, moment):
    """Before the board has said anything: when QEMU runs, or somewhere on the way there."""
    folder = tool.folder / "tmp"
    folder.mkdir()
    env = {**os.environ, **board(tool, "ls tmp/* >began.new; mv began.new began; exec sleep 60"), "TMPDIR": str(folder)}
    process = subprocess.Popen([tool.program, *ARGS, "--control", "control"], cwd=tool.folder, env=env, stdin=subprocess.DEVNULL,
                               start_new_session=True)
    if moment is None:
        wait_until((tool.folder / "began").exists)
        assert tool.read("began") == b"control.in\ncontrol.out\n"
    else:
        time.sleep(moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: list(folder.iterdir()) == [])


def test_another_s_file_in_its_place_stays(tool):
    boot(tool, "rm control; echo another >control", "--control", "control")
    assert tool.read("control") == b"another\n"


# --- debuggers ---------------------------------------------------------------------------------------

def test_gdb_gets_a_free_port_or_the_one_that_is_named(tool):
    result = boot(tool, TELL, "--gdb")
    port = re.search(r"gdb-multiarch 'diosix.elf' -ex 'target remote 127.0.0.1:([0-9]+)'", result.err).group(1)
    assert "<-gdb><chardev:gdb>" in result.out and "<-S>" not in result.out
    result = boot(tool, TELL, f"--gdb={port}", "--gdb-wait")
    assert f"127.0.0.1:{port}'" in result.err and "waits for a debugger" in result.err and "<-S>" in result.out
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        error = boot(tool, "", f"--gdb={taken}", status=FAILED).error
        assert f"cannot open the TCP port {taken} for --gdb: Address already in use" in error
    assert "--gdb has to be a number" in boot(tool, "", "--gdb=x", status=USAGE).error
    assert "--gdb-wait needs --gdb" in boot(tool, "", "--gdb-wait", status=USAGE).error


def test_log_has_the_console_s_output(tool):
    out = boot(tool, f"{GREETING}; echo more", "--log", "log").out
    assert tool.read("log").decode() == out
    assert "No space left" in boot(tool, f"{GREETING}; exec sleep 30", "--log", "/dev/full", status=FAILED).error


@pytest.mark.parametrize("more", ["exec sleep 30", "exec yes"])
def test_output_that_cannot_be_written_ends_it(tool, more):
    env = {**os.environ, **board(tool, f"echo $$ >pid; {GREETING}; {more}")}
    with open("/dev/full", "wb") as full:
        done = subprocess.run([tool.program, *ARGS], cwd=tool.folder, env=env, stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == FAILED and b"cannot write 'the console': No space left" in done.stderr
    assert is_gone(tool)


def test_time_limit(tool):
    start = time.monotonic()
    result = boot(tool, f"echo $$ >pid; {GREETING}; exec sleep 60", "--timeout", "1", status=TIMEOUT)
    assert 0.9 < time.monotonic() - start < 10
    assert "the time limit of 1 s is over" in result.error
    assert is_gone(tool)


def is_gone(tool):
    pid = int(tool.read("pid"))
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # It may wait for whoever inherited it to look at its status.
        if pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number, status", [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_qemu_does_not_outlive_dmfs(tool, number, status):
    env = {**os.environ, **board(tool, f"echo $$ >pid; {GREETING}; exec sleep 60")}
    process = subprocess.Popen([tool.program, *ARGS], cwd=tool.folder, env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    assert process.stdout.readline().startswith(b"diosix: ")
    process.send_signal(number)
    assert process.wait(timeout=20) == status
    process.stdout.close()
    assert is_gone(tool)


# --- a terminal that was stopped, a pager -------------------------------------------------------------

FLOOD = f"echo $$ >pid; {GREETING}; exec yes more"


class Unread:
    """`dmfs run` of a board that prints without end, to somebody who reads nothing, when all that may wait is full."""

    def __init__(self, tool, *options, script=FLOOD, **how):
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, **how}
        self.process = subprocess.Popen([tool.program, *ARGS, *options], cwd=tool.folder, env={**os.environ, **board(tool, script)}, **how)
        size = fcntl.fcntl(self.process.stdout, fcntl.F_GETPIPE_SZ)
        wait_until(lambda: int.from_bytes(fcntl.ioctl(self.process.stdout, termios.FIONREAD, bytes(4)), "little") > size - 4096)

    def end(self, status):
        assert self.process.wait(timeout=60) == status
        self.process.stdout.close()


def test_time_limit_counts_though_nobody_reads(tool):
    Unread(tool, "--timeout", "2").end(TIMEOUT)
    assert is_gone(tool)


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_ends_it_though_nobody_reads(tool, number, status):
    run = Unread(tool)
    run.process.send_signal(number)
    run.end(status)
    assert is_gone(tool)


def test_control_port_answers_though_nobody_reads(tool):
    run = Unread(tool, "--control", "control", script=f'{PORT}echo $$ >pid; {GREETING}; (read line <&3; echo "$line" >&4) & exec yes more')
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(tool.folder / "control"))
        client.sendall(b"who is there\n")
        assert client.recv(100) == b"who is there\n"
    run.process.terminate()
    run.end(143)
    assert is_gone(tool)


@pytest.mark.parametrize("options, status", [((), DONE), (("--timeout", "2"), TIMEOUT)], ids=["read-late", "never-read"])
def test_what_the_board_said_is_waited_for_when_it_has_ended(tool, options, status):
    run = Unread(tool, *options, script=f'echo $$ >pid; {GREETING}; seq 1 15000; echo "{STOPPED}"')
    assert is_gone(tool)
    if status == DONE:
        assert run.process.poll() is None
        assert run.process.stdout.read().decode().split("\n")[1:-2] == [str(i) for i in range(1, 15001)]
    run.end(status)


def test_ctrl_a_x_ends_it_when_the_board_has_ended_and_nobody_reads(tool):
    master, slave = pty.openpty()
    run = Unread(tool, script=f'echo $$ >pid; {GREETING}; seq 1 15000; echo "{STOPPED}"', stdin=slave, start_new_session=True,
                 preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    assert is_gone(tool)
    os.write(master, b"\x01x")
    run.end(ENDED)
    os.close(slave)
    os.close(master)


def test_reader_that_goes_away_ends_it(tool):
    env = {**os.environ, **board(tool, f"echo $$ >pid; {GREETING}; while :; do echo more; sleep 0.01; done")}
    process = subprocess.Popen([tool.program, *ARGS], cwd=tool.folder, env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=20) == FAILED
    assert is_gone(tool)


def test_what_is_missing_is_named(tool):
    assert "qemu-system-riscv64 is not installed" in tool.run(*ARGS, env={"PATH": "/none"}, status=FAILED).error
    no_image = ["run", "none", *ARGS[2:]]
    assert "cannot read 'none'" in tool.run(*no_image, status=FAILED).error
    no_hypervisor = [*ARGS[:-1], "none.elf"]
    assert "cannot read 'none.elf'" in tool.run(*no_hypervisor, status=FAILED).error
    alone = tool.folder / "without/hypervisor/dmfs"
    alone.parent.mkdir(parents=True)
    shutil.copy(tool.program, alone)
    result = Tool(alone, tool.folder).run("run", "image", "--trust", "a.pub", status=FAILED)
    assert "hypervisor/diosix.elf' is not there" in result.error and "--hypervisor FILE" in result.error


class Terminal:
    """dmfs run with a terminal for everything."""

    def __init__(self, tool, script):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        env = {**os.environ, "TERM": "dumb", **board(tool, script)}
        self.process = subprocess.Popen([tool.program, *ARGS], cwd=tool.folder, env=env, stdin=self.slave,
                                        stdout=self.slave, stderr=self.slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.said = b""

    def expect(self, part):
        deadline = time.monotonic() + 20
        while part not in self.said:
            assert time.monotonic() < deadline, self.said
            self.said += os.read(self.master, 4096)

    def type(self, keys):
        os.write(self.master, keys)

    def end(self):
        status = self.process.wait(timeout=20)
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        assert after == self.before, "the terminal is not as it was"
        return status


# Reads single bytes in hexadecimal until a q.
ECHO = f"""
{GREETING}
while :; do
	c=$(head -c 1 | od -An -tx1 | tr -d ' ')
	echo "<$c>"
	[ "$c" = 71 ] && exit 0
done"""


def test_terminal_is_raw_and_comes_back(tool):
    terminal = Terminal(tool, ECHO)
    terminal.expect(b"Ctrl-a x ends it")
    terminal.expect(b"2 harts")
    terminal.type(b"a\x03\x1a\r\x1c")
    for key in [b"<61>", b"<03>", b"<1a>", b"<0d>", b"<1c>"]:
        terminal.expect(key)
    terminal.type(b"q")
    assert terminal.end() == DONE


def test_ctrl_a_x_ends_and_ctrl_a_a_does_not(tool):
    terminal = Terminal(tool, ECHO)
    terminal.expect(b"2 harts")
    terminal.type(b"\x01a")
    terminal.expect(b"<01>")
    terminal.type(b"\x01\x01")
    terminal.type(b"z")
    terminal.expect(b"<01>\r\n<01>\r\n<7a>")
    terminal.type(b"\x01")
    terminal.type(b"x")
    terminal.expect(b"ended by Ctrl-a x")
    assert terminal.end() == ENDED


def test_terminal_comes_back_when_dmfs_is_ended(tool):
    terminal = Terminal(tool, f"{GREETING}; exec sleep 60")
    terminal.expect(b"2 harts")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 143


# Prints a line on the UART of QEMU's virt, repeats what is typed until a q, and powers off.
PROGRAM = r"""
	.option norvc
	.globl _start
_start:	csrr t0, mhartid
	bnez t0, park
	li s0, 0x10000000
	la s1, text
print:	lbu t0, (s1)
	beqz t0, echo
	sb t0, (s0)
	addi s1, s1, 1
	j print
echo:	lbu t0, 5(s0)
	andi t0, t0, 1
	beqz t0, echo
	lbu t0, (s0)
	sb t0, (s0)
	li t1, 'q'
	bne t0, t1, echo
	li t0, 0x100000
	li t1, 0x5555
	sw t1, (t0)
park:	wfi
	j park
text:	.asciz "diosix: test on riscv-virtio\n"
	.section .dmfs.trust, "aw", @progbits
	.ascii "DIOSIX TRUST V3\0"
	.zero %d - 16
""" % TRUST_SECTION_LEN


def test_real_qemu(tool):
    tool.write("x.S", PROGRAM)
    subprocess.run(["riscv64-unknown-elf-gcc", "-march=rv64ima_zicsr", "-mabi=lp64", "-nostdlib", "-static",
                    "-Wl,-Ttext=0x80000000", "-Wl,--build-id=none", "-o", "x.elf", "x.S"], cwd=tool.folder,
                   check=True)
    result = tool.run("run", "image", "--trust", "a.pub", "--hypervisor", "x.elf", "--timeout", "60",
                      stdin=b"abcq")
    assert result.out == "diosix: test on riscv-virtio\nabcq"


# Repeats what comes in by the second UART of a sifive_u.
SECOND_UART = r"""
	.option norvc
	.globl _start
_start:	csrr t0, mhartid
	bnez t0, park
	li s0, 0x10010000
	la s1, text
print:	lbu t0, (s1)
	beqz t0, echo
	sw t0, (s0)
	addi s1, s1, 1
	j print
echo:	li s0, 0x10011000
	li t1, 1
	sw t1, 8(s0)
	sw t1, 12(s0)
read:	lw t0, 4(s0)
	bltz t0, read
	sw t0, (s0)
	j read
park:	wfi
	j park
text:	.asciz "diosix: test on sifive_u\n"
	.section .dmfs.trust, "aw", @progbits
	.ascii "DIOSIX TRUST V3\0"
	.zero %d - 16
""" % TRUST_SECTION_LEN


def test_control_clients_come_and_go_on_a_real_qemu(tool):
    tool.write("x.S", SECOND_UART)
    subprocess.run(["riscv64-unknown-elf-gcc", "-march=rv64ima_zicsr", "-mabi=lp64", "-nostdlib", "-static",
                    "-Wl,-Ttext=0x80000000", "-Wl,--build-id=none", "-o", "x.elf", "x.S"], cwd=tool.folder,
                   check=True)
    process = subprocess.Popen([tool.program, "run", "image", "--trust", "a.pub", "--hypervisor", "x.elf", "--board",
                                "sifive_u", "--timeout", "120", "--control", "control"], cwd=tool.folder,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"diosix: test on sifive_u\n"
    for byte in b"abc":
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(tool.folder / "control"))
            client.sendall(bytes([byte]))
            assert client.recv(1) == bytes([byte])
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 143
    process.stdout.close()
    assert not (tool.folder / "control").exists()


def test_gdb_attaches_with_the_hypervisor_s_symbols(images, small):
    process = subprocess.Popen([DMFS["plain"], "run", small, "--trust", images.pub, "--timeout", "120", "--gdb",
                                "--gdb-wait"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    command = process.stderr.readline().partition("to attach: ")[2].strip()
    done = subprocess.run(f"{command} -nx -batch -ex 'print trust.magic' "
                          "-ex kill", shell=True, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120)
    process.wait(timeout=60)
    process.stderr.close()
    assert 'DIOSIX TRUST V3' in done.stdout, done.stdout + done.stderr
