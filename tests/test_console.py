# SPDX-License-Identifier: MIT
"""The console service on a board, as somebody sees it who sits at a terminal: the screen is pyte's."""
import pytest

from board import BUILD, ROOT, guest, linux, manifest, need
from terminal import Terminal

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


def shell(name):
    return linux(name, cmdline="console=ttyS0")


HELLO = guest("hello", f"{{file: {ROOT}/examples/hello/hello.elf, relocatable: true}}")
IDLE = guest("idle", f"{{file: {BUILD}/service-guests/run-on.bin, load: 0x80200000, relocatable: true}}", cpus=2)


def test_one_guest_has_the_terminal_raw(terminal, where):
    board = terminal(manifest(shell("linux")) + console("terminal=mono"), *where)
    board.shows("# ")
    board.type("echo one-$((40 + 2)); printf '\\033[2J\\033[5;10Hhere'\r")
    board.wait(lambda screen: len(screen.split("\n")[4]) > 12 and screen.split("\n")[4][9:13] == "here", "text at a place")


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
    board.shows("opens the console's bar")
    board.shows("opens the console's bar", "capsule hello: stopped")
    board.type("\x1dstart hello\r")  # its first lines may have been the hypervisor's console's
    board.wait(lambda screen: b"Hello from" in board.raw.partition(b"> start hello")[2], "a greeting")
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
    assert board.raw.count(b"opens the console's bar") == 2
    assert not board.screen.cursor.hidden
    board.type("echo again-$((1 + 1))\r")
    board.shows("again-2")


def at_prompt(board):
    """The shell asks where the cursor is; what is typed before the answer would be taken for a part of it."""
    board.wait(lambda screen: board.raw.endswith(b"# \x1b[6n"), "a prompt")


def test_vi_in_a_guest_and_a_terminal_that_is_sane_afterwards(terminal):
    board = terminal(manifest(shell("linux")) + console("terminal=color"))
    at_prompt(board)
    board.type("echo one >f; TERM=xterm vi f\r")
    board.shows("- f 1/1")
    board.type("ofirst\r\x1b[A")  # the cursor goes up while text is put in
    board.type("\x1b")
    board.shows("- f [Modified]")
    board.type(":wq\r")
    at_prompt(board)
    board.type("wc -l f\r")
    board.shows("3 f")
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
    at_prompt(board)
    board.type("poweroff -f\r")
    board.wait(lambda screen: "all capsules stopped" in screen, "the end")
    assert not board.screen.cursor.hidden
    assert board.screen.cursor.attrs.fg == "default" and not board.screen.cursor.attrs.reverse
