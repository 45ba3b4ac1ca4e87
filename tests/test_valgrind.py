# SPDX-License-Identifier: MIT
"""The command under valgrind's memcheck: no invalid access, nothing uninitialised that matters, no leak."""
import base64
import subprocess

import pytest

from cli_support import DMFS, ROOT, Tool, manifest

WRONG = 99  # exit status when memcheck has something to say
MEMCHECK = ["valgrind", "--quiet", f"--error-exitcode={WRONG}", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect",
            "--show-leak-kinds=definite,indirect", "--trace-children=no"]


class Checked(Tool):
    """Runs each command under valgrind, with the exit status that it has without."""

    def run(self, *args, status=0):
        done = subprocess.run([*MEMCHECK, self.program, *map(str, args)], cwd=self.folder, capture_output=True, timeout=300)
        assert done.returncode == status, f"{args}: status {done.returncode}\n{done.stderr.decode()}"
        assert b"==" not in done.stderr, done.stderr.decode()
        return done


@pytest.fixture
def tool(tmp_path):
    tool = Checked(DMFS["plain"], tmp_path)
    tool.write("raw.bin", bytes(range(256)) * 64)
    tool.write("initrd", bytes(range(255)) * 400)
    tool.write("m.yaml", manifest("initrd: initrd\ncmdline: console=ttyS0\npermissions: [console_write]\n"
                                  "devicetree: {overlay: x.dtbo}", memory="16M", top="banners: [raw.bin]"))
    overlay = ROOT / "tests/fuzz/references.dtso"
    subprocess.run(["dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", tool.folder / "x.dtbo", overlay], check=True)
    return tool


def test_memcheck_notices_what_is_wrong(tmp_path):
    """Or the test below would tell nothing."""
    source, program = tmp_path / "wrong.c", tmp_path / "wrong"
    source.write_text("#include <stdlib.h>\nint main(void) { volatile char *p = malloc(8); return p[8] != 0; }\n")
    subprocess.run(["gcc", "-g", "-O0", "-o", program, source], check=True)
    assert subprocess.run([*MEMCHECK, program], capture_output=True, timeout=300).returncode == WRONG


def test_every_command_is_clean(tool):
    tool.run("keygen", "a")
    tool.run("keygen", "b")
    tool.run("pack", "m.yaml", "-o", "demo.dmfs", "--key", "a.key", "-j2", "--chunk", "4K")
    tool.run("pack", "m.yaml", "-o", "plain.dmfs", "--unsigned", "-j1")
    tool.run("verify", "demo.dmfs", "--trust", "a.pub", "--board", "virt")
    tool.run("inspect", "demo.dmfs", "--trust", "a.pub")
    tool.run("inspect", "demo.dmfs", "--json")
    tool.run("extract", "demo.dmfs", "-C", "out")
    tool.run("diff", "demo.dmfs", "plain.dmfs", status=1)
    tool.run("dtgen", "m.yaml", "linux")
    tool.run("dtgen", "m.yaml", "linux", "-o", "x.dtb")
    tool.run("sign", "plain.dmfs", "--key", "a.key", "-o", "signed.dmfs")
    tool.run("digest", "demo.dmfs", "-o", "digest")
    seed = bytes.fromhex(tool.read("b.key").split()[1].decode())
    # PKCS#8 of an Ed25519 key, RFC 8410 section 7.
    pem = base64.encodebytes(bytes.fromhex("302e020100300506032b657004220420") + seed).decode()
    tool.write("b.pem", f"-----BEGIN PRIVATE KEY-----\n{pem}-----END PRIVATE KEY-----\n")
    subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "b.pem", "-in", "digest", "-out", "signature"],
                   cwd=tool.folder, check=True)
    tool.run("attach", "demo.dmfs", "--pub", "b.pub", "--signature", "signature", "-o", "both.dmfs")
    tool.run("verify", "both.dmfs", "--trust", "a.pub", "--trust", "b.pub", "--threshold", "2")


def test_refusals_are_clean(tool):
    """Errors take the ways that are walked least."""
    tool.run("keygen", "a")
    tool.run("pack", "m.yaml", "-o", "demo.dmfs", "--key", "a.key")
    image = tool.read("demo.dmfs")
    tool.write("changed.dmfs", image[:-1] + bytes([image[-1] ^ 1]))
    tool.run("verify", "changed.dmfs", "--trust", "a.pub", status=1)
    tool.run("extract", "changed.dmfs", "-C", "out", status=1)
    tool.write("cut.dmfs", image[:300])
    tool.run("inspect", "cut.dmfs", status=1)
    tool.run("keygen", "a", status=3)
    tool.run("verify", "none", "--trust", "a.pub", status=3)
    tool.run("verify", "demo.dmfs", "--trust", "a.key", status=1)
    tool.write("bad.yaml", manifest("memroy: 1M\ncpus: 99\ninitrd: no.gz"))
    tool.run("pack", "bad.yaml", "-o", "x", "--unsigned", status=1)
    tool.write("x.dtbo", tool.read("x.dtbo")[:100])
    tool.run("pack", "m.yaml", "-o", "x", "--unsigned", status=1)
