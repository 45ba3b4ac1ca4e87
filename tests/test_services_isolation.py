# SPDX-License-Identifier: MIT
"""Services that misuse the service ABI, with all permissions that there are; docs/threat-model.md lists what they try."""
import re

from board import BUILD, ROOT, guest, manifest, need

PERMISSIONS = re.findall(r"\tDMFS_PERM_(\w+),", (ROOT / "sdk/libdmfs/dmfs.h").read_text())


def all_but(*names):
    return f"[{', '.join(name.lower() for name in PERMISSIONS if name.lower() not in names)}]"


def raw(path):
    return f"{{file: {need(BUILD / path)}, load: 0x80200000, relocatable: true}}"


def test_random_calls_of_all_kinds_disturb_nobody(images, boot, where):
    program = raw("service-guests/call-at-random.bin")
    image = images.pack(manifest(
        guest("bystander", raw("attacks/bystander.bin")),
        # Nobody has the console and the log: so the log is printed all the time.
        guest("one", program, cpus=2, permissions=all_but("hv_log_read")),
        guest("two", program, cpus=2, permissions=all_but("service_console")),
        guest("victim", program, cmdline="victim", cpus=2, restart="always",
              permissions=all_but("service_console", "hv_log_read"))))
    board = boot(image, "--harts", "2", *where)
    for name in "one", "two":
        while not re.search(f"diosix: capsule {name}: (stopped|crashed)", board.text):
            board.expect(r"\n")
    assert not re.search("BROKEN|status [1-9]", board.text), board.tail()
    board.send("\x1d1x")
    board.expect("bystander: undisturbed until the end")
    board.expect_line("diosix: board: all capsules stopped")
    text = board.end(status=0)
    # The victim was ended while all that went on, more than once.
    assert len(re.findall("diosix: capsule victim: (?:re)?started", text)) > 10
