# SPDX-License-Identifier: MIT
"""Terminals, pyte's and tmux, with a board behind them."""
import os
import shlex
import subprocess
import time

import pexpect
import pyte

from board import DMFS, LIMIT


class Answering(pyte.Screen):
    """A screen that answers what it is asked: pyte's answers go nowhere by themselves."""

    def __init__(self, columns, rows, answer, attributes=None):
        super().__init__(columns, rows)
        self.answer, self.attributes = answer, attributes

    def report_device_attributes(self, mode=0, **more):
        if self.attributes is None:
            super().report_device_attributes(mode, **more)
        else:
            self.answer(self.attributes)

    def write_process_input(self, data):
        self.answer(data)


class Shown:
    """What can be seen: text() is the screen, and more() lets it go on, or says with an AssertionError why it does not."""

    def wait(self, condition, what):
        """Until the screen is as it should be."""
        while not condition(self.text()):
            self.more(what)

    def shows(self, *texts):
        for text in texts:
            self.wait(lambda screen, text=text: text in screen, repr(text))

    def shows_not(self, text):
        self.wait(lambda screen: text not in screen, f"an end of {text!r}")


class Terminal(Shown):
    """`dmfs run` in a terminal; one of 24 lines of 80 unless something else is said."""

    def __init__(self, image, pub, options, term="xterm-256color", rows=24, columns=80, attributes=None, **environment):
        command = ["run", str(image), "--trust", str(pub), "--timeout", str(LIMIT), *options]
        self.child = pexpect.spawn(str(DMFS), command, timeout=LIMIT, dimensions=(rows, columns),
                                   env=dict(os.environ, TERM=term, LC_ALL="C", **environment))
        self.child.delaybeforesend = None
        self.screen = Answering(columns, rows, lambda data: self.child.send(data), attributes)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""

    def text(self):
        return "\n".join(self.screen.display)

    def more(self, what):
        try:
            data = self.child.read_nonblocking(4096, LIMIT)
        except (pexpect.EOF, pexpect.TIMEOUT) as error:
            raise AssertionError(f"{what} did not come ({type(error).__name__}):\n{self.text()}\n{self.raw[-2000:]}") from None
        self.raw += data
        self.stream.feed(data)

    def resize(self, rows, columns):
        """As somebody who draws at the window's corner."""
        self.child.setwinsize(rows, columns)
        self.screen.resize(rows, columns)

    def type(self, text):
        self.child.send(text)

    def stop(self):
        self.child.close(force=True)


class Tmux(Shown):
    """`dmfs run` in a tmux with a server of its own, whose socket is in `folder`. When it has ended its status is shown."""

    def __init__(self, folder, image, pub, options=(), rows=24, columns=80):
        self.command = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        self.environment = {key: value for key, value in os.environ.items() if key not in ("TMUX", "NO_COLOR")} | {"LC_ALL": "C"}
        run = shlex.join([str(DMFS), "run", str(image), "--trust", str(pub), "--timeout", str(LIMIT), *options])
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), f"{run}; echo status $?; exec cat", ";",
                  "set", "-g", "status", "off")
        self.deadline = time.monotonic() + LIMIT

    def tmux(self, *arguments):
        done = subprocess.run([*self.command, *arguments], env=self.environment, capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def text(self, *options):
        return self.tmux("capture-pane", "-pN", *options)

    def more(self, what):
        assert time.monotonic() < self.deadline, f"{what} did not come:\n{self.text()}"
        time.sleep(0.05)

    def flag(self, name):
        return self.tmux("display-message", "-p", f"#{{{name}}}").strip()

    def keys(self, *names):
        """Keys by tmux's names for them; what is no name is typed as it is."""
        self.tmux("send-keys", *names)

    def stop(self):
        self.tmux("kill-server")
