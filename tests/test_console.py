# SPDX-License-Identifier: MIT
"""The console service on a board, as somebody sees it who sits at a terminal: the screen is pyte's."""
import re
import subprocess
import time

import pytest

from board import ALL_STOPPED, BUILD, DMFS, INITRAMFS, LIMIT, ROOT, guest, linux, manifest, need
from terminal import Terminal, Tmux

CONSOLE = BUILD / "services/console.elf"
PERMISSIONS = ("service_console, service_control, console_read, console_write, hv_log_read, hv_stats_read, capsule_list, "
               "capsule_start, capsule_stop, capsule_restart, capsule_focus")


def console(options="", permissions=PERMISSIONS):
    lines = ["services:", "  - name: console", f"    program: {need(CONSOLE)}", "    priority: high", "    restart: on-crash",
             f"    permissions: [{permissions}]"]
    if options:
        lines.append(f'    cmdline: "{options}"')
    return "\n".join(lines)


@pytest.fixture
def terminal(images):
    terminals = []

    def start(text, *options, **more):
        terminals.append(Terminal(images.pack(text), images.pub, options, **more))
        return terminals[-1]

    yield start
    for each in terminals:
        each.stop()


def shell(name, **more):
    """Its kernel is quiet: it would write over what programs draw."""
    return linux(name, cmdline="console=ttyS0 loglevel=1", **more)


def small(name, program, **more):
    return guest(name, f"{{file: {need(BUILD / 'service-guests' / program)}, load: 0x80200000, relocatable: true}}", **more)


HELLO = guest("hello", f"{{file: {ROOT}/examples/hello/hello.elf, relocatable: true}}")
IDLE = small("idle", "run-on.bin", cpus=2)


def test_one_guest_has_the_terminal_raw(terminal, where):
    board = terminal(manifest(shell("linux")) + console("terminal=mono"), *where)
    board.shows("# ")
    board.type("echo one-$((40 + 2)); printf '\\033[2J\\033[5;10Hhere'\r")
    board.wait(lambda screen: len(screen.split("\n")[4]) > 12 and screen.split("\n")[4][9:13] == "here", "text at a place")


@pytest.mark.alone
def test_the_bar_switches_and_shows_the_screen_again(terminal):
    board = terminal(manifest(shell("one"), shell("two")) + console("terminal=mono"))
    board.shows("[one]", "[two]", "# ")
    board.type("\x1dtwo\r")
    board.shows_not("[one]")
    board.shows("# ")
    board.type("echo mark-$((1 + 1))\r")
    board.shows("mark-2")
    board.type("\x1d1")
    board.shows_not("mark-2")
    board.type("\x1d2")
    board.shows("mark-2")


def test_kill_and_start(terminal):
    board = terminal(manifest(IDLE, HELLO) + console("terminal=mono view=all"))
    board.shows("opens the console's bar", "[hello] Hello")
    board.type("\x1dkill idle\r")
    board.shows("capsule idle: stopped")
    board.type("\x1dstart idle\r")
    board.wait(lambda screen: screen.rfind("capsule idle: started") > screen.find("capsule idle: stopped") >= 0, "a new start")


def test_top_and_list(terminal):
    board = terminal(manifest(IDLE, HELLO) + console("terminal=mono"))
    board.shows("opens the console's bar", "[hello] Hello")
    board.type("\x1dtop\r")
    board.shows("%CPU", "idle", "console", "running")
    board.type("q")
    board.shows_not("%CPU")
    board.type("\x1dlist\r")
    board.shows("NAME", "KIND", "service")
    board.type("q")
    board.shows_not("KIND")


def test_a_dumb_terminal_gets_no_escapes_from_the_console(terminal):
    board = terminal(manifest(IDLE, HELLO) + console("terminal=dumb"))
    board.shows("opens the console's bar", "[hello] Hello")
    board.type("\x1dlist\r\x1dtop\r\x1dlog\r")
    board.shows("%CPU", "capsule idle: started")
    assert b"\x1b" not in board.raw.split(b"opens the console's bar")[1]


def test_a_missing_permission_is_named(terminal):
    board = terminal(manifest(IDLE) + console("terminal=mono view=all", "service_console, console_read, console_write, capsule_list"))
    board.shows("opens the console's bar")
    board.type("\x1dkill idle\r")
    board.shows("lacks the permission 'capsule_stop'")


@pytest.mark.parametrize("attributes, colour, draws", [
    ("\x1b[?62;22c", True, True), ("\x1b[?1;2c", False, True), ("", False, False)], ids=["xterm", "vt100", "silent"])
def test_a_terminal_that_nobody_names_is_asked(terminal, attributes, colour, draws):
    # Without hv_stats_read the service does not learn what `dmfs run` says of the terminal.
    board = terminal(manifest(IDLE, HELLO) + console("view=all", PERMISSIONS.replace("hv_stats_read, ", "")), attributes=attributes)
    start_hello(board)
    board.type("\x1dlist\r")
    board.shows("KIND", "service")
    assert (b"m[hello] " in board.raw) == colour
    assert (b"\x1b[7m" in board.raw) == draws


def test_the_service_starts_again_and_nothing_printed_is_lost(terminal):
    board = terminal(manifest(shell("linux"), HELLO) + console("terminal=mono"))
    board.shows("[linux] # ")
    board.type("i=0; while [ $i -lt 15 ]; do echo n-$i-; i=$((i+1)); sleep 0.2; done\r")
    board.shows("n-0-")
    board.type("\x1dtop\r")
    board.shows("%CPU")
    board.type("\x1drestart console\r")
    board.shows("n-14-")
    for i in range(15):
        assert b"n-%d-" % i in board.raw
    assert board.raw.partition(b"had not shown is lost")[2].count(b"opens the console's bar") == 1
    assert not board.screen.cursor.hidden
    board.type("echo again-$((1 + 1))\r")
    board.shows("again-2")


def start_hello(board):
    """Once more: what it said first may have been said by the hypervisor's console. It has stopped a moment after that is said."""
    board.shows("opens the console's bar")
    board.wait(lambda screen: b"capsule hello: stopped" in board.raw, "an end of hello")
    ends = board.raw.count(b"capsule hello: stopped")
    while board.raw.count(b"capsule hello: stopped") == ends:
        refused = board.raw.count(b"it has not stopped")
        board.type("\x1dstart hello\r")
        board.wait(lambda screen: board.raw.count(b"capsule hello: stopped") > ends or board.raw.count(b"it has not stopped") > refused,
                   "another end")
    board.shows("[hello] Hello from")


def at_prompt(board):
    """The shell asks where the cursor is; what is typed before the answer would be taken for a part of it."""
    board.wait(lambda screen: board.raw.endswith(b"# \x1b[6n"), "a prompt")


def test_vi_and_htop_in_a_guest_and_a_terminal_that_is_sane_afterwards(terminal):
    archives = f"[{INITRAMFS}, {need(BUILD / 'guests/htop.gz')}]"
    board = terminal(manifest(shell("linux", memory="192M").replace(str(INITRAMFS), archives), HELLO) + console("terminal=color focus=linux"))
    at_prompt(board)
    board.type("echo one >f; TERM=xterm vi f\r")
    board.shows("~")
    board.type("\x07")  # its line at the bottom, should it have something else there
    board.shows("- f 1/1")
    board.type("ofirst\r\x1b[A")  # the cursor goes up while text is put in
    board.type("\x1b")
    board.shows("- f [Modified] 2/3 66%")
    before = board.text()
    away_and_back(board, "- f [Modified] 2/3 66%")
    assert board.text() == before
    board.type(":wq\r")
    at_prompt(board)
    board.type("wc -l f\r")
    board.shows("3 f")
    htop(board)
    at_prompt(board)
    board.type("sh -c 'trap \"echo int-\\$((2 + 1)); exit\" INT; echo go-$((1 + 1)); while :; do :; done'\r")
    board.shows("go-2")
    board.type("\x03")
    board.shows("int-3")
    at_prompt(board)
    board.type("\x1dtop\r")
    board.shows("%CPU")
    board.type("q")
    board.shows_not("%CPU")
    board.shows("int-3")
    board.type("poweroff -f\r")
    board.wait(lambda screen: "all capsules stopped" in screen, "the end")
    assert not board.screen.cursor.hidden
    assert board.screen.cursor.attrs.fg == "default" and not board.screen.cursor.attrs.reverse


def away_and_back(board, gone):
    """To another guest and back; what this one has asked the terminal is not asked again."""
    board.type("\x1dhello\r")
    board.shows_not(gone)
    board.type("\x1dlinux\r")
    board.shows(gone)
    assert b"\x1b[6n" not in board.raw[board.raw.rfind(b"\x1b[2J"):]


def shows_htop(board):
    board.wait(re.compile(r"^ *PID USER +PRI .*Command *$", re.M).search, "htop's header")
    board.wait(re.compile(r"^ *\d+ \S+ +20 .* htop *$", re.M).search, "htop in its own table")
    board.wait(lambda screen: re.match(r"F1Help +F2Setup .*F10Quit", screen.split("\n")[-1]), "its keys")


def htop(board):
    """Its terminal is one of those that pyte can be: it does not repeat characters."""
    board.type("TERM=linux htop\r")
    shows_htop(board)
    away_and_back(board, "F10Quit")
    shows_htop(board)
    board.type("q")
    board.shows("# ")


# --- terminals of many kinds -----------------------------------------------------------------------

def visit_all(board):
    """Everything of the console's own that can be on a screen."""
    start_hello(board)
    board.type("\x1dli\t")
    board.shows("> list")
    board.type("\r")
    board.shows("KIND", "service")
    board.type("q")
    board.shows_not("KIND")
    board.type("\x1dtop\r")
    board.shows("%CPU", "q leaves; sorts by")
    board.type("nq")
    board.shows_not("%CPU")
    board.type("\x1dlog\r")
    board.shows("log, info, following")
    board.type("/started\r")
    board.shows("log, info:")
    board.type("q")
    board.shows_not("log, info:")
    board.type("\x1dhello\r")
    board.shows_not("[hello]")
    board.shows("Hello from")
    board.type("\x1dall\r")
    board.shows("[hello] Hello from", "diosix: capsule hello: stopped")


# What a VT100 has, of its user guide; and the attributes that it has.
VT100 = re.compile(r"""\x1b(?: [78=>DEHMNOZc] | [()][AB012] | \[\d*[ABCD] | \[(?:\d*;\d*)?[Hf] | \[[012]?[JK] | \[(?:\d+;\d+)?r
    | \[[03]?g | \[0?c | \[[56]n | \[\?[1-9](?:;[1-9])*[hl] | \[20[hl] | \[[01457]?(?:;[01457])*m )""", re.X)


def test_a_vt100_gets_what_it_has(terminal):
    board = terminal(manifest(IDLE, HELLO) + console("view=all"), term="vt100")
    visit_all(board)
    board.type("\x1dquit\r")
    board.shows("capsule console:")
    raw = board.raw.decode("latin-1")
    assert not re.search(r"[^ -~\r\n\x0f]", VT100.sub("", raw)), repr(VT100.sub("", raw))
    assert raw.count("\x1b[7m") > 5
    # The hypervisor's console goes on below what was there.
    assert 0 <= board.text().find("[hello] Hello from") < board.text().find("capsule console:")


@pytest.mark.parametrize("term, environment, options, colour", [
    ("xterm-256color", {}, "", True), ("xterm-256color", {"NO_COLOR": "1"}, "", False),
    ("xterm-256color", {}, "color=never", False), ("vt100", {}, "", False), ("vt100", {}, "color=always", True)], ids=["xterm", "NO_COLOR", "never", "vt100", "always"])
def test_colour_is_where_it_is_wanted(terminal, monkeypatch, term, environment, options, colour):
    monkeypatch.delenv("NO_COLOR", raising=False)
    board = terminal(manifest(IDLE, HELLO) + console(f"view=all {options}"), term=term, **environment)
    visit_all(board)
    row = next(row for row, line in enumerate(board.screen.display) if line.startswith("[hello] "))
    assert (board.screen.buffer[row][1].fg != "default") == colour
    assert bool(re.search(rb"\x1b\[(?:\d+;)*[34]\d", board.raw)) == colour
    colours = {cell.fg for line in board.screen.buffer.values() for cell in line.values()}
    assert (colours <= {"default"}) != colour


def at_the_bottom(board, text):
    """On the last line alone, which is lit up, and nothing is wider than the screen."""
    rows = board.screen.lines
    board.wait(lambda screen: text in screen.split("\n")[rows - 1] and screen.count(text) == 1, f"{text!r} in line {rows}")
    board.wait(lambda screen: board.screen.buffer[rows - 1][0].reverse, "a bar that is lit up")


@pytest.mark.parametrize("rows, columns", [(24, 80), (40, 120)])
def test_screens_have_the_terminal_s_size_and_follow_it(terminal, rows, columns):
    board = terminal(manifest(IDLE, HELLO) + console("view=all"), rows=rows, columns=columns)
    visit_all(board)
    for rows, columns in [(rows, columns), (30, 100), (24, 80)]:
        board.resize(rows, columns)
        board.type("\x1dtop\r")
        at_the_bottom(board, "q leaves; sorts by")
        name = min(columns - 71, 31)
        board.wait(lambda screen: screen.split("\n")[1].startswith(f"{'NAME':{name}} STATE"), "a table of that width")
        board.resize(rows + 5, columns + 9)  # while it is there
        at_the_bottom(board, "q leaves; sorts by")
        board.type("q")
        board.shows_not("q leaves")
        board.type("\x1dlog\r")
        at_the_bottom(board, "log, info, following")
        board.type("q")
        board.shows_not("log, info")
        board.type("\x1dst\t")
        at_the_bottom(board, "> st  start stats stop")
        board.type("\x1b")
        board.shows_not("> st")


# --- no terminal -----------------------------------------------------------------------------------

def in_file(process, path, text, times):
    """Waits until it is there so often, `dmfs run` at its work."""
    deadline = time.monotonic() + LIMIT
    while path.read_bytes().count(text) < times:
        assert process.poll() is None and time.monotonic() < deadline, f"{text} did not come:\n{path.read_bytes()[-4000:]}"
        time.sleep(0.05)


def run_into_a_file(images, path, text, steps):
    """`dmfs run >FILE`; what is typed comes by a pipe, each when its text has come so often. All that is in the file."""
    with open(path, "wb") as output:
        process = subprocess.Popen([DMFS, "run", images.pack(text), "--trust", images.pub, "--timeout", str(LIMIT)],
                                   stdin=subprocess.PIPE, stdout=output, stderr=subprocess.DEVNULL)
    with process:
        try:
            for text, times, typed in steps:
                in_file(process, path, text, times)
                process.stdin.write(typed)
                process.stdin.flush()
            assert process.wait(timeout=2 * LIMIT) == 0
        finally:
            process.kill()
    return path.read_bytes()


def test_a_file_gets_a_guest_s_own_bytes_and_no_others(images, tmp_path):
    output = run_into_a_file(images, tmp_path / "output", manifest(small("painter", "paint.bin"), IDLE) + console("view=all"), [
        (b"capsule painter: stopped", 1, b"\x1dfocus painter\r"), (b"\r\n[painter]\r\n", 1, b"\x1dstart painter\r"),
        (b"has shut down]", 2, b"\x1dkill idle\r\x1dquit\r")])
    painted = output.partition(b"has started again]\r\n")[2].partition(b"attack paint: held")[0]
    # The line of the bar, where "start" was typed, may end behind what it says of the start.
    assert painted.removeprefix(b"\r\n") == b"".join(b"\x1b[31mred %04d\x1b[m\r\n" % i for i in range(2000))


@pytest.mark.alone
@pytest.mark.parametrize("view", ["all", "one"])
def test_the_board_ends_when_the_last_line_has_been_shown(images, tmp_path, view):
    names = ["painter", "other"] if view == "all" else ["painter"]
    paints = "".join(f"\x1dstart {name}\r" for name in names)
    output = run_into_a_file(images, tmp_path / "output", manifest(*[small(name, "paint.bin") for name in names], IDLE) + console("view=all"), [
        *[(f"capsule {name}: stopped".encode(), 1, b"") for name in names], (b"opens the console's bar", 1, b"\x1dkill idle\r"),
        (b"capsule idle: stopped", 1, (f"\x1d{view}\r" if view == "all" else "\x1dfocus painter\r").encode() + paints.encode())])
    shown = output.rpartition(b"> start ")[2]
    assert b"lost" not in shown
    if view == "all":
        lines = shown.decode().split("\r\n")
        for name in names:
            assert [line for line in lines if line.startswith(f"[{name}] ")] == [
                *[f"[{name}] red {n:04}" for n in range(2000)], f"[{name}] attack paint: held"]
    else:
        assert b"\x1b[31mred 1999\x1b[m\r\nattack paint: held\n\r\n[diosix: painter has shut down]\r\n" in shown
    assert shown.index(b"attack paint: held") < shown.index(b"diosix: capsule console: stopped\r\n") < shown.index(
        b"diosix: board: all capsules stopped\r\n")


@pytest.mark.alone
def test_a_file_gets_every_line_of_all_guests_and_no_escape_sequences(images, tmp_path):
    names = ["painter-1", "painter-2", "painter-3"]
    painters = [small(name, "paint.bin") for name in names]
    ends = [f"\r\ndiosix: capsule {name}: stopped\r\n".encode() for name in names]
    starts = "".join(f"\x1dstart {name}\r" for name in names)
    output = run_into_a_file(images, tmp_path / "output", manifest(*painters, IDLE) + console("view=all"), [
        (b"opens the console's bar", 1, b""), *[(end, 1, b"") for end in ends], (b"", 1, starts.encode()),
        *[(end, 2, b"") for end in ends], (b"", 1, b"\x1dkill idle\r\x1dquit\r")])
    output = output.partition(b"> start painter-1\r\n")[2].partition(b"> quit")[0]
    assert b"\x1b" not in output and b"lost" not in output
    lines = output.decode().split("\r\n")
    for name in names:
        assert [line for line in lines if line.startswith(f"[{name}] red")] == [f"[{name}] red {n:04}" for n in range(2000)]
        # What it printed comes before its end.
        assert lines.index(f"diosix: capsule {name}: stopped") > lines.index(f"[{name}] red 1999")


# --- tmux ------------------------------------------------------------------------------------------

@pytest.fixture
def tmux(images, tmp_path_factory):
    started = []

    def start(text):
        started.append(Tmux(tmp_path_factory.mktemp("tmux"), images.pack(text), images.pub))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def test_in_tmux(tmux):
    board = tmux(manifest(shell("linux"), HELLO) + console())
    board.shows("opens the console's bar", "[linux] # ")
    board.keys("C-]", "start hello", "Enter")
    board.shows("[hello] Hello from")
    board.keys("C-]", "st", "Tab")
    board.shows("> st  start stats stop")
    board.keys("Escape")
    board.shows_not("> st")
    board.keys("C-]", "1")
    board.shows_not("[linux]")
    board.shows("# ")
    # Nothing is typed at the next prompt: the shell asks where the cursor is, and waits for an answer.
    board.keys("echo from-$((1 + 1)) >f; vi f; clear; wc -l f", "Enter")
    board.shows("from-2", "~")
    board.keys("C-g")
    board.shows("- f 1/1")
    board.keys("ocontinued", "Escape")
    board.shows("continued", "- f [Modified] 2/2 100%")
    before = [line.rstrip() for line in board.text().split("\n")]
    board.keys("C-]", "hel", "Enter")
    board.shows("'hel' is no command and no capsule; it could be help, hello")
    board.keys("C-]", "hell", "Tab", "Enter")
    board.shows("Hello from")
    board.shows_not("continued")
    board.keys("C-]", "lin", "Tab", "Enter")
    board.wait(lambda screen: [line.rstrip() for line in screen.split("\n")] == before, f"vi's screen as it was:\n{before}")
    board.keys(":wq", "Enter")
    board.shows("2 f")
    board.shows_not("- f [")
    board.keys("C-]", "top", "Enter")
    board.shows("%CPU", "linux", "q leaves; sorts by")
    board.keys("q")
    board.shows_not("%CPU")
    board.shows("2 f")
    board.keys("C-]", "log", "Enter")
    board.shows("log, info, following")
    board.keys("/", "hello: started", "Enter")
    board.shows("log, info:")
    found = next(line for line in board.text("-e").split("\n") if "hello: started" in line)
    assert "\x1b[7m" in found
    board.keys("q")
    board.shows_not("log, info:")
    board.shows("2 f")
    board.keys("C-]", "all", "Enter")
    board.shows("[linux] #", "[hello] Hello from")
    board.keys("poweroff -f", "Enter")
    board.shows(ALL_STOPPED, "status 0")
    assert (board.flag("cursor_flag"), board.flag("alternate_on")) == ("1", "0")
