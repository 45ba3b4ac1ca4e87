# SPDX-License-Identifier: MIT
"""The `dmfs` command: exit statuses, messages, files. Runs the build that ships and the sanitized one."""
import json
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import signal
import subprocess
import time

import pytest

from cli_support import (DMFS, DONE, FAILED, REFUSED, ROOT, USAGE, Tool, elf, hypervisor, manifest)

BAD = sorted((ROOT / "manifests/bad").glob("*.yaml"))


@pytest.fixture(params=DMFS)
def tool(request, tmp_path):
    """dmfs in an empty folder with a raw kernel and a key pair."""
    program = DMFS[request.param]
    assert program.exists(), f"build it first: make {program.relative_to(ROOT)}"
    tool = Tool(program, tmp_path)
    tool.write("raw.bin", bytes(range(256)) * 4096)
    tool.run("keygen", "a", "--quiet")
    return tool


def pack(tool, text=None, *more, out="demo.dmfs", **options):
    tool.write("m.yaml", manifest() if text is None else text)
    return tool.run("pack", "m.yaml", "-o", out, "--key", "a.key", *more, **options)


# --- usage -----------------------------------------------------------------------------------------

COMMANDS = re.findall(r"^  ([a-z]+) ", subprocess.run([DMFS["plain"], "help"], capture_output=True,
                                                       text=True).stdout, re.M)


def test_without_a_command_it_lists_them(tool):
    assert "usage: dmfs COMMAND" in tool.run(status=USAGE).err
    assert tool.run("--help").out == tool.run("help").out
    assert len(COMMANDS) >= 14


def test_version(tool):
    assert re.fullmatch(r"dmfs \d+\.\d+\.\d+\n", tool.run("--version").out)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself_as_the_manual_does(tool, command):
    text = tool.run("help", command).out
    assert text == tool.run(command, "--help").out
    assert text.startswith(f"usage: dmfs {command}")
    assert all(len(line) <= 100 for line in text.splitlines())
    assert f"```\n{text}```" in (ROOT / "docs/cli.md").read_text()


@pytest.mark.parametrize("args, message", [
    (["pakc"], "unknown command 'pakc'; did you mean 'pack'?"),
    (["explian"], "unknown command 'explian'; did you mean 'explain'?"),
    (["help", "--completion", "bosh"], "--completion is bash, zsh or fish, not 'bosh'"),
    (["xyzzy"], "unknown command 'xyzzy'"),
    (["--frobnicate"], "unknown option '--frobnicate'"),
    (["pack", "m.yaml", "--ouptut", "x"], "pack: unknown option '--ouptut'; did you mean '--output'?"),
    (["pack", "m.yaml", "-Z"], "pack: unknown option '-Z'"),
    (["pack", "m.yaml"], "pack: --output IMAGE is missing"),
    (["pack", "-o", "x", "--unsigned"], "pack: an argument is missing: dmfs pack MANIFEST"),
    (["pack", "m.yaml", "n.yaml", "-o", "x"], "pack: 'n.yaml' is one argument too many"),
    (["pack", "m.yaml", "-o"], "pack: --output needs a value, IMAGE"),
    (["pack", "m.yaml", "-o", "x", "-o", "y"], "pack: --output is given 2 times"),
    (["pack", "m.yaml", "-o", "x"], "pack: sign with --key NAME.key"),
    (["pack", "m.yaml", "-o", "x", "--key", "a.key", "--unsigned"], "contradict each other"),
    (["pack", "m.yaml", "-o", "x", "--unsigned", "--level", "13"], "--level has to be a number from 1 to 12"),
    (["pack", "m.yaml", "-o", "x", "--unsigned", "-j0"], "--jobs has to be a number from 1"),
    (["pack", "m.yaml", "-o", "x", "--unsigned", "--chunk", "5000"], "power of two"),
    (["inspect", "x", "--json=yes"], "inspect: --json takes no value"),
    (["inspect", "x", "--threshold", "1"], "says nothing without --trust"),
    (["verify", "x"], "verify: --trust NAME.pub is missing"),
    (["verify", "x", "--trust", "a.pub", "--threshold", "0"], "--threshold has to be a number from 1 to 1"),
    (["verify", "x", "--trust", "a.pub", "--trust", "a.pub"], "are the same key"),
    (["run", "x", "--trust", "a.pub", "--board", "vitr"], "did you mean 'virt'?"),
    (["run", "x", "--trust", "a.pub", "--board", "sifive_u", "--isolation", "gstage"], "no H extension"),
    (["run", "x", "--trust", "a.pub", "--board", "sifive_u", "--harts", "5"], "from 1 to 4"),
    (["run", "x", "--trust", "a.pub", "--isolation", "magic"], "auto, gstage or pmp"),
    (["run", "x", "--trust", "a.pub", "--memory", "1"], "--memory has to be a size from 32M"),
    (["dtgen", "m.yaml", "linux", "--format", "pdf"], "--format is dtb or dts"),
])
def test_wrong_usage_says_what_is_right(tool, args, message):
    result = tool.run(*args, status=USAGE)
    assert message in result.error
    assert "dmfs help" in result.err
    assert result.out == ""


# --- manifests -------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_manifest_is_refused_with_place_and_reason(tool, path):
    expected = path.read_text().split("\n")[0]
    assert expected.startswith("# expect: "), "say on the first line what is expected"
    result = tool.run("pack", path.name, "--unsigned", "-o", tool.folder / "x.dmfs", cwd=path.parent,
                      status=REFUSED)
    assert result.error == f"{path.name}:{expected[len('# expect: '):]}"
    assert not (tool.folder / "x.dmfs").exists()


def test_all_errors_are_reported_in_one_run(tool):
    result = pack(tool, manifest("memroy: 1M\ncpus: 99\ninitrd: no.gz"), status=REFUSED)
    assert result.err.count(": error: ") == 3
    assert "m.yaml:7:5: error: unknown key 'memroy' in guest 'linux'\n" \
           "    7 |     memroy: 1M\n" \
           "      |     ^^^^^^ did you mean 'memory'?\n" in result.err


def test_misspelt_key_is_not_reported_as_missing_too(tool):
    text = manifest().replace("kernel:", "kernal:")
    assert pack(tool, text, status=REFUSED).err.count(": error: ") == 1


def test_a_flood_of_errors_ends_after_a_hundred(tool):
    result = pack(tool, manifest("\n".join(f"k{i}: 1" for i in range(500))), status=REFUSED)
    assert result.err.count("unknown key") == 100
    assert "too many errors in 'm.yaml'" in result.err


@pytest.mark.parametrize("data, message", [
    (b"", "empty: a manifest begins with"),
    (b"\x7fELF\2\1\1\0\0", "binary file"),
    (b"#" * (1 << 20) + b"\n", "larger than 1 MiB"),
    (b"dmfs: \xff\n", "not YAML"),
], ids=["empty", "binary", "huge", "no-utf-8"])
def test_what_is_no_manifest_is_refused(tool, data, message):
    tool.write("m.yaml", data)
    assert message in tool.run("pack", "m.yaml", "--unsigned", "-o", "x", status=REFUSED).error


def test_manifest_that_is_not_there(tool):
    result = tool.run("pack", "none.yaml", "--unsigned", "-o", "x", status=FAILED)
    assert result.error == "dmfs: error: cannot read 'none.yaml': No such file or directory"
    assert "Is a directory" in tool.run("pack", ".", "--unsigned", "-o", "x", status=FAILED).error


def test_kernels_for_other_machines_are_refused_with_a_sentence(tool):
    for data, message in [(elf(bits=32), "32-bit ELF"), (elf(machine=62), "another architecture"),
                          (elf()[:100], "damaged"), (b"\x1f\x8b" + b"\0" * 20, "gzip, but damaged")]:
        tool.write("k", data)
        result = pack(tool, manifest(kernel="k"), status=REFUSED)
        assert result.error.startswith("m.yaml:5:13: error: 'k' is ") and message in result.error


def test_too_little_memory_names_both_numbers(tool):
    tool.write("initrd", os.urandom(3 << 20))
    result = pack(tool, manifest("initrd: initrd", memory="4M"), status=REFUSED)
    assert result.error == "m.yaml:6:13: error: 'linux' needs 8M of memory for what is loaded, but has 4M"


def test_too_many_objects_names_both_numbers(tool):
    names = [f"{n}.txt" for n in range(1030)]
    for name in names:
        tool.write(name, name)
    done = pack(tool, manifest(top=f"banners: [{', '.join(names)}]"), status=REFUSED)
    assert "make 1032 objects; an image has at most 1024" in done.err


def test_shipped_schema_is_the_code_s_own(tool):
    text = tool.run("schema").out
    assert text == (ROOT / "sdk/mkdmfs/manifest.schema.json").read_text()
    schema = json.loads(text)
    manual = (ROOT / "docs/manifest.md").read_text()

    def names(node):
        for key, value in node.get("properties", {}).items():
            yield key
            yield from names(value)
        for part in [node.get("items"), *node.get("anyOf", [])]:
            if part:
                yield from names(part)
    for name in set(names(schema)):
        assert f"`{name}`" in manual, f"docs/manifest.md does not explain {name}"


# --- packing ---------------------------------------------------------------------------------------

def test_pack_verify_inspect_extract(tool):
    assert "1 capsule, 1 signature" in pack(tool).err
    assert "verified: demo" in tool.run("verify", "demo.dmfs", "--trust", "a.pub").out
    assert "nothing was verified" in tool.run("inspect", "demo.dmfs").out
    assert "nothing was verified" not in tool.run("inspect", "demo.dmfs", "--trust", "a.pub").out
    tool.run("extract", "demo.dmfs", "-C", "out")
    assert sorted(os.listdir(tool.folder / "out")) == ["linux.devicetree", "linux.kernel"]
    assert tool.read("out/linux.kernel") == tool.read("raw.bin")


def test_same_inputs_same_bytes(tool):
    tool.write("initrd", os.urandom(600000))
    pack(tool, manifest("initrd: initrd"))
    tool.run("keygen", "b")
    first = tool.read("demo.dmfs")
    for more, options in [(["-j1"], {}), (["-j7"], {}), ([], {"env": {"TZ": "Asia/Tokyo"}}),
                          ([], {"env": {"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8"}})]:
        pack(tool, manifest("initrd: initrd"), *more, out="again.dmfs", **options)
        assert tool.read("again.dmfs") == first
    elsewhere = tool.folder / "some/where else"
    elsewhere.mkdir(parents=True)
    for name in ["m.yaml", "raw.bin", "initrd", "a.key"]:
        shutil.copy(tool.folder / name, elsewhere)
    tool.run("pack", elsewhere / "m.yaml", "-o", "again.dmfs", "--key", "a.key")
    assert tool.read("again.dmfs") == first


def test_time_is_source_date_epoch_or_none(tool):
    pack(tool)
    assert json.loads(tool.run("inspect", "--json", "demo.dmfs").out)["created"] == 0
    pack(tool, env={"SOURCE_DATE_EPOCH": "1700000000"})
    assert "2023-11-14T22:13:20Z" in tool.run("inspect", "demo.dmfs").out
    assert "SOURCE_DATE_EPOCH" in pack(tool, status=USAGE, env={"SOURCE_DATE_EPOCH": "now"}).error


def test_one_file_in_one_role_is_stored_once(tool):
    text = manifest() + "  - name: other\n    kernel: {file: ./raw.bin, load: 0x80400000}\n    memory: 32M\n"
    pack(tool, text)
    image = json.loads(tool.run("inspect", "--json", "demo.dmfs").out)
    assert [o["name"] for o in image["objects"]] == ["linux.kernel", "linux.devicetree", "other.devicetree"]
    assert [c["kernel"]["load"] for c in image["capsules"]] == ["0x80200000", "0x80400000"]


def test_through_pipes(tool):
    pack(tool)
    packed = tool.run("pack", "-", "-o", "-", "--key", "a.key", "-q", stdin=manifest().encode(), text=False)
    assert packed.out == tool.read("demo.dmfs") and packed.err == ""
    assert "-: verified" in tool.run("verify", "-", "--trust", "a.pub", stdin=packed.out).out


def test_quiet_says_nothing(tool):
    result = pack(tool, None, "--quiet")
    assert result.out == result.err == ""


def test_full_disk_is_a_failure_and_the_device_stays(tool):
    assert "No space left" in pack(tool, out="/dev/full", status=FAILED).error
    assert not os.path.isfile("/dev/full")
    with open("/dev/full", "wb") as full:
        for args in [["help"], ["schema"], ["pack", "m.yaml", "-o", "-", "--unsigned"]]:
            assert "No space left" in tool.run(*args, status=FAILED, stdout=full,
                                               stderr=subprocess.PIPE).err


def test_limit_on_file_size_leaves_nothing(tool):
    tool.write("initrd", os.urandom(1 << 20))

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
    before = set(os.listdir(tool.folder)) | {"m.yaml"}
    result = pack(tool, manifest("initrd: initrd"), status=FAILED, preexec_fn=limit)
    assert "File too large" in result.error
    assert set(os.listdir(tool.folder)) == before


def test_failed_pack_leaves_the_old_image(tool):
    tool.write("demo.dmfs", b"old")
    pack(tool, manifest("cpus: 0"), status=REFUSED)
    assert tool.read("demo.dmfs") == b"old"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_pack_leaves_nothing(tool, number):
    tool.write("initrd", os.urandom(48 << 20))
    tool.write("m.yaml", manifest("initrd: initrd", memory="128M"))
    before = set(os.listdir(tool.folder))
    process = subprocess.Popen([tool.program, "pack", "m.yaml", "-o", "demo.dmfs", "--key", "a.key",
                                "-l12"], cwd=tool.folder, stderr=subprocess.DEVNULL)
    time.sleep(0.25)
    assert process.poll() is None, "it was done before it could be killed"
    process.send_signal(number)
    assert process.wait() == -number
    assert set(os.listdir(tool.folder)) == before


def test_missing_folder_and_unwritable_target(tool):
    assert "No such file or directory" in pack(tool, out="none/x.dmfs", status=FAILED).error
    assert "Is a directory" in pack(tool, out=".", status=FAILED).error


def test_symbolic_link_keeps_being_one(tool):
    (tool.folder / "real").mkdir()
    tool.write("real/image", b"old")
    os.symlink("real/image", tool.folder / "link")
    pack(tool, out="link")
    assert os.path.islink(tool.folder / "link")
    tool.run("verify", "real/image", "--trust", "a.pub")


# --- keys and signatures ---------------------------------------------------------------------------

def test_keygen_never_overwrites(tool):
    secret, public = tool.read("a.key"), tool.read("a.pub")
    assert "never overwritten" in tool.run("keygen", "a", status=FAILED).error
    os.remove(tool.folder / "a.key")
    assert "never overwritten" in tool.run("keygen", "a", status=FAILED).error
    assert not (tool.folder / "a.key").exists(), "half a key pair was left"
    assert tool.read("a.pub") == public and secret.startswith(b"diosix-ed25519-secret-v1 ")


def test_secret_key_is_for_its_owner_alone(tool):
    assert (tool.folder / "a.key").stat().st_mode & 0o777 == 0o600
    assert "warning" not in pack(tool).err
    os.chmod(tool.folder / "a.key", 0o644)
    assert "warning: 'a.key' can be read by others" in pack(tool).err


@pytest.mark.parametrize("data, message", [
    (b"", "is no secret key"),
    (b"diosix-ed25519-secret-v1 1234\n", "is no secret key"),
    (b"diosix-ed25519-secret-v1 " + b"g" * 64 + b"\n", "is no secret key"),
    (b"diosix-ed25519-secret-v1 " + b"0" * 64 + b"\n\n", "is no secret key"),
    (b"diosix-ed25519-public-v1 " + b"0" * 64 + b"\n", "is a public key; a secret key"),
])
def test_what_is_no_secret_key_is_refused(tool, data, message):
    tool.write("bad.key", data)
    tool.write("m.yaml", manifest())
    result = tool.run("pack", "m.yaml", "-o", "x", "--key", "bad.key", status=REFUSED)
    assert message in result.error


def test_unsigned_image_gains_signatures(tool):
    tool.run("keygen", "b")
    tool.write("m.yaml", manifest())
    tool.run("pack", "m.yaml", "-o", "u.dmfs", "--unsigned")
    assert "no board takes this image" in tool.run("inspect", "u.dmfs").out
    tool.run("verify", "u.dmfs", "--trust", "a.pub", status=REFUSED)
    tool.run("sign", "u.dmfs", "--key", "a.key", "-o", "one.dmfs")
    pack(tool)
    assert tool.read("one.dmfs") == tool.read("demo.dmfs"), "signing later gives other bytes"
    tool.run("verify", "one.dmfs", "--trust", "a.pub")
    both = ["--trust", "a.pub", "--trust", "b.pub", "--threshold", "2"]
    assert "refused" in tool.run("verify", "one.dmfs", *both, status=REFUSED).error
    assert "signed by key" in tool.run("sign", "one.dmfs", "--key", "b.key").err
    tool.run("verify", "one.dmfs", *both)
    assert "already" in tool.run("sign", "one.dmfs", "--key", "b.key", status=REFUSED).error


def test_wrong_key_is_named(tool):
    tool.run("keygen", "b")
    pack(tool)
    result = tool.run("verify", "demo.dmfs", "--trust", "b.pub", status=REFUSED)
    ids = [json.loads(tool.run("inspect", "--json", "demo.dmfs").out)["signatures"][0]["key_id"]]
    assert all(key in result.err for key in ids)


def test_signature_made_by_openssl_is_taken(tool):
    openssl = shutil.which("openssl")
    assert openssl, "openssl is needed for this test"
    seed = tool.read("a.key").split()[1].decode()
    der = bytes.fromhex("302e020100300506032b657004220420" + seed)
    tool.write("a.der", der)
    tool.write("m.yaml", manifest())
    tool.run("pack", "m.yaml", "-o", "u.dmfs", "--unsigned")
    tool.run("digest", "u.dmfs", "-o", "region")
    assert tool.run("digest", "u.dmfs", text=False).out == tool.read("region")
    subprocess.run([openssl, "pkeyutl", "-sign", "-rawin", "-inkey", "a.der", "-keyform", "DER", "-in",
                    "region", "-out", "sig"], cwd=tool.folder, check=True)
    tool.run("attach", "u.dmfs", "--pub", "a.pub", "--signature", "sig", "-o", "s.dmfs")
    pack(tool)
    assert tool.read("s.dmfs") == tool.read("demo.dmfs")
    signature = bytearray(tool.read("sig"))
    signature[3] ^= 1
    tool.write("sig", bytes(signature))
    result = tool.run("attach", "u.dmfs", "--pub", "a.pub", "--signature", "sig", status=REFUSED)
    assert "the signature is not one of 'u.dmfs'" in result.error
    tool.write("sig", b"short")
    assert "64 raw bytes" in tool.run("attach", "u.dmfs", "--pub", "a.pub", "--signature", "sig",
                                      status=REFUSED).error


# --- looking into images ---------------------------------------------------------------------------

def test_each_changed_byte_is_noticed(tool):
    pack(tool)
    good = tool.read("demo.dmfs")
    for at in [0, 40, 100, 300, len(good) // 2, len(good) - 1]:
        tool.write("bad.dmfs", good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1:])
        assert "is refused" in tool.run("verify", "bad.dmfs", "--trust", "a.pub", status=REFUSED).error
    for bad in [b"", good[:100], good[:-1], good + b"\0", b"\x7fELF" * 100]:
        tool.write("bad.dmfs", bad)
        for command in ["inspect", "extract", "digest"]:
            assert "is refused" in tool.run(command, "bad.dmfs", status=REFUSED).error


def test_damaged_payload_names_the_object(tool):
    pack(tool)
    good = tool.read("demo.dmfs")
    tool.write("bad.dmfs", good[:-1] + bytes([good[-1] ^ 1]))
    result = tool.run("verify", "bad.dmfs", "--trust", "a.pub", status=REFUSED)
    assert "object 'linux.devicetree', chunk 1 of 1" in result.error
    tool.run("extract", "bad.dmfs", "linux.devicetree", "-C", "out", status=REFUSED)
    assert os.listdir(tool.folder / "out") == []


def test_board_and_rollback_are_checked(tool):
    pack(tool, manifest(image=", rollback: 3, boards: [virt]"))
    trust = ["verify", "demo.dmfs", "--trust", "a.pub"]
    tool.run(*trust, "--board", "virt", "--rollback", "3")
    tool.run(*trust, "--board", "riscv-virtio")
    tool.run(*trust, "--board", "sifive_u", status=REFUSED)
    tool.run(*trust, "--board", "acme,board", status=REFUSED)
    tool.run(*trust, "--rollback", "4", status=REFUSED)
    assert "did you mean 'virt'?" in tool.run(*trust, "--board", "vrit", status=USAGE).error


def test_inspect_fits_a_hundred_columns(tool):
    name = "a" * 31
    text = manifest("cmdline: \"" + "word " * 100 + "x" * 300 + "\"\n"
                    "permissions: [service_console, service_storage, service_network, service_control, "
                    "console_read, console_write, hv_log_read, hv_stats_read, capsule_list]\n"
                    "affinity: [" + ", ".join(map(str, range(64))) + "]").replace("linux", name)
    pack(tool, text)
    lines = tool.run("inspect", "demo.dmfs").out.splitlines()
    assert max(map(len, lines)) <= 100
    assert any("63" in line for line in lines)


def test_inspect_does_not_obey_the_image(tool):
    pack(tool, manifest(r'cmdline: "a\x1b[31mred\u009b31m\u00e9"'))
    result = tool.run("inspect", "demo.dmfs")
    assert "\x1b" not in result.out and "\x9b" not in result.out and "é" in result.out
    assert "\\u001b" in tool.run("inspect", "--json", "demo.dmfs").out


def test_json_has_a_schema_number_and_all_of_the_image(tool):
    pack(tool, manifest("cpus: 2\ncmdline: 'say \"hi\" \\\\ é'\npermissions: [console_write]",
                        image=", version: \"1.0\", boards: [virt]"))
    image = json.loads(tool.run("inspect", "--json", "demo.dmfs", "--trust", "a.pub").out)
    assert image["schema"] == 1 and image["verified"] is True
    assert image["boards"] == ["riscv-virtio"]
    assert image["signatures"][0]["trusted"] is True
    guest = image["capsules"][0]
    assert guest["cpus"] == 2 and guest["cmdline"] == 'say "hi" \\\\ é'
    assert guest["permissions"] == ["console_write"] and guest["initrd"] is None
    assert image["objects"][0]["raw_len"] == len(tool.read("raw.bin"))


def test_extract_stays_inside_and_overwrites_nothing(tool):
    pack(tool)
    (tool.folder / "out").mkdir()
    outside = tool.write("outside", b"mine")
    os.symlink(outside, tool.folder / "out/linux.kernel")
    assert "exists" in tool.run("extract", "demo.dmfs", "-C", "out", status=FAILED).error
    assert outside.read_bytes() == b"mine"
    tool.run("extract", "demo.dmfs", "linux.devicetree", "-C", "out")
    assert sorted(os.listdir(tool.folder / "out")) == ["linux.devicetree", "linux.kernel"]
    result = tool.run("extract", "demo.dmfs", "linux.kernl", "../x", "-C", "new", status=REFUSED)
    assert "no object 'linux.kernl'; did you mean 'linux.kernel'?" in result.error
    assert not (tool.folder / "new").exists()


def test_diff(tool):
    pack(tool)
    assert tool.run("diff", "demo.dmfs", "demo.dmfs").out == ""
    pack(tool, manifest("cpus: 2\ninitrd: raw.bin"), out="new.dmfs")
    lines = tool.run("diff", "demo.dmfs", "new.dmfs", status=REFUSED).out.splitlines()
    assert "~ guest linux: cpus 1 -> 2" in lines
    assert "+ object linux.initrd" in lines
    assert "- object linux.initrd" in tool.run("diff", "new.dmfs", "demo.dmfs", status=REFUSED).out


def test_dtgen_gives_what_the_image_holds(tool):
    pack(tool, manifest("cmdline: console=ttyS0"))
    tool.run("extract", "demo.dmfs", "linux.devicetree", "-C", "out")
    tool.run("dtgen", "m.yaml", "linux", "-o", "x.dtb")
    assert tool.read("x.dtb") == tool.read("out/linux.devicetree")
    source = tool.run("dtgen", "m.yaml", "linux").out
    assert source.startswith("/dts-v1/;") and 'bootargs = "console=ttyS0"' in source
    assert "no guest or service 'lunix'; did you mean 'linux'?" in tool.run("dtgen", "m.yaml", "lunix",
                                                                            status=REFUSED).error


def test_overlay_changes_the_device_tree(tool):
    dtc = shutil.which("dtc")
    tool.write("x.dtso", "/dts-v1/; /plugin/;\n&{/chosen} { diosix-test = \"yes\"; };\n")
    subprocess.run([dtc, "-q", "-@", "-I", "dts", "-O", "dtb", "-o", "x.dtbo", "x.dtso"], cwd=tool.folder,
                   check=True)
    tool.write("m.yaml", manifest("devicetree: {overlay: x.dtbo}"))
    assert 'diosix-test = "yes"' in tool.run("dtgen", "m.yaml", "linux").out
    subprocess.run([dtc, "-q", "-@", "-I", "dts", "-O", "dtb", "-o", "x.dtbo", "-"], cwd=tool.folder,
                   input=b"/dts-v1/; /plugin/; &{/nowhere} { a = <1>; };", check=True)
    assert "does not apply" in tool.run("dtgen", "m.yaml", "linux", status=REFUSED).error


# --- init, terminal --------------------------------------------------------------------------------

def test_init_gives_a_project_and_overwrites_nothing(tool):
    tool.run("init", "new")
    tool.run("pack", "new/manifest.yaml", "-o", "x", "--key", "new/dev.key")
    tool.run("verify", "x", "--trust", "new/dev.pub", "--board", "virt")
    before = {path.name: path.read_bytes() for path in (tool.folder / "new").iterdir()}
    assert "not overwritten" in tool.run("init", "new", status=FAILED).error
    os.remove(tool.folder / "new/manifest.yaml")
    assert "not overwritten" in tool.run("init", "new", status=FAILED).error
    assert {path.name: path.read_bytes() for path in (tool.folder / "new").iterdir()} == before


def on_terminal(tool, *args, env):
    """What dmfs says when standard error is a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([tool.program, *args], cwd=tool.folder, stderr=slave,
                               stdout=subprocess.DEVNULL, env=dict(os.environ, **env))
    os.close(slave)
    said = b""
    while True:
        select.select([master], [], [], 60)
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        said += part
    os.close(master)
    process.wait()
    return said.decode()


def test_colour_on_a_terminal_only_and_never_unasked(tool):
    args = ["verify", "none", "--trust", "a.pub"]
    clean = {"TERM": "xterm", "NO_COLOR": ""}
    assert "\x1b[1;31merror: " in on_terminal(tool, *args, env=clean)
    assert "\x1b" not in on_terminal(tool, *args, "--no-color", env=clean)
    assert "\x1b" not in on_terminal(tool, "--no-color", *args, env=clean)
    assert "\x1b" not in on_terminal(tool, *args, env=dict(clean, NO_COLOR="1"))
    assert "\x1b" not in on_terminal(tool, *args, env=dict(clean, TERM="dumb"))
    assert "\x1b" not in tool.run(*args, status=FAILED, env=clean).err


def test_progress_on_a_terminal_only(tool):
    tool.write("initrd", os.urandom(24 << 20))
    tool.write("m.yaml", manifest("initrd: initrd", memory="128M"))
    args = ["pack", "m.yaml", "-o", "x", "--unsigned", "-l12"]
    assert "\rpacking [" in on_terminal(tool, *args, env={"TERM": "xterm"})
    assert "packing [" not in on_terminal(tool, *args, "-q", env={"TERM": "xterm"})
    assert "packing [" not in tool.run(*args).err


# --- bundle ----------------------------------------------------------------------------------------

def test_bundle_fills_the_trust_section(tool):
    tool.run("keygen", "b")
    tool.write("diosix.elf", hypervisor())
    tool.run("bundle", "diosix.elf", "--trust", "a.pub", "--trust", "b.pub", "--threshold", "2",
             "--rollback", "7", "-o", "out.elf")
    before, after = tool.read("diosix.elf"), tool.read("out.elf")
    at = before.index(b"DIOSIX TRUST V3\0")
    keys = b"".join(bytes.fromhex(tool.read(name).split()[1].decode()) for name in ["a.pub", "b.pub"])
    filled = b"DIOSIX TRUST V3\0" + (2).to_bytes(4, "little") + (2).to_bytes(4, "little") + \
        (7).to_bytes(8, "little") + keys
    assert after == before[:at] + filled + before[at + len(filled):]


def test_bundle_takes_hypervisors_only(tool):
    good = hypervisor()
    for bad in [b"", b"text", elf(), good[:-30], good.replace(b"TRUST V3", b"TRUST V2"),
                good.replace(b".dmfs.trust", b".dmfs.tryst")]:
        tool.write("bad.elf", bad)
        result = tool.run("bundle", "bad.elf", "--trust", "a.pub", "-o", "out.elf", status=REFUSED)
        assert "cannot be given trusted keys" in result.error
    assert "is a secret key" in tool.run("bundle", "bad.elf", "--trust", "a.key", "-o", "out.elf",
                                         status=REFUSED).error
