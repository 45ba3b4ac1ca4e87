# SPDX-License-Identifier: MIT
"""Images that are encrypted: who can read them, and what boards without the key say."""
import hashlib
import json
import re
import subprocess

import pytest

import board
from cli_support import DMFS, REFUSED, USAGE, Tool, hypervisor, manifest

SEALED = "it is encrypted, and not to a key that is here"
SECRET = b"what nobody else may read " * 30000


@pytest.fixture(params=DMFS)
def tool(request, tmp_path):
    tool = Tool(DMFS[request.param], tmp_path)
    tool.write("raw.bin", SECRET)
    tool.write("m.yaml", manifest("encrypt: true"))
    tool.write("plain.yaml", manifest())
    tool.run("keygen", "a", "--quiet")
    for name in ("b1", "b2", "b3"):
        tool.run("keygen", name, "--seal", "--quiet")
    return tool


def pack(tool, *more, out="e.dmfs", text="m.yaml", **options):
    to = ["--recipient", "b1.pub", "--recipient", "b2.pub"]
    return tool.run("pack", text, "-o", out, "--key", "a.key", "--chunk", "64K", *to, *more, **options)


def test_each_recipient_can_extract_and_nobody_else(tool):
    pack(tool)
    tool.run("verify", "e.dmfs", "--trust", "a.pub", "--unseal", "b1.key")
    shown = json.loads(tool.run("inspect", "e.dmfs", "--json").out)["objects"]
    assert [item["encrypted"] for item in shown] == [True, True]
    shown = tool.run("inspect", "e.dmfs").out
    assert "encrypted: linux.kernel\n" in shown and "encrypted to 2 keys\n" in shown
    assert "by their hashes alone" in tool.run("verify", "e.dmfs", "--trust", "a.pub").out
    for name in ("b1", "b2"):
        tool.run("extract", "e.dmfs", "-C", name, "--unseal", f"{name}.key")
        assert (tool.folder / name / "linux.kernel").read_bytes() == SECRET
    assert SEALED in tool.run("extract", "e.dmfs", "-C", "none", status=REFUSED).error
    assert SEALED in tool.run("extract", "e.dmfs", "-C", "none", "--unseal", "b3.key", status=REFUSED).error
    assert not (tool.folder / "none" / "linux.kernel").exists()
    # What would be there in the clear, compressed: the same chunk of the image that is not encrypted.
    tool.run("pack", "plain.yaml", "-o", "p.dmfs", "--unsigned", "--chunk", "64K")
    assert tool.read("p.dmfs")[-200:] not in tool.read("e.dmfs")


def test_recipients_change_and_the_signature_stays(tool):
    pack(tool)
    before = tool.run("digest", "e.dmfs", text=False).out
    tool.run("reseal", "e.dmfs", "--unseal", "b2.key", "--recipient", "b3.pub", "-o", "r.dmfs")
    assert tool.run("digest", "r.dmfs", text=False).out == before
    tool.run("verify", "r.dmfs", "--trust", "a.pub", "--unseal", "b3.key")
    assert SEALED in tool.run("verify", "r.dmfs", "--trust", "a.pub", "--unseal", "b2.key", status=REFUSED).error
    assert len(tool.read("e.dmfs")) == len(tool.read("r.dmfs")) + 80
    # A signature can be added to a sealed image, and sealing goes on to work.
    tool.run("keygen", "c", "--quiet")
    tool.run("sign", "r.dmfs", "--key", "c.key")
    both = ["--trust", "a.pub", "--trust", "c.pub", "--threshold", "2"]
    tool.run("verify", "r.dmfs", *both, "--unseal", "b3.key")
    assert SEALED in tool.run("reseal", "r.dmfs", "--unseal", "b1.key", "--recipient", "b1.pub", status=REFUSED).error
    tool.run("pack", "plain.yaml", "-o", "p.dmfs", "--unsigned")
    result = tool.run("reseal", "p.dmfs", "--unseal", "b1.key", "--recipient", "b1.pub", status=REFUSED)
    assert "nothing in 'p.dmfs' is encrypted" in result.error


def test_a_content_key_file_gives_the_same_bytes(tool):
    tool.write("content", bytes(range(32)))
    for out, more in (("1", ["-j1"]), ("2", ["-j7"])):
        pack(tool, "--content-key-file", "content", *more, out=out)
    assert tool.read("1") == tool.read("2")
    pack(tool, out="3")
    pack(tool, out="4")
    assert tool.read("3") != tool.read("4"), "a random content key was the same twice"
    tool.write("short", b"0" * 31)
    assert "31 bytes" in pack(tool, "--content-key-file", "short", status=REFUSED).error


def test_a_forged_sealed_key_opens_nothing(tool):
    """Sealed keys are not signed: one that holds another content key changes what is unsealed, and no chunk opens."""
    pack(tool, out="1")
    pack(tool, out="2")
    one, two = tool.read("1"), tool.read("2")
    at = len(tool.run("digest", "1", text=False).out) + 16 + 96
    tool.write("f.dmfs", one[:at] + two[at:at + 160] + one[at + 160:])
    verdict = tool.run("verify", "f.dmfs", "--trust", "a.pub", "--unseal", "b1.key", status=REFUSED)
    assert "cannot be decrypted" in verdict.error
    # And one that was damaged is none.
    for bit in (0, 300, 639):
        broken = bytearray(one)
        broken[at + bit // 8] ^= 1 << bit % 8
        tool.write("d.dmfs", bytes(broken))
        tool.run("verify", "d.dmfs", "--trust", "a.pub", "--unseal", "b2.key")
        assert SEALED in tool.run("verify", "d.dmfs", "--trust", "a.pub", "--unseal", "b1.key", status=REFUSED).error


def test_the_cache_holds_nothing_that_is_encrypted(tool):
    tool.write("content", bytes(range(32)))
    tool.write("zeros.bin", bytes(200_000))
    tool.write("m.yaml", manifest("encrypt: true\ninitrd: zeros.bin", top="banners: [hello]"))
    tool.write("hello", "hello, whoever reads this")
    pack(tool, "--content-key-file", "content", out="1")
    for times in range(2):
        said = pack(tool, "--content-key-file", "content", "--cache", "cache", out="2").err
        assert f"cache: {times} of 1 chunks were there" in said
        assert tool.read("2") == tool.read("1")
    files = [path for path in (tool.folder / "cache").rglob("*") if path.is_file()]
    assert len(files) == 1, "more than the banner is there"
    # Chunks of zeros are alike, but not as they are stored.
    payload = tool.read("2")[len(tool.run("digest", "2", text=False).out) + 16 + 96 + 2 * 80:]
    windows = [payload[at:at + 24] for at in range(len(payload) - 24)]
    assert len(set(windows)) == len(windows) > 1000
    tool.run("extract", "2", "linux.initrd", "-C", "out", "--unseal", "b1.key")
    assert (tool.folder / "out" / "linux.initrd").read_bytes() == bytes(200_000)


def test_disks_of_a_guest_are_encrypted_with_it(tool):
    tool.write("disk.img", SECRET[1:])
    tool.write("m.yaml", manifest("encrypt: true\ndisks: [disk.img]"))
    pack(tool)
    objects = json.loads(tool.run("inspect", "e.dmfs", "--json").out)["objects"]
    assert {item["name"]: item["encrypted"] for item in objects}["linux.disk.0"] is True
    tool.run("extract", "e.dmfs", "linux.disk.0", "-C", "out", "--unseal", "b2.key")
    assert (tool.folder / "out" / "linux.disk.0").read_bytes() == SECRET[1:]


def test_json_says_what_is_done_with_keys(tool):
    sealing = json.loads(tool.run("keygen", "j", "--seal", "--json").out)
    assert sealing["public_key"] in tool.read("j.pub").decode()
    pack(tool)
    verify = ["verify", "e.dmfs", "--trust", "a.pub", "--json"]
    assert json.loads(tool.run(*verify).out)["unpacked"] is False
    assert json.loads(tool.run(*verify, "--unseal", "b1.key").out)["unpacked"] is True
    refused = json.loads(tool.run(*verify, "--unseal", "b3.key", status=REFUSED).out)
    assert refused["verified"] is False and refused["reason"] == SEALED
    assert tool.run(*verify, "--unseal", "a.key", status=REFUSED).out == "", "a verdict without the image's fault"
    resealed = json.loads(tool.run("reseal", "e.dmfs", "--unseal", "b1.key", "--recipient", "b3.pub", "--json").out)
    assert resealed["command"] == "reseal" and resealed["image"] == "e.dmfs"


def test_explain_asks_for_the_key_that_the_board_has(tool):
    pack(tool)
    explain = ["explain", "e.dmfs", "--board", "virt", "--trust", "a.pub", "--json"]
    for more, bad in (([], [SEALED]), (["--unseal", "b3.key"], [SEALED]), (["--unseal", "b1.key"], [])):
        case = json.loads(tool.run(*explain, *more, status=REFUSED if bad else 0).out)
        assert [check["text"] for check in case["checks"] if not check["good"]] == bad
        assert "encryption" in [check["check"] for check in case["checks"]]


def test_sbom_has_sums_of_what_can_be_read(tool):
    pack(tool)
    kernel = hashlib.sha256(SECRET).hexdigest()
    for more, known in (([], False), (["--unseal", "b1.key"], True)):
        package = json.loads(tool.run("sbom", "e.dmfs", *more).out)["packages"][1]
        assert package["name"] == "linux.kernel"
        assert (package["checksums"][0]["checksumValue"] == kernel) is known
        assert ("stored bytes" in package["comment"]) is not known
    assert SEALED in tool.run("sbom", "e.dmfs", "--unseal", "b3.key", status=REFUSED).error


def test_manifest_and_command_line_have_to_agree(tool):
    result = tool.run("pack", "m.yaml", "-o", "x", "--unsigned", status=REFUSED)
    assert "say to whom with --recipient" in result.error
    assert "encrypt: true" in pack(tool, text="plain.yaml", out="x", status=REFUSED).error
    assert "same key" in pack(tool, "--recipient", "b1.pub", status=USAGE).error
    assert "signs; one of 'dmfs keygen --seal'" in pack(tool, "--recipient", "a.pub", status=REFUSED).error
    assert "without --recipient" in tool.run("pack", "m.yaml", "-o", "x", "--unsigned", "--content-key-file", "a.pub",
                                             status=USAGE).error


def test_a_bundle_with_a_secret_is_its_owner_s_alone(tool):
    tool.write("hv", hypervisor())
    tool.run("bundle", "hv", "--trust", "a.pub", "--unseal", "b1.key", "-o", "board.elf")
    secret = bytes.fromhex(tool.read("b1.key").split()[1].decode())
    assert secret in tool.read("board.elf")
    assert (tool.folder / "board.elf").stat().st_mode & 0o777 == 0o600


# --- on boards -------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def encrypted(images, tmp_path_factory):
    """A guest that dies and is restarted from an encrypted image, and one in the clear beside it."""
    folder = tmp_path_factory.mktemp("encrypted")
    for name in ("mine", "other"):
        subprocess.run([board.DMFS, "keygen", "--seal", "--quiet", folder / name], check=True)
    kernel = folder / "shutdown.bin"
    kernel.write_bytes(bytes.fromhex("a1480145730000007300000001a0") + bytes(300000))
    place = f"{{file: {kernel}, load: 0x80200000, relocatable: true}}"
    path = folder / "m.yaml"
    again = {"restart": "always", "restart_limit": 3}
    path.write_text(board.manifest(board.guest("hidden", place, encrypt="true", **again), board.guest("open", place)))
    image = folder / "m.dmfs"
    subprocess.run([board.DMFS, "pack", "--quiet", path, "-o", image, "--key", images.key, "--chunk", "16K",
                    "--recipient", folder / "other.pub", "--recipient", folder / "mine.pub"], check=True)
    return folder, image


def boot(image, images, *options):
    done = subprocess.run([board.DMFS, "run", "--quiet", image, "--trust", images.pub, "--timeout", str(board.LIMIT),
                           *map(str, options)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    refused = re.search(r"image refused: (.*?)\s*\n", done.stdout)
    return refused.group(1) if refused else None, done.stdout


@pytest.mark.parametrize("how", board.BOARDS)
def test_a_board_with_the_key_boots_and_one_without_says_why_not(encrypted, images, how):
    folder, image = encrypted
    how = board.BOARDS[how]
    refused, said = boot(image, images, "--unseal", folder / "mine.key", *how)
    assert refused is None and "capsule hidden: restart" in said, said
    assert "capsule open: stopped" in said
    refused, said = boot(image, images, *how)
    assert refused == SEALED and "started" not in said
    subprocess.run([board.DMFS, "keygen", "--seal", "--quiet", folder / f"third{len(how)}{how[-1]}"], check=True)
    refused, said = boot(image, images, "--unseal", folder / f"third{len(how)}{how[-1]}.key", *how)
    assert refused == SEALED and "started" not in said


def test_a_board_refuses_a_forged_content_key(encrypted, images):
    folder, image = encrypted
    other = folder / "again.dmfs"
    subprocess.run([board.DMFS, "pack", "--quiet", folder / "m.yaml", "-o", other, "--key", images.key, "--chunk", "16K",
                    "--recipient", folder / "other.pub", "--recipient", folder / "mine.pub"], check=True)
    region = subprocess.run([board.DMFS, "digest", image], capture_output=True, check=True).stdout
    at = len(region) + 16 + 96
    forged = folder / "forged.dmfs"
    forged.write_bytes(image.read_bytes()[:at] + other.read_bytes()[at:at + 160] + image.read_bytes()[at + 160:])
    refused, said = boot(forged, images, "--unseal", folder / "mine.key")
    assert refused is not None and "cannot be decrypted" in refused and "started" not in said
