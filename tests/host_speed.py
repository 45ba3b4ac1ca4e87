# SPDX-License-Identifier: MIT
"""
How fast the host's commands are, in MB of unpacked files a second, each beside programs that do much the same with the
same files in the same run: Debian's kernel and the installer's initrd. Of a machine that does other things as well, so
that ratios count and the best of some runs does.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from board import DMFS, GUESTS, guest, manifest, need

RUNS = 3
FILES = (GUESTS / "installer/vmlinux", GUESTS / "installer/initrd.gz")

# key, what it is, the command, what it makes of the files.
KERNEL, INITRD = "in/vmlinux", "in/initrd.gz"
COMMANDS = (
    ("pack", "dmfs pack", f"{DMFS} pack -q m.yaml -o out.dmfs -k dev.key", "out.dmfs"),
    ("pack_9", "dmfs pack --level 9", f"{DMFS} pack -q m.yaml -o nine.dmfs -k dev.key -l 9", "nine.dmfs"),
    ("pigz_9", "pigz -9", f"pigz -9 -f -k {KERNEL} {INITRD}", ("in/vmlinux.gz", "in/initrd.gz.gz")),
    ("mksquashfs", "mksquashfs -comp gzip", "mksquashfs in out.squashfs -comp gzip -noappend -quiet -no-progress -e vmlinux.gz "
     "initrd.gz.gz", "out.squashfs"),
    ("verify", "dmfs verify", f"{DMFS} verify -q out.dmfs --trust dev.pub", None),
    ("sha512sum", "sha512sum", f"sha512sum {KERNEL} {INITRD}", None),
    ("inspect", "dmfs inspect --trust", f"{DMFS} inspect out.dmfs --trust dev.pub", None),
    ("extract", "dmfs extract", f"{DMFS} extract -q out.dmfs -C extracted", None),
    ("pigz_d", "pigz -d", "pigz -d -k -f in/vmlinux.gz in/initrd.gz.gz", None),
    ("unsquashfs", "unsquashfs", "unsquashfs -q -n -d unsquashed out.squashfs", None),
)


def prepare(folder):
    (folder / "in").mkdir()
    for file in FILES:
        shutil.copy(need(file), folder / "in")
    subprocess.run([DMFS, "keygen", "-q", folder / "dev"], check=True)
    (folder / "m.yaml").write_text(manifest(guest("linux", KERNEL, memory="256M", initrd=INITRD)))


def run(command, folder):
    """Seconds."""
    for made in ("extracted", "unsquashed"):
        shutil.rmtree(folder / made, ignore_errors=True)
    start = time.monotonic()
    subprocess.run(command.split(), cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def stored(made, folder):
    names = () if made is None else made if isinstance(made, tuple) else (made,)
    return sum((folder / name).stat().st_size for name in names) or None


def measure():
    """All of them by turns, so that what else the machine does meets each alike."""
    size = sum(need(file).stat().st_size for file in FILES)
    best, sizes = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(folder)
        for _ in range(RUNS):
            for key, _, command, made in COMMANDS:
                best[key] = min(best.get(key, float("inf")), run(command, folder))
                sizes[key] = stored(made, folder)
    figures = [{"name": key, "what": what, "seconds": best[key], "mb_per_s": size / 1e6 / best[key], "stored": sizes[key]}
               for key, what, _, _ in COMMANDS]
    return {"bytes": size, "processors": len(os.sched_getaffinity(0)), "runs": RUNS, "figures": figures}


def table(host):
    lines = [f"{'host, %.1f MB, %d processors:' % (host['bytes'] / 1e6, host['processors']):<34}{'MB/s':>13}{'s':>13}"
             f"{'stored':>13}"]
    for figure in host["figures"]:
        share = f"{100 * figure['stored'] / host['bytes']:.1f} %" if figure["stored"] else "-"
        lines.append(f"{figure['what']:<34}{figure['mb_per_s']:>13,.0f}{figure['seconds']:>13.3f}{share:>13}")
    return "\n".join(lines)
