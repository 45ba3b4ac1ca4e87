# SPDX-License-Identifier: MIT
"""Looking inside images: JSON and its schemas, pages for browsers, what a board would say, what an image is made of."""
import copy
import hashlib
import html.parser
import json
import os
import re
import shutil
import stat
import subprocess

import jsonschema
import pytest

from cli_support import DMFS, FAILED, REFUSED, ROOT, USAGE, Tool, hypervisor, manifest

SCHEMAS = {path.name.split(".")[0]: json.loads(path.read_text()) for path in (ROOT / "docs/schemas").glob("*.json")}

MANIFEST = """\
dmfs: 1
image: {name: demo, version: "1.0 <b>&", rollback: 3, boards: [virt, sifive_u]}
guests:
  - name: linux
    kernel: {file: raw.bin, load: 0x80200000, relocatable: true}
    initrd: big.bin
    cmdline: "x=<script>alert(1)</script> '\\"&amp;"
    memory: 32M
    cpus: 2
    affinity: [1]
    cpu_limit: 50%
services:
  - name: console
    program: {file: raw.bin, load: 0x80200000, relocatable: true}
    memory: 16M
    permissions: [service_console, console_read]
"""


@pytest.fixture(params=DMFS)
def tool(request, tmp_path):
    """dmfs in a folder with a key pair and a signed image."""
    tool = Tool(DMFS[request.param], tmp_path)
    tool.write("raw.bin", bytes(range(256)) * 1024)
    tool.write("big.bin", os.urandom(600_000))
    tool.run("keygen", "a", "--quiet")
    pack(tool)
    return tool


def pack(tool, text=MANIFEST, out="demo.dmfs", **env):
    tool.write("m.yaml", text)
    tool.run("pack", "m.yaml", "-o", out, "--key", "a.key", "-q", env=env)


def checked(name, text):
    """The JSON, after its schema has accepted it."""
    value = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(value)
    return value


def damage(tool, at, out="bad.dmfs"):
    data = bytearray(tool.read("demo.dmfs"))
    data[at] ^= 1
    tool.write(out, bytes(data))
    return out


# --- JSON ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas_of_this_version(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["properties"]["schema"] == {"const": 1}


def test_each_command_with_json_has_a_schema():
    program = DMFS["plain"]
    commands = re.findall(r"^  ([a-z]+) ", subprocess.run([program, "help"], capture_output=True, text=True).stdout, re.M)
    with_json = {c for c in commands
                 if "--json" in subprocess.run([program, "help", c], capture_output=True, text=True).stdout}
    assert with_json >= {"inspect", "verify", "diff", "explain", "extract", "pack", "sign", "attach", "digest", "keygen"}
    # What the board says is described in docs/control.md.
    assert with_json - {"ctl"} <= set(SCHEMAS)


def test_init_dtgen_and_bundle_json(tool):
    made = checked("init", tool.run("init", "new", "--json", "-q").out)
    assert made["folder"] == "new"
    assert sorted(made["files"]) == sorted(path.name for path in (tool.folder / "new").iterdir())
    tree = checked("dtgen", tool.run("dtgen", "new/manifest.yaml", "hello", "-o", "t.dtb", "--json").out)
    assert tree["format"] == "dtb" and tool.read(tree["output"])[:4] == b"\xd0\x0d\xfe\xed"
    tool.write("diosix.elf", hypervisor())
    bundle = ["bundle", "diosix.elf", "--trust", "a.pub", "--rollback", "3", "--json", "-q"]
    made = checked("bundle", tool.run(*bundle, "-o", "board.elf").out)
    assert made["output_len"] == len(tool.read("board.elf")) and made["unseals"] is False
    assert len(made["trusted"]) == 1 and made["threshold"] == 1 and made["rollback"] == 3
    assert "both want standard output" in tool.run(*bundle, "-o", "-", status=USAGE).error
    assert "both want standard output" in tool.run("dtgen", "m.yaml", "linux", "--json", status=USAGE).error
    assert tool.run("init", "new", "--json", status=FAILED).out == ""


def test_schemas_notice_what_is_missing_or_of_the_wrong_type(tool):
    good = checked("inspect", tool.run("inspect", "demo.dmfs", "--json").out)
    validator = jsonschema.Draft202012Validator(SCHEMAS["inspect"])
    for path, value in [(["schema"], 2), (["verified"], "yes"), (["objects", 0, "raw_len"], -1),
                        (["capsules", 0, "entry"], 0x80200000), (["signatures", 0, "key_id"], "xyz")]:
        bad = copy.deepcopy(good)
        place = bad
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert not validator.is_valid(bad), path
        del place[path[-1]]
        assert not validator.is_valid(bad), path


def test_inspect_json(tool):
    image = checked("inspect", tool.run("inspect", "demo.dmfs", "--json", "--trust", "a.pub").out)
    assert image["verified"] is True and image["command"] == "inspect"
    assert checked("inspect", tool.run("inspect", "demo.dmfs", "--json").out)["verified"] is False


def test_verify_json(tool):
    verify = ["verify", "--json", "--trust", "a.pub"]
    good = checked("verify", tool.run(*verify, "demo.dmfs").out)
    assert good["verified"] is True and good["rollback"] == 3 and len(good["signed_by"]) == 1
    contents = checked("verify", tool.run(*verify, damage(tool, -1), status=REFUSED).out)
    signature = checked("verify", tool.run(*verify, damage(tool, 100), status=REFUSED).out)
    board = checked("verify", tool.run(*verify, "demo.dmfs", "--board", "nezha", status=REFUSED).out)
    for refused in [contents, signature, board]:
        assert refused["verified"] is False and "name" not in refused
    assert len({refused["reason"] for refused in [contents, signature, board]}) == 3
    assert tool.run(*verify, "none", status=FAILED).out == ""


def test_diff_json(tool):
    same = checked("diff", tool.run("diff", "demo.dmfs", "demo.dmfs", "--json").out)
    assert same["same"] is True and same["differences"] == []
    tool.run("keygen", "b", "-q")
    pack(tool, MANIFEST.replace("[service_console, console_read]", "[service_console, message_send]")
         .replace("x=<script>", "y=").replace("    initrd: big.bin\n", ""), out="new.dmfs")
    tool.run("sign", "new.dmfs", "--key", "b.key")
    found = checked("diff", tool.run("diff", "demo.dmfs", "new.dmfs", "--json", status=REFUSED).out)
    assert found["same"] is False
    changes = {(d["change"], d["kind"], d["name"], d.get("field")) for d in found["differences"]}
    assert {("removed", "object", "linux.initrd", None), ("changed", "guest", "linux", "cmdline"),
            ("changed", "service", "console", "permissions")} <= changes
    assert [d[:2] for d in changes if d[1] == "signature"] == [("added", "signature")]
    was = next(d for d in found["differences"] if d.get("field") == "permissions")
    assert (was["was"], was["is"]) == ("service_console, console_read", "service_console, message_send")


def test_sign_and_attach_json(tool):
    tool.run("keygen", "b", "-q")
    signed = checked("sign", tool.run("sign", "demo.dmfs", "--key", "b.key", "-o", "both.dmfs", "--json").out)
    assert signed["image"] == "both.dmfs" and len(signed["signed_by"]) == 2
    signature = tool.read("both.dmfs")[signed_len(tool) + 16 + 96 + 32:][:64]
    tool.write("sig", signature)
    attached = checked("attach", tool.run("attach", "demo.dmfs", "--pub", "b.pub", "--signature", "sig", "--json").out)
    assert attached["signed_by"] == signed["signed_by"] and tool.read("demo.dmfs") == tool.read("both.dmfs")
    assert "standard output" in tool.run("sign", "demo.dmfs", "--key", "b.key", "-o", "-", "--json", status=USAGE).error


def signed_len(tool):
    return int.from_bytes(tool.read("demo.dmfs")[40:48], "little")


def test_pack_digest_and_keygen_json(tool):
    made = checked("pack", tool.run("pack", "m.yaml", "-o", "x", "--key", "a.key", "--json").out)
    assert made["image_len"] == len(tool.read("x")) and made["objects"] == 5
    key = checked("keygen", tool.run("keygen", "c", "--json").out)
    assert key["public_key"] == tool.read("c.pub").split()[1].decode() and len(made["signed_by"]) == 1
    region = tool.run("digest", "demo.dmfs", text=False).out
    digest = checked("digest", tool.run("digest", "demo.dmfs", "--json", "-o", "region").out)
    assert tool.read("region") == region and digest["signed_len"] == len(region)
    assert digest["sha256"] == hashlib.sha256(region).hexdigest()
    assert digest["blake2b_256"] == hashlib.blake2b(region, digest_size=32).hexdigest()
    for args in [["pack", "m.yaml", "--unsigned", "-o", "-"], ["digest", "demo.dmfs", "-o", "-"],
                 ["inspect", "demo.dmfs", "--html", "-"]]:
        assert "want standard output" in tool.run(*args, "--json", status=USAGE).error


# --- explain ---------------------------------------------------------------------------------------

def explain(tool, *more, image="demo.dmfs", board="virt", status=0):
    result = tool.run("explain", image, "--board", board, "--trust", "a.pub", "--json", *more, status=status)
    return checked("explain", result.out)


def wrong(case):
    return [(c["check"], c["capsule"]) for c in case["checks"] if not c["good"]]


def test_a_board_that_would_start_it(tool):
    case = explain(tool, "--rollback", "3")
    assert case["starts"] is True and wrong(case) == []
    assert {c["check"] for c in case["checks"]} == {"structure", "signatures", "rollback", "board", "contents",
                                                    "memory", "pmp", "harts", "address"}
    text = tool.run("explain", "demo.dmfs", "--board", "virt", "--trust", "a.pub").out
    assert text.endswith("virt would start it\n") and "NO" not in text
    assert explain(tool, board="riscv-virtio")["board"] == "virt"
    assert explain(tool, board="sifive_u")["starts"] is True


def test_all_reasons_against_it_are_given_at_once(tool):
    tool.run("keygen", "b", "-q")
    fixed = MANIFEST.replace(", relocatable: true", "", 1)
    pack(tool, fixed)
    damage(tool, -1)
    args = ["explain", "bad.dmfs", "--board", "nezha", "--trust", "b.pub", "--rollback", "4", "--memory", "32M"]
    case = checked("explain", tool.run(*args, "--json", status=REFUSED).out)
    assert wrong(case) == [("signatures", None), ("rollback", None), ("board", None), ("contents", None),
                           ("memory", None), ("harts", "linux"), ("address", "linux")]
    text = tool.run(*args, status=REFUSED).out
    assert "nezha would not start it: 7 reasons" in text and text.count("what to do") == 7
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("board, more, check", [
    ("virt", ["--memory", "48M"], ("memory", None)),
    ("virt", ["--harts", "1"], ("harts", "linux")),
    ("virt", ["--rollback", "9"], ("rollback", None)),
    ("unmatched", [], ("board", None)),
])
def test_each_reason_alone(tool, board, more, check):
    assert wrong(explain(tool, *more, board=board, status=REFUSED)) == [check]


def test_a_kernel_for_one_address_needs_the_h_extension(tool):
    pack(tool, manifest(memory="16M"))
    assert explain(tool)["starts"] is True
    for board, more in [("virt", ["--isolation", "pmp"]), ("sifive_u", [])]:
        assert wrong(explain(tool, *more, board=board, status=REFUSED)) == [("address", "linux")]


def test_signatures_as_the_board_counts_them(tool):
    tool.run("keygen", "b", "-q")
    both = ["--trust", "b.pub", "--threshold", "2"]
    assert wrong(explain(tool, *both, status=REFUSED)) == [("signatures", None)]
    tool.run("sign", "demo.dmfs", "--key", "b.key")
    assert explain(tool, *both)["starts"] is True


def test_what_is_no_image_and_what_is_no_board(tool):
    tool.write("bad.dmfs", b"no image" * 100)
    assert wrong(explain(tool, image="bad.dmfs", status=REFUSED)) == [("structure", None)]
    run = ["explain", "demo.dmfs", "--trust", "a.pub", "--board"]
    assert "did you mean 'virt'?" in tool.run(*run, "vrit", status=USAGE).error
    assert "no H extension" in tool.run(*run, "nezha", "--isolation", "gstage", status=USAGE).error
    assert "auto, gstage or pmp" in tool.run(*run, "virt", "--isolation", "x", status=USAGE).error
    assert "--board BOARD is missing" in tool.run("explain", "demo.dmfs", "--trust", "a.pub", status=USAGE).error
    tool.run("explain", "none", "--trust", "a.pub", "--board", "virt", status=FAILED)


# --- what was not verified --------------------------------------------------------------------------

def test_what_was_not_verified_is_said_plainly(tool):
    assert "NO: nothing was verified" in tool.run("inspect", "demo.dmfs").out
    verified = tool.run("inspect", "demo.dmfs", "--trust", "a.pub").out
    assert "nothing was verified" not in verified and "contents are checked by 'dmfs verify'" in verified
    tool.run("keygen", "b", "-q")
    tool.run("sign", "demo.dmfs", "--key", "b.key")
    out = tool.run("inspect", "demo.dmfs", "--trust", "a.pub").out
    assert len(re.findall("trusted, holds", out)) == 1 and len(re.findall("not checked", out)) == 1


# --- the page --------------------------------------------------------------------------------------

class Page(html.parser.HTMLParser):
    """Elements in order, with attributes; text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_data(self, data):
        self.text += data


def page(tool, *more):
    tool.run("inspect", "demo.dmfs", "--html", "page.html", *more)
    return tool.read("page.html").decode()


def test_page_fetches_nothing_and_runs_nothing(tool):
    text = page(tool)
    parsed = Page(text)
    assert not {tag for tag, _ in parsed.elements} & {"script", "link", "img", "iframe", "object", "form", "a"}
    assert not [a for _, attributes in parsed.elements for a in attributes if a.startswith("on") or a in ("src", "href")]
    assert not re.search(r"url\(|@import|https?:", text)
    assert "default-src 'none'" in text and "prefers-color-scheme:dark" in text


def test_page_says_what_was_verified(tool):
    assert "Nothing was verified." in Page(page(tool)).text
    verified = Page(page(tool, "--trust", "a.pub")).text
    assert "Nothing was verified." not in verified and "trusted, holds" in verified


def test_page_shows_names_and_texts_as_they_are(tool):
    text = page(tool)
    assert "x=<script>alert(1)</script> '\"&amp;" in Page(text).text and "1.0 <b>&" in Page(text).text
    assert "<script" not in text and "<b>&" not in text


def test_page_draws_to_scale(tool):
    image = json.loads(tool.run("inspect", "demo.dmfs", "--json").out)
    svgs = re.findall(r"<svg.*?</svg>", page(tool), re.S)
    def parts(svg):
        return {m[2]: (float(m[0]), float(m[1])) for m in
                re.findall(r'x="([\d.]+)" y="0" width="([\d.]+)"[^>]*><title>([^,]*),', svg)}
    bar = parts(svgs[0])
    for thing in image["objects"]:
        assert bar[thing["name"]][1] == pytest.approx(1000 * thing["stored_len"] / image["image_len"], abs=0.01)
    assert sum(width for _, width in bar.values()) == pytest.approx(1000, abs=0.1)
    guest = image["capsules"][0]
    memory = next(parts(svg) for svg in svgs if "linux.initrd" in svg and "0x82000000" in svg)
    offset = int(guest["kernel"]["load"], 16) - 0x80000000
    assert memory["linux.kernel"][0] == pytest.approx(1000 * offset / guest["memory"], abs=0.01)


def test_page_says_what_each_capsule_may_do(tool):
    cards = page(tool).split('class="card capsule"')[1:]
    assert len(cards) == 2
    assert "nothing beyond that" in cards[0] and "<code>console_read</code>" not in cards[0]
    assert "<code>console_read</code>reads what is typed" in cards[1] and "console_write" not in cards[1]


def test_page_appears_whole_or_not_at_all(tool):
    assert tool.run("inspect", "demo.dmfs", "--html", "-").out == page(tool)
    assert "No such file" in tool.run("inspect", "demo.dmfs", "--html", "none/x", status=FAILED).error
    tool.run("inspect", damage(tool, 40), "--html", "new.html", status=REFUSED)
    assert not (tool.folder / "new.html").exists()


def chromium(tool, *args):
    program = shutil.which("chromium")
    assert program, "chromium is needed for this test"
    done = subprocess.run([program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                           f"--user-data-dir={tool.folder / 'profile'}", *args, f"file://{tool.folder / 'page.html'}"],
                          capture_output=True, timeout=300, cwd=tool.folder)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def test_page_in_a_browser(tool):
    if tool.program != str(DMFS["plain"]):
        pytest.skip("the same page from the build that ships")
    page(tool)
    dom = chromium(tool, "--dump-dom")
    assert "<script" not in dom and dom.count("<svg") >= 3 and dom.count('class="card capsule"') == 2
    pictures = []
    for scheme in [1, 0]:  # light, dark
        chromium(tool, "--window-size=1000,1200", f"--blink-settings=preferredColorScheme={scheme}",
                 f"--screenshot=page{scheme}.png")
        picture = tool.read(f"page{scheme}.png")
        assert picture[:8] == b"\x89PNG\r\n\x1a\n" and len(picture) > 20_000, "hardly anything was drawn"
        pictures.append(picture)
    assert pictures[0] != pictures[1], "light and dark look the same"


# --- sbom ------------------------------------------------------------------------------------------

def test_sbom_lists_all_objects_with_the_sums_of_their_contents(tool):
    sbom = json.loads(tool.run("sbom", "demo.dmfs").out)
    tool.run("extract", "demo.dmfs", "-C", "out", "-q")
    packages = {p["name"]: p for p in sbom["packages"]}
    for name in os.listdir(tool.folder / "out"):
        data = tool.read("out/" + name)
        sums = {c["algorithm"]: c["checksumValue"] for c in packages[name]["checksums"]}
        assert sums == {"SHA256": hashlib.sha256(data).hexdigest(),
                        "BLAKE2b-256": hashlib.blake2b(data, digest_size=32).hexdigest()}
    image = packages["demo"]
    assert image["versionInfo"] == "1.0 <b>&"
    assert image["checksums"][0]["checksumValue"] == hashlib.sha256(tool.read("demo.dmfs")).hexdigest()


def test_sbom_is_spdx(tool):
    """What the JSON schema of SPDX 2.3 demands of the parts that are used."""
    sbom = json.loads(tool.run("sbom", "demo.dmfs").out)
    assert sbom["spdxVersion"] == "SPDX-2.3" and sbom["dataLicense"] == "CC0-1.0"
    assert sbom["SPDXID"] == "SPDXRef-DOCUMENT" and sbom["name"]
    assert re.fullmatch(r"https://[^#\s]+", sbom["documentNamespace"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sbom["creationInfo"]["created"])
    assert all(re.fullmatch(r"Tool: \S+-\S+", c) for c in sbom["creationInfo"]["creators"])
    ids = [p["SPDXID"] for p in sbom["packages"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids)
    for package in sbom["packages"]:
        assert package["name"] and package["downloadLocation"] == "NOASSERTION" and package["filesAnalyzed"] is False
        assert package["primaryPackagePurpose"] in ("FIRMWARE", "OPERATING-SYSTEM", "OTHER")
    relations = {(r["spdxElementId"], r["relationshipType"], r["relatedSpdxElement"]) for r in sbom["relationships"]}
    assert ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image") in relations
    assert {("SPDXRef-Image", "CONTAINS", i) for i in ids if i != "SPDXRef-Image"} == \
        {r for r in relations if r[1] == "CONTAINS"}


def test_sbom_is_the_same_for_the_same_image(tool):
    first = tool.run("sbom", "demo.dmfs").out
    assert first == tool.run("sbom", "demo.dmfs", env={"TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}).out
    at = json.loads(tool.run("sbom", "demo.dmfs", env={"SOURCE_DATE_EPOCH": "1700000000"}).out)
    assert at["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    pack(tool, out="other.dmfs", SOURCE_DATE_EPOCH="1600000000")
    other = json.loads(tool.run("sbom", "other.dmfs").out)
    assert other["creationInfo"]["created"] == "2020-09-13T12:26:40Z"
    assert other["documentNamespace"] != json.loads(first)["documentNamespace"]
    assert "not a number" in tool.run("sbom", "demo.dmfs", env={"SOURCE_DATE_EPOCH": "x"}, status=USAGE).error
    assert "is refused" in tool.run("sbom", damage(tool, -1), status=REFUSED).error


# --- extract ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", [b"../../escape", b"/tmp/escaped", b"..\0/escaped", b"a/../escaped", b".hidden.file",
                                  b"linux\nkernel", b"LINUX.KERNEL", b"\xff\xfe\xfdx.kernel"])
def test_names_that_lead_elsewhere_are_refused_before_anything_is_written(tool, name):
    assert len(name) <= len(b"linux.kernel")
    name = name.ljust(len(b"linux.kernel"), b"x")
    tool.write("evil.dmfs", tool.read("demo.dmfs").replace(b"linux.kernel", name, 1))
    assert "is refused" in tool.run("extract", "evil.dmfs", "-C", "out", status=REFUSED).error
    assert not (tool.folder / "out").exists() and not os.path.exists("/tmp/escaped")


@pytest.mark.parametrize("what", ["file", "folder", "dangling link", "link to a folder", "pipe", "device"])
def test_extract_leaves_what_is_there_alone(tool, what):
    out = tool.folder / "out"
    out.mkdir()
    there = out / "linux.kernel"
    make = {"file": lambda: there.write_bytes(b"mine"), "folder": there.mkdir,
            "dangling link": lambda: there.symlink_to(tool.folder / "nowhere"),
            "link to a folder": lambda: there.symlink_to(tool.folder), "pipe": lambda: os.mkfifo(there),
            "device": lambda: os.mknod(there, stat.S_IFCHR | 0o666, os.makedev(1, 3))}[what]
    try:
        make()
    except PermissionError:
        pytest.skip("making a device needs root")
    before = os.lstat(there)
    assert "exists" in tool.run("extract", "demo.dmfs", "-C", "out", status=FAILED).error
    after = os.lstat(there)
    assert (before.st_mode, before.st_ino, before.st_size) == (after.st_mode, after.st_ino, after.st_size)
    assert not (tool.folder / "nowhere").exists() and os.listdir(out) == ["linux.kernel"]


def test_extract_to_what_is_no_folder(tool):
    assert "Not a directory" in tool.run("extract", "demo.dmfs", "-C", "a.pub", status=FAILED).error
    assert "No such file" in tool.run("extract", "demo.dmfs", "-C", "none/out", status=FAILED).error
    assert "standard output" not in tool.run("extract", "demo.dmfs", "-C", "-").err
    assert (tool.folder / "-/linux.kernel").exists()


def test_extract_json(tool):
    done = checked("extract", tool.run("extract", "demo.dmfs", "linux.initrd", "console.program", "-C", "out", "--json",
                                       "--trust", "a.pub").out)
    assert done["verified"] is True
    assert {f["name"]: f["raw_len"] for f in done["files"]} == \
        {name: os.path.getsize(tool.folder / "out" / name) for name in os.listdir(tool.folder / "out")}
    assert len(done["files"]) == 2


def test_extract_leaves_no_half_file(tool):
    damage(tool, -1)
    tool.run("extract", "bad.dmfs", "-C", "out", status=REFUSED)
    names = {o["name"] for o in json.loads(tool.run("inspect", "demo.dmfs", "--json").out)["objects"]}
    assert set(os.listdir(tool.folder / "out")) < names


# --- pipes and terminals ---------------------------------------------------------------------------

@pytest.mark.parametrize("args", [["inspect", "demo.dmfs"], ["inspect", "demo.dmfs", "--json"],
                                  ["explain", "demo.dmfs", "--board", "virt", "--trust", "a.pub"], ["sbom", "demo.dmfs"]])
def test_data_on_a_full_disk_is_a_failure_and_has_no_colour(tool, args):
    assert "\x1b" not in tool.run(*args, env={"TERM": "xterm", "NO_COLOR": ""}).out
    with open("/dev/full", "wb") as full:
        done = subprocess.run([tool.program, *args], cwd=tool.folder, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == FAILED and b"standard output" in done.stderr
