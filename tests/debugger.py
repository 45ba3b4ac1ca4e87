# SPDX-License-Identifier: MIT
"""QEMU's gdbstub, as far as it takes to see when the hypervisor comes by some of its functions."""
import socket
import subprocess

from board import HYPERVISOR, LIMIT, Board

MTIME = 0x200bff8  # of the board `virt`
PC, RA, A0 = 32, 1, 10


def symbols():
    """Addresses of the hypervisor's functions; it runs where it was linked for."""
    names = subprocess.run(["riscv64-unknown-elf-nm", HYPERVISOR], capture_output=True, text=True, check=True).stdout
    return {name: int(at, 16) for at, _, name in (line.split() for line in names.splitlines())}


class Debugger:
    """A board that stops at chosen functions. Harts are numbered from 1, as the stub does."""

    def __init__(self, folder, image, pub, options, qemu):
        path = folder / "gdb"
        path.unlink(missing_ok=True)
        # The listening socket is ours, so there is nothing to wait for.
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(LIMIT)
        self.board = Board(image, pub, options, ("-S", "-chardev", f"socket,id=gdb,path={path}", "-gdb", "chardev:gdb",
                                                 *qemu))
        self.stub, _ = listener.accept()
        listener.close()
        self.stub.settimeout(LIMIT)
        self.buffer = b""
        self.symbols = symbols()
        self.names = {}
        self.ask("?")

    def byte(self):
        if not self.buffer:
            self.buffer = self.stub.recv(65536)
            assert self.buffer, "QEMU has gone"
        first, self.buffer = self.buffer[:1], self.buffer[1:]
        return first

    def ask(self, command):
        """The answer to a command; to one that goes on, where it stopped."""
        self.stub.sendall(f"${command}#{sum(command.encode()) & 255:02x}".encode())
        while self.byte() != b"$":
            pass
        answer = b""
        while (byte := self.byte()) != b"#":
            answer += byte
        self.byte(), self.byte()
        self.stub.sendall(b"+")
        return answer.decode()

    def stop_at(self, *names):
        for name in names:
            assert name in self.symbols, f"the hypervisor has no function {name} any more: measure another"
            self.stop_at_address(self.symbols[name], name)

    def stop_at_address(self, address, name):
        if address not in self.names:
            assert self.ask(f"Z0,{address:x},4") == "OK"
            self.names[address] = name

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.ask("g"))[8 * number:8 * number + 8], "little")

    def ticks(self):
        """Time since reset, in ticks of 100 instructions."""
        return int.from_bytes(bytes.fromhex(self.ask(f"m{MTIME:x},8")), "little")

    def go(self, hart=None):
        """Lets all harts run, or one alone, until one comes by a function: (its name, the hart)."""
        stopped = self.ask("vCont;c" + (f":{hart:x}" if hart else ""))
        assert stopped.startswith("T05"), stopped
        hart = int(stopped.partition("thread:")[2].partition(";")[0], 16)
        assert self.ask(f"Hg{hart:x}") == "OK"
        return self.names[self.register(PC)], hart

    def step(self, hart):
        """
        Past the function's first instruction, so that it can go on. By a breakpoint on the second one: the stub's own
        steps confuse the clock of -icount. A function does not begin with a jump.
        """
        address = self.register(PC)
        compressed = int(self.ask(f"m{address:x},1"), 16) & 3 != 3
        behind = address + (2 if compressed else 4)
        assert self.ask(f"z0,{address:x},4") == "OK" and self.ask(f"Z0,{behind:x},4") == "OK"
        self.ask(f"vCont;c:{hart:x}")
        assert self.ask(f"Hg{hart:x}") == "OK" and self.register(PC) == behind
        assert self.ask(f"z0,{behind:x},4") == "OK" and self.ask(f"Z0,{address:x},4") == "OK"

    def stop(self):
        self.stub.close()
        self.board.stop()
