# SPDX-License-Identifier: MIT
"""Helpers for tests of the `dmfs` command."""
import os
import pathlib
import struct
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The command as it ships, and the same under the sanitizers.
DMFS = {"plain": ROOT / "build/dmfs", "sanitized": ROOT / "build/asan/dmfs"}

DONE, REFUSED, USAGE, FAILED = 0, 1, 2, 3


def manifest(guest="", image="", top="", memory="16M", kernel="{file: raw.bin, load: 0x80200000}"):
    """A manifest with one guest; `guest` holds further lines for it."""
    lines = ["dmfs: 1", f"image: {{name: demo{image}}}"]
    lines += [top] if top else []
    lines += ["guests:", "  - name: linux", f"    kernel: {kernel}", f"    memory: {memory}"]
    lines += ["    " + line for line in guest.splitlines()]
    return "\n".join(lines) + "\n"


class Tool:
    """Runs one build of dmfs in a folder of its own."""

    def __init__(self, program, folder):
        self.program = str(program)
        self.folder = pathlib.Path(folder)

    def run(self, *args, status=DONE, env=None, cwd=None, stdin=b"", text=True, **more):
        environment = {**os.environ, "LC_ALL": "C", **(env or {})}
        done = subprocess.run([self.program, *map(str, args)], cwd=cwd or self.folder, input=stdin,
                              capture_output="stdout" not in more, env=environment, timeout=120, **more)
        out = done.stdout.decode() if text and done.stdout is not None else done.stdout
        err = done.stderr.decode() if done.stderr is not None else ""
        assert "Sanitizer" not in err and "runtime error" not in err, err
        assert done.returncode == status, f"{args}: status {done.returncode}\n{out}\n{err}"
        return Result(out, err)

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def read(self, name):
        return (self.folder / name).read_bytes()


class Result:
    def __init__(self, out, err):
        self.out, self.err = out, err

    @property
    def error(self):
        """The first line of what was said."""
        return self.err.split("\n")[0]


def elf(load=0x80200000, payload=b"\x13\0\0\0" * 4, bits=64, machine=243, sections=()):
    """A RISC-V ELF with one segment, and sections (name, bytes) if there are any."""
    header_len, segment_len = 64, 56
    names = b"\0" + b"".join(name.encode() + b"\0" for name, _ in sections) + b".shstrtab\0"
    body = b"\0" * header_len + b"\0" * segment_len + payload
    records, at = [b"\0" * 64], 1
    for name, data in [*sections, (".shstrtab", names)]:
        records.append(struct.pack("<IIQQQQIIQQ", at, 1, 0, 0, len(body), len(data), 0, 0, 1, 0))
        at += len(name) + 1
        body += data
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1, 1]) + b"\0" * 9
    header = ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, load, header_len, len(body), 0,
                                 header_len, segment_len, 1, 64, len(records), len(records) - 1)
    segment = struct.pack("<IIQQQQQQ", 1, 5, header_len + segment_len, load, load, len(payload),
                          len(payload), 4096)
    return header + segment + body[header_len + segment_len:] + b"".join(records)


TRUST_SECTION_LEN = 1104


def hypervisor():
    """As much of a hypervisor as bundling needs."""
    trust = b"DIOSIX TRUST V3\0" + b"\0" * (TRUST_SECTION_LEN - 16)
    return elf(sections=[(".text", b"\0" * 8), (".dmfs.trust", trust)])
