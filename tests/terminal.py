# SPDX-License-Identifier: MIT
"""A terminal, pyte's, with a board behind it."""
import os

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


class Terminal:
    """`dmfs run` in a terminal; one of 24 lines of 80 unless something else is said."""

    def __init__(self, image, pub, options, term="xterm-256color", rows=24, columns=80, attributes=None):
        command = ["run", str(image), "--trust", str(pub), "--timeout", str(LIMIT), *options]
        self.child = pexpect.spawn(str(DMFS), command, timeout=LIMIT, dimensions=(rows, columns),
                                   env=dict(os.environ, TERM=term, LC_ALL="C"))
        self.child.delaybeforesend = None
        self.screen = Answering(columns, rows, lambda data: self.child.send(data), attributes)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""

    def text(self):
        return "\n".join(self.screen.display)

    def wait(self, condition, what):
        """Reads until the screen is as it should be."""
        while not condition(self.text()):
            try:
                data = self.child.read_nonblocking(4096, LIMIT)
            except (pexpect.EOF, pexpect.TIMEOUT) as error:
                raise AssertionError(f"{what} did not come ({type(error).__name__}):\n{self.text()}\n{self.raw[-2000:]}") from None
            self.raw += data
            self.stream.feed(data)

    def shows(self, *texts):
        for text in texts:
            self.wait(lambda screen, text=text: text in screen, repr(text))

    def shows_not(self, text):
        self.wait(lambda screen: text not in screen, f"an end of {text!r}")

    def type(self, text):
        self.child.send(text)

    def stop(self):
        self.child.close(force=True)
