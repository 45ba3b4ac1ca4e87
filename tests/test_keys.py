# SPDX-License-Identifier: MIT
"""Keys: helpers that sign, passphrases, what never stands in a process's arguments."""
import os
import pathlib
import pty
import resource
import signal
import subprocess

import pytest

from cli_support import DMFS, DONE, FAILED, REFUSED, ROOT, USAGE, Tool, manifest

HELPERS = ROOT / "sdk/sign/helpers"
SOFTHSM = pathlib.Path("/usr/lib/softhsm/libsofthsm2.so")


@pytest.fixture(params=DMFS)
def tool(request, tmp_path):
    """dmfs in a folder with a key pair and an unsigned image whose region is longer than a pipe holds."""
    tool = Tool(DMFS[request.param], tmp_path)
    tool.write("raw.bin", bytes(range(256)) * 4 * 4096)
    tool.write("m.yaml", manifest())
    tool.run("keygen", "a", "--quiet")
    tool.run("pack", "m.yaml", "-o", "u.dmfs", "--unsigned", "--chunk", "4K")
    assert len(tool.run("digest", "u.dmfs", text=False).out) > 49152
    return tool


def pem(tool):
    """An OpenSSL key, and the public half as a file of dmfs."""
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", "r.pem"], cwd=tool.folder, check=True)
    der = subprocess.run(["openssl", "pkey", "-in", "r.pem", "-pubout", "-outform", "DER"], cwd=tool.folder,
                         capture_output=True, check=True).stdout
    tool.write("r.pub", f"diosix-ed25519-public-v1 {der[-32:].hex()}\n")


# --- helpers ---------------------------------------------------------------------------------------

def test_a_helper_signs_for_pack_and_for_sign(tool):
    pem(tool)
    helper = f"{HELPERS}/openssl r.pem"
    both = ["--trust", "a.pub", "--trust", "r.pub", "--threshold", "2"]
    tool.run("pack", "m.yaml", "-o", "p.dmfs", "--key", "a.key", "--signer", helper, "--chunk", "4K")
    tool.run("verify", "p.dmfs", *both)
    tool.run("sign", "u.dmfs", "--key", "a.key", "--signer", helper, "-o", "s.dmfs")
    tool.run("verify", "s.dmfs", *both)
    # The newest signature comes first, or after those before it: the signed bytes are the same.
    assert tool.run("digest", "s.dmfs", text=False).out == tool.run("digest", "p.dmfs", text=False).out
    tool.run("pack", "m.yaml", "-o", "only.dmfs", "--signer", helper)
    tool.run("verify", "only.dmfs", "--trust", "r.pub")


def test_a_token_signs_and_keeps_its_key(tool):
    assert SOFTHSM.exists(), "softhsm2 and opensc are needed for this test"
    tokens = tool.folder / "tokens"
    tokens.mkdir()
    env = {"SOFTHSM2_CONF": str(tool.write("softhsm2.conf", f"directories.tokendir = {tokens}\n"))}
    tool.write("pin", "1234\n")
    for command in (["softhsm2-util", "--init-token", "--free", "--label", "release", "--pin", "1234", "--so-pin", "5678"],
                    ["pkcs11-tool", "--module", SOFTHSM, "--token-label", "release", "--login", "--pin", "1234",
                     "--keypairgen", "--key-type", "EC:edwards25519", "--label", "images"]):
        subprocess.run(command, env={**os.environ, **env}, cwd=tool.folder, check=True, capture_output=True)
    signer = f"{HELPERS}/pkcs11 {SOFTHSM} release images pin"
    tool.run("sign", "u.dmfs", "--signer", signer, "-o", "s.dmfs", env=env)
    signed = tool.read("s.dmfs")
    region = tool.run("digest", "s.dmfs", text=False).out
    tool.write("t.pub", f"diosix-ed25519-public-v1 {signed[len(region) + 16:][:32].hex()}\n")
    tool.run("verify", "s.dmfs", "--trust", "t.pub")
    other = f"{HELPERS}/pkcs11 {SOFTHSM} release others pin"
    result = tool.run("sign", "u.dmfs", "--signer", other, "-o", "x.dmfs", env=env, status=FAILED)
    assert "the token has no key 'others'" in result.err and "failed with status 1" in result.err


@pytest.mark.parametrize("helper, status, message", [
    ("exit 7", FAILED, "failed with status 7"),
    ("kill -9 $$", FAILED, "failed with signal 9"),
    ("true", REFUSED, "has answered less than 96 bytes"),
    ("head -c 95 /dev/zero", REFUSED, "has answered less than 96 bytes"),
    ("head -c 97 /dev/zero", REFUSED, "has answered more than 96 bytes"),
    ("cat >/dev/null; head -c 96 /dev/zero", REFUSED, "the signature is not one of 'u.dmfs' by key"),
    ("exec sleep 100", FAILED, "has not answered within 1 s"),
    ("exec >&-; exec sleep 100", FAILED, "has not answered within 1 s"),
    ("no-such-helper", FAILED, "failed with status 127"),
], ids=["status", "signal", "nothing", "short", "long", "zeros", "slow", "silent", "missing"])
def test_a_bad_helper_leaves_no_image(tool, helper, status, message):
    limit = ["--signer-timeout", "1"] if "within" in message else []
    result = tool.run("sign", "u.dmfs", "--signer", helper, "-o", "x.dmfs", *limit, status=status)
    assert message in result.err
    tool.run("pack", "m.yaml", "-o", "x.dmfs", "--signer", helper, *limit, status=status)
    assert not (tool.folder / "x.dmfs").exists()


def test_a_key_counts_once_whoever_holds_it(tool):
    pem(tool)
    helper = f"{HELPERS}/openssl r.pem"
    assert "already" in tool.run("sign", "u.dmfs", "--signer", helper, "--signer", helper, status=REFUSED).err
    result = tool.run("pack", "m.yaml", "-o", "x", "--signer", helper, "--signer", helper, status=REFUSED)
    assert "twice" in result.err
    many = [arg for _ in range(17) for arg in ("--signer", helper)]
    assert "17 keys; an image has at most 16" in tool.run("sign", "u.dmfs", *many, status=USAGE).error


def is_gone(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_no_child_of_a_slow_helper_lives_on(tool):
    """Neither one that it waits for nor one that it has left alone."""
    helper = "exec 2>&-; sleep 100 & echo $! >one; (sh -c 'sleep 100 & echo $! >two') & wait"
    tool.run("sign", "u.dmfs", "--signer", helper, "-o", "x.dmfs", "--signer-timeout", "2", status=FAILED)
    for name in ("one", "two"):
        pid = int(tool.read(name))
        gone = is_gone(pid)
        if not gone:
            os.kill(pid, signal.SIGKILL)
        assert gone, name


# --- key files ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("room", [0, 10])
def test_a_key_is_complete_or_absent(tool, room, killed):
    """There is room for so many bytes; the write that has none ends the program at once, or fails."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    for command, name in ((["keygen", "b"], "b.key"), (["keygen", "--seal", "c"], "c.key")):
        tool.run(*command, status=-signal.SIGXFSZ if killed else FAILED, preexec_fn=limit, restore_signals=killed)
        assert not [path for path in tool.folder.iterdir() if path.name.startswith((name[0] + ".", ".dmfs-"))]
        tool.run(*command)
        assert (tool.folder / name).stat().st_mode & 0o777 == 0o600


def test_protecting_a_key_may_be_cut_short(tool):
    secret = tool.read("a.key")
    tool.write("pass", "correct horse\n")
    protect = ["protect", "a.key", "--passphrase-file", "pass"]
    tool.run(*protect, status=-signal.SIGXFSZ, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10)))
    assert tool.read("a.key") == secret
    tool.run(*protect)


# --- passphrases -----------------------------------------------------------------------------------

def test_a_protected_key_signs_with_its_passphrase_only(tool):
    secret = tool.read("a.key")
    tool.write("pass", "correct horse\n")
    tool.run("protect", "a.key", "--passphrase-file", "pass")
    locked = tool.read("a.key")
    assert locked.startswith(b"diosix-ed25519-locked-v1 ") and secret.split()[1] not in locked
    assert (tool.folder / "a.key").stat().st_mode & 0o777 == 0o600
    sign = ["sign", "u.dmfs", "--key", "a.key", "-o", "s.dmfs"]
    tool.run(*sign, "--passphrase-file", "pass")
    tool.run("verify", "s.dmfs", "--trust", "a.pub")
    tool.run(*sign, env={"DMFS_PASSPHRASE_FILE": "pass"})
    tool.run(*sign, "--passphrase-fd", "0", stdin=b"correct horse")
    wrong = tool.run(*sign, "--passphrase-fd", "0", stdin=b"correct house\n", status=REFUSED)
    assert "passphrase of 'a.key' is wrong" in wrong.error
    assert "end before that of 'a.key'" in tool.run(*sign, "--passphrase-fd", "0", status=REFUSED).error
    assert "already" in tool.run("protect", "a.key", "--passphrase-file", "pass", status=REFUSED).error
    tool.run("protect", "a.key", "--remove", "--passphrase-file", "pass")
    assert tool.read("a.key") == secret
    assert sorted(path.name for path in tool.folder.glob("a.*")) == ["a.key", "a.pub"]


def test_each_protected_key_takes_a_line(tool):
    for name in ("b", "c"):
        tool.run("keygen", name, "--passphrase", "--passphrase-fd", "0", stdin=f"of {name}\n".encode())
    sign = ["sign", "u.dmfs", "--key", "b.key", "--key", "a.key", "--key", "c.key", "-o", "s.dmfs"]
    tool.run(*sign, "--passphrase-fd", "0", stdin=b"of b\nof c\n")
    assert "'b.key' is wrong" in tool.run(*sign, "--passphrase-fd", "0", stdin=b"of c\nof b\n", status=REFUSED).error


def test_each_changed_digit_of_a_protected_key_is_noticed(tool):
    tool.run("keygen", "b", "--passphrase", "--passphrase-fd", "0", stdin=b"x")
    line = tool.read("b.key")
    start = len("diosix-ed25519-locked-v1 ")
    # Passes and memory would be tried, so of them the ones that are refused; a digit each of salt, secret and tag.
    for at, digit in [(0, b"f"), (7, b"f"), (8, b"0"), (15, b"f"), (20, None), (60, None), (140, None)]:
        changed = bytearray(line)
        at += start
        changed[at:at + 1] = digit or (b"1" if line[at:at + 1] != b"1" else b"2")
        if changed == line:
            continue
        tool.write("bad.key", bytes(changed))
        os.chmod(tool.folder / "bad.key", 0o600)
        tool.run("sign", "u.dmfs", "--key", "bad.key", "--passphrase-fd", "0", stdin=b"x", status=REFUSED)


def test_the_terminal_is_asked_without_echo(tool):
    """Twice for a new key; and what is typed is not shown."""
    def ask(args, typed):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(tool.folder)
            os.execv(tool.program, [tool.program, *args])
        said = b""
        for text in typed:
            while not said.endswith(b": "):
                said += os.read(terminal, 1000)
            os.write(terminal, text)
            said += b"|"
        try:
            while chunk := os.read(terminal, 1000):
                said += chunk
        except OSError:
            pass
        return said.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    said, status = ask(["keygen", "t", "--passphrase"], [b"seCret\r", b"seCret\r"])
    assert status == DONE and "seCret" not in said, said
    assert "passphrase of t.key: " in said and "once more the passphrase of t.key: " in said
    tool.run("sign", "u.dmfs", "--key", "t.key", "-o", "s.dmfs", "--passphrase-fd", "0", stdin=b"seCret")
    said, status = ask(["keygen", "v", "--passphrase"], [b"one\r", b"two\r"])
    assert status == REFUSED and "not the same" in said
    said, status = ask(["keygen", "v", "--passphrase"], [b"\x03"])
    assert status == REFUSED and "no passphrase was given" in said
    assert not (tool.folder / "v.key").exists()


def test_without_a_terminal_it_says_what_to_give(tool):
    tool.run("keygen", "b", "--passphrase", "--passphrase-fd", "0", stdin=b"x")
    result = tool.run("sign", "u.dmfs", "--key", "b.key", status=FAILED, start_new_session=True)
    assert "give --passphrase-file or --passphrase-fd" in result.error


def test_kinds_of_keys_are_not_mixed_up(tool):
    tool.run("keygen", "s", "--seal")
    assert tool.read("s.pub").startswith(b"diosix-x25519-public-v1 ")
    assert "unseals; one of 'dmfs keygen' is needed" in tool.run("sign", "u.dmfs", "--key", "s.key",
                                                                 status=REFUSED).error
    assert "unseals" in tool.run("verify", "u.dmfs", "--trust", "s.pub", status=REFUSED).error
    tool.run("protect", "s.key", "--passphrase-fd", "0", stdin=b"x")
    assert tool.read("s.key").startswith(b"diosix-x25519-locked-v1 ")
