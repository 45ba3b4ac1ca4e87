# SPDX-License-Identifier: MIT
"""What others get: manual pages, completions, an installation, the shared library, Debian packages."""
import os
import re
import shutil
import subprocess

import pexpect
import pytest

from cli_support import ROOT, Tool, manifest

DMFS = ROOT / "build/dmfs"
SHELLS = ["bash", "zsh", "fish"]


def run(*args, status=0, **more):
    done = subprocess.run([str(arg) for arg in args], capture_output=True, text=True, timeout=600, **more)
    assert done.returncode == status, f"{args}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def make(*args):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return run("make", "-s", "-C", ROOT, *args, env=environment)


COMMANDS = re.findall(r"^  ([a-z]+) ", run(DMFS, "help"), re.M)


def options(command):
    """Every option that the help of a command lists, in both forms."""
    found = re.findall(r"^  (?:(-\w), |    )(--[\w-]+)(.*)$", run(DMFS, "help", command), re.M)
    assert len(found) >= 3
    return {form for letter, name, _ in found for form in (letter, name) if form}


# --- manual pages ----------------------------------------------------------------------------------

@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_manual_page_is_rendered_without_a_warning(command, tmp_path):
    path = tmp_path / "page.1"
    path.write_text(run(DMFS, "help", "--man", *command.split()))
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", path], capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100"})
    assert done.returncode == 0 and done.stderr == ""
    run("mandoc", "-T", "lint", "-W", "warning", path)


@pytest.mark.parametrize("command", COMMANDS)
def test_manual_page_says_what_the_help_says(command, tmp_path):
    path = tmp_path / "page.1"
    path.write_text(run(DMFS, "help", "--man", command))
    page = run("mandoc", "-T", "utf8", "-O", "width=1000", path)
    page = " ".join(re.sub(".\b", "", page).split())
    said = run(DMFS, "help", command)
    assert said.split("\n")[0].removeprefix("usage: ") in page
    for sentence in re.findall(r"^  (?:-\w, |    )(--[\w-]+(?: \S+)?)\s{2,}(.*)$", said, re.M):
        assert " ".join(sentence) in page
    about = said.split("\n\n", 1)[1].split("\n\n  ", 1)[0]
    assert " ".join(about.split()) in page


def test_main_manual_page_lists_all_commands():
    page = run(DMFS, "help", "--man")
    assert all(f"dmfs\\-{command}" in page for command in COMMANDS)


# --- completions -----------------------------------------------------------------------------------

@pytest.mark.parametrize("shell", SHELLS)
def test_completions_have_every_command_and_option(shell):
    text = run(DMFS, "help", "--completion", shell)
    for command in COMMANDS:
        wanted = options(command)
        if shell == "bash":
            part = re.search(rf"^\t\t{command}\) .*words='(.*)' ;;$", text, re.M).group(1)
            assert set(part.split()) == wanted
        elif shell == "zsh":
            part = re.search(rf"^\t{command}\)\n(.*?) ;;$", text, re.M | re.S).group(1)
            assert set(re.findall(r"'\*?(--?[\w-]+?)(?:[+]|=-?)?\[", part)) == wanted
        else:
            lines = re.findall(rf"seen_subcommand_from {command}' -l (\S+)(?: -s (\w))?", text)
            assert {f"--{name}" for name, _ in lines} | {f"-{letter}" for _, letter in lines if letter} == wanted


def bash_completes(folder, *words):
    script = 'source ./dmfs.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dmfs; printf "%s\\n" "${COMPREPLY[@]}"'
    return run("bash", "--norc", "-c", script, "bash", *words, cwd=folder).split("\n")[:-1]


def test_bash_completes(tmp_path):
    (tmp_path / "dmfs.bash").write_text(run(DMFS, "help", "--completion", "bash"))
    (tmp_path / "my image.dmfs").write_text("")
    run("bash", "-n", tmp_path / "dmfs.bash")
    assert sorted(bash_completes(tmp_path, "dmfs", "ex")) == ["explain", "extract"]
    assert bash_completes(tmp_path, "dmfs", "explain", "--bo") == ["--board"]
    assert bash_completes(tmp_path, "dmfs", "explain", "--board", "si") == ["sifive_u"]
    assert bash_completes(tmp_path, "dmfs", "run", "-b", "") == ["virt", "sifive_u"]
    assert bash_completes(tmp_path, "dmfs", "inspect", "my") == ["my image.dmfs"]
    assert bash_completes(tmp_path, "dmfs", "--quiet", "inspect", "--js") == ["--json"]
    assert bash_completes(tmp_path, "dmfs", "help", "keyg") == ["keygen"]
    assert bash_completes(tmp_path, "dmfs", "ctl", "my") == ["my image.dmfs"]
    assert bash_completes(tmp_path, "dmfs", "ctl", "board.sock", "st") == ["start", "stop", "stats"]


def test_fish_completes(tmp_path):
    (tmp_path / "dmfs.fish").write_text(run(DMFS, "help", "--completion", "fish"))
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}

    def completes(line):
        out = run("fish", "--private", "-c", f"source dmfs.fish; complete -C '{line}'", cwd=tmp_path, env=environment)
        return [row.split("\t")[0] for row in out.splitlines()]
    assert sorted(completes("dmfs ex")) == ["explain", "extract"]
    assert completes("dmfs explain --bo") == ["--board"]
    assert sorted(completes("dmfs run --board ")) == ["sifive_u", "virt"]
    assert completes("dmfs ctl board.sock perm") == ["permissions"]


def test_zsh_completes(tmp_path):
    (tmp_path / "_dmfs").write_text(run(DMFS, "help", "--completion", "zsh"))
    run("zsh", "-n", tmp_path / "_dmfs")
    shell = pexpect.spawn("zsh", ["-f", "-i"], cwd=str(tmp_path), encoding="utf-8", timeout=120, dimensions=(50, 200),
                          env={**os.environ, "HOME": str(tmp_path), "TERM": "dumb"})
    try:
        shell.sendline(f"unsetopt zle_bracketed_paste; PS1='ready'\\> ; fpath=({tmp_path} $fpath); autoload -U compinit; compinit -u -D")
        shell.expect("\nready>|\rready>")
        for typed, whole in [("dmfs expl", "explain"), ("dmfs explain --boa", "--board"),
                             ("dmfs explain --board sif", "sifive_u"), ("dmfs ctl board.sock perm", "permissions")]:
            shell.send(typed + "\t")
            shell.expect_exact(whole[len(typed.split()[-1]):])
            shell.send("\x15")
    finally:
        shell.close(force=True)


def test_unknown_shell():
    done = subprocess.run([DMFS, "help", "--completion", "tcsh"], capture_output=True, text=True)
    assert done.returncode == 2 and "bash, zsh or fish" in done.stderr


# --- installation ----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder and prefix of an installation that is not where it believes to be."""
    folder = tmp_path_factory.mktemp("installed")
    make("install", f"DESTDIR={folder}", "PREFIX=/opt/diosix")
    return folder, folder / "opt/diosix"


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_everything_is_installed(installed):
    folder, prefix = installed
    found = files(prefix)
    assert files(folder) == {f"opt/diosix/{name}" for name in found}, "something is outside the prefix"
    assert {f"share/man/man1/dmfs-{command}.1" for command in COMMANDS} <= found
    assert {"bin/dmfs", "lib/diosix/diosix.elf", "lib/libdmfs.a", "lib/libdmfs.so", "lib/libdmfs.so.0",
            "lib/pkgconfig/libdmfs.pc", "include/dmfs.h", "share/man/man1/dmfs.1",
            "share/bash-completion/completions/dmfs", "share/zsh/site-functions/_dmfs",
            "share/fish/vendor_completions.d/dmfs.fish", "share/diosix/schemas/manifest.schema.json",
            "share/diosix/capsule.mk", "lib/diosix/capsule/libcapsule.a", "lib/diosix/capsule/link.ld",
            "share/diosix/schemas/inspect.schema.json", "share/doc/diosix/cli.md"} <= found
    assert {name for name in found if name.startswith("include/")} == {
        "include/dmfs.h", "include/dmfs_write.h", "include/diosix/diosix.h", "include/diosix/service_abi.h"}


def boots_an_image(program, folder):
    """With the hypervisor that belongs to it, which it has to find."""
    tool = Tool(program, folder)
    assert tool.run("--version").out == run(DMFS, "--version")
    tool.write("raw.bin", bytes.fromhex("a1480145730000007300000001a0"))  # li a7, 8; li a0, 0; ecall, ...; j .
    tool.write("m.yaml", manifest())
    tool.run("keygen", "a", "-q")
    tool.run("pack", "m.yaml", "-o", "demo.dmfs", "--key", "a.key", "-q")
    said = run(program, "run", "-q", "demo.dmfs", "--trust", "a.pub", "--timeout", "300", cwd=folder, stdin=subprocess.DEVNULL)
    assert "diosix: capsule linux: started" in said and "all capsules stopped" in said


def test_installed_command_boots_an_image(installed, tmp_path):
    boots_an_image(installed[1] / "bin/dmfs", tmp_path)


def test_uninstall_takes_away_exactly_that(tmp_path):
    mine = tmp_path / "usr/lib/mine"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    assert len(files(tmp_path)) > 30
    make("uninstall", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    assert files(tmp_path) == {"usr/lib/mine"}
    assert not (tmp_path / "usr/share/diosix").exists()


# --- the library -----------------------------------------------------------------------------------

def header_functions():
    text = "".join((ROOT / "sdk/libdmfs" / name).read_text() for name in ["dmfs.h", "dmfs_write.h"])
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return set(re.findall(r"\b(dmfs_\w+)\s*\((?!\*)[^;{}]*\)\s*;", text))


def test_library_offers_what_the_headers_declare_and_nothing_else(installed):
    library = next((installed[1] / "lib").glob("libdmfs.so.0.*"))
    rows = [row.split()[-1] for row in run("nm", "-D", "--defined-only", library).splitlines()]
    symbols = {row for row in rows if "@@" in row}
    assert {row.split("@")[0] for row in symbols} == header_functions()
    assert len(symbols) >= 20 and {row.split("@@")[1] for row in symbols} <= {"DMFS_0.1"}
    assert [row for row in rows if "@@" not in row] == ["DMFS_0.1"]
    assert "SONAME               libdmfs.so.0\n" in run("objdump", "-p", library)


@pytest.mark.parametrize("linked", ["shared", "static"])
def test_example_is_built_on_the_installed_library_and_runs(installed, linked, tmp_path):
    folder, prefix = installed
    for name in ["reader.c", "Makefile"]:
        shutil.copy(ROOT / "examples/libdmfs-reader" / name, tmp_path)
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig"), "PKG_CONFIG_SYSROOT_DIR": str(folder)}
    if linked == "shared":
        run("make", "-s", cwd=tmp_path, env=environment)
        assert "libdmfs.so.0" in run("objdump", "-p", tmp_path / "reader")
    else:
        flags = run("pkg-config", "--static", "--cflags", "--libs", "libdmfs", env=environment).split()
        (prefix / "lib/libdmfs.so").rename(prefix / "lib/kept")
        try:
            run("gcc", "-o", "reader", "reader.c", *flags, cwd=tmp_path)
        finally:
            (prefix / "lib/kept").rename(prefix / "lib/libdmfs.so")
        assert "libdmfs" not in run("objdump", "-p", tmp_path / "reader")
    tool = Tool(DMFS, tmp_path)
    tool.write("raw.bin", b"\x13\0\0\0" * 100)
    tool.write("m.yaml", manifest())
    for key in ["a", "b"]:
        tool.run("keygen", key, "-q")
    tool.run("pack", "m.yaml", "-o", "demo.dmfs", "--key", "a.key", "-q")
    environment["LD_LIBRARY_PATH"] = str(prefix / "lib")
    out = run("./reader", "demo.dmfs", "a.pub", cwd=tmp_path, env=environment)
    assert re.search(r"^kernel +400 linux.kernel$", out, re.M)
    run("./reader", "demo.dmfs", "b.pub", cwd=tmp_path, env=environment, status=1)


# --- Debian packages -------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def debs():
    built = [ROOT / line for line in make("deb").splitlines() if line.endswith(".deb")]
    assert sorted(path.name.split("_")[0] for path in built) == ["diosix-sdk", "libdmfs-dev", "libdmfs0"]
    return built


def test_lintian_accepts_the_packages(debs):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", *debs], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "", done.stdout + done.stderr


def test_packages_are_the_same_each_time(debs):
    before = {path: path.read_bytes() for path in debs}
    make("deb")
    assert all(path.read_bytes() == data for path, data in before.items())


def test_packages_share_no_file_and_have_the_sums_of_all(debs, tmp_path):
    seen = set()
    for path in debs:
        root = tmp_path / path.name
        run("dpkg-deb", "-R", path, root)
        run("md5sum", "--quiet", "-c", "DEBIAN/md5sums", cwd=root)
        listed = {line.split("  ", 1)[1] for line in (root / "DEBIAN/md5sums").read_text().splitlines()}
        there = {name for name in files(root) if not name.startswith("DEBIAN/")}
        assert listed == {name for name in there if not (root / name).is_symlink()}
        assert not there & seen
        seen |= there
    assert "usr/bin/dmfs" in seen


def test_packages_install_and_the_command_runs_from_there(debs, tmp_path):
    """Into a root of its own, with what the packages need taken to be there."""
    root, admin = tmp_path / "root", tmp_path / "root/var/lib/dpkg"
    (admin / "updates").mkdir(parents=True)
    (admin / "info").mkdir()
    for name in ["status", "available"]:
        (admin / name).write_text("")
    run("fakeroot", "dpkg", f"--root={root}", "--force-depends", "--force-not-root", "--force-script-chrootless",
        f"--log={tmp_path / 'log'}", "--install", *debs)
    assert run("dpkg-query", f"--admindir={admin}", "-W", "-f", "${Status}\n").split("\n")[:3] == ["install ok installed"] * 3
    boots_an_image(root / "usr/bin/dmfs", tmp_path)
    run("fakeroot", "dpkg", f"--root={root}", "--force-depends", "--force-not-root", "--force-script-chrootless",
        f"--log={tmp_path / 'log'}", "--purge", "diosix-sdk", "libdmfs-dev", "libdmfs0")
    assert not (root / "usr/bin/dmfs").exists()


def loaded(program, folder):
    run("riscv64-unknown-elf-objcopy", "-O", "binary", program, folder / "loaded")
    return (folder / "loaded").read_bytes()


def test_stripped_programs_load_as_they_were_built(debs, tmp_path):
    run("dpkg-deb", "-x", next(path for path in debs if "sdk" in path.name), tmp_path)
    lib = tmp_path / "usr/lib/diosix"
    for program, built in [(lib / "diosix.elf", ROOT / "build/diosix.elf"),
                           *[(path, ROOT / "build/services" / path.name) for path in (lib / "services").glob("*.elf")]]:
        assert program.stat().st_size < built.stat().st_size
        assert loaded(program, tmp_path) == loaded(built, tmp_path)


def test_nobody_is_told_where_it_was_built(debs, tmp_path):
    run("dpkg-deb", "-x", next(path for path in debs if "sdk" in path.name), tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert str(ROOT).encode() not in path.read_bytes(), path
