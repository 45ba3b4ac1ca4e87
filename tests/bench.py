# SPDX-License-Identifier: MIT
"""
`make bench`: every figure beside its yardstick, as tables, and as JSON in build/bench.json. `make bench-host`: the host's
commands alone, as a table.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import host_speed
import measure
from board import BUILD, Images

SCHEMA = 1  # of the JSON; raised when a field changes its meaning or goes away
COLUMNS = ("gstage", "pmp", *measure.OPENSBI)

# key, what it is, unit, aim. docs/performance.md says how each is measured.
FIGURES = (
    ("base", "ecall BASE get_spec_version", "instructions", 60),
    ("set_timer", "ecall TIME set_timer", "instructions", 80),
    ("ipi_self", "IPI to oneself, until taken", "instructions", 150),
    ("fence_self", "remote fence.i to oneself", "instructions", 150),
    ("lsr", "UART: read of LSR", "instructions", None),
    ("thr", "UART: write of THR", "instructions", None),
    ("timer_call", "timer interrupt, set by SBI call", "instructions", None),
    ("timer_sstc", "timer interrupt, set by stimecmp", "instructions", None),
    ("ipi_other", "IPI to another hart's handler", "instructions", None),
    ("ipi_same_hart", "IPI to a vCPU on the same hart", "instructions", None),
    ("world_switch", "  that, less an IPI to oneself", "instructions", None),
    ("restart", "restart of a 4 MiB capsule", "instructions", None),
    ("reset_small", "reset to guest, 4 MiB, 1 hart", "instructions", 7000000),
    ("reset_1", "reset to guest, 30 MiB, 1 hart", "instructions", None),
    ("byte_1", "  of it an unpacked byte", "instructions", 28),
    ("byte_2", "  the same on 2 harts", "instructions", 15.6),
    ("byte_4", "  the same on 4 harts", "instructions", 8.5),
    ("signature", "  signature", "instructions", None),
    ("verify_mib", "  verify, per unpacked MiB", "instructions", None),
    ("inflate_mib", "  unpack, per unpacked MiB", "instructions", None),
    ("user_space", "Debian's kernel to user space", "s of guest time", None),
    ("capsule_bytes", "RAM for a capsule with its vCPU", "bytes", None),
    ("vcpu_bytes", "RAM for one more vCPU", "bytes", None),
    ("text", "text", "bytes", 131072),
    ("rodata", "read-only data", "bytes", None),
    ("data", "data", "bytes", None),
    ("bss", "bss", "bytes", None),
)


def boot_figures(images, mode):
    alone = measure.unpack_on_one(images, mode)
    size = measure.raw_len()
    reset = measure.reset_to_big_guest(images, mode)
    serial = reset - alone["stage"]
    result = {"reset_1": reset, "byte_1": reset / size, "signature": alone["signature"],
              "verify_mib": alone["hash"] / size * (1 << 20), "inflate_mib": alone["inflate"] / size * (1 << 20)}
    for harts in (2, 4):
        result[f"byte_{harts}"] = (serial + measure.unpack_on(images, mode, harts)) / size
    return result


def of_capsules(images, mode):
    result = measure.in_capsule(images, mode, "calls")
    result["ipi_other"] = measure.in_capsule(images, mode, "harts", harts=2, cpus=2)["ipi_other"]
    result["ipi_same_hart"] = measure.in_capsule(images, mode, "harts", harts=1, cpus=2)["ipi_other"]
    result["world_switch"] = result["ipi_same_hart"] - result["ipi_self"]
    result["restart"], result["reset_small"] = measure.restart(images, mode)
    result |= boot_figures(images, mode)
    result["user_space"] = measure.user_space_capsule(images, mode)
    each = measure.bytes_each(images, mode)
    result["capsule_bytes"], result["vcpu_bytes"] = each["capsule"], each["vcpu"]
    return result | measure.sections()


def of_opensbi(firmware):
    result = measure.under_opensbi(firmware, "calls")
    result["ipi_other"] = measure.under_opensbi(firmware, "harts", harts=2)["ipi_other"]
    result["reset_small"] = measure.under_opensbi(firmware, "first")["first"]
    result["user_space"] = measure.user_space_bare("rv64", measure.need_firmware(firmware))
    return result


def collect(images):
    columns = {mode: of_capsules(images, mode) for mode in measure.MODES}
    return columns | {name: of_opensbi(firmware) for name, firmware in measure.OPENSBI.items()}


def shown(value):
    if value is None:
        return "-"
    if abs(value - round(value)) < 0.01:  # a loop's own reading of the counter adds one to all of it
        return f"{round(value):,}"
    return f"{value:.3f}" if value < 1 else f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


def table(columns):
    lines = [f"{'':<34}" + "".join(f"{name:>13}" for name in (*COLUMNS, "aim"))]
    unit = None
    for key, what, its_unit, aim in FIGURES:
        if its_unit != unit:
            unit = its_unit
            lines.append(f"{unit}:")
        values = (*(columns[name].get(key) for name in COLUMNS), aim)
        lines.append(f"{what:<34}" + "".join(f"{shown(value):>13}" for value in values))
    return "\n".join(lines)


def report(columns, host):
    qemu = subprocess.run([measure.QEMU, "--version"], capture_output=True, text=True, check=True).stdout
    figures = [{"name": key, "what": what.strip(), "unit": unit, "aim": aim,
                "values": {name: columns[name].get(key) for name in COLUMNS}} for key, what, unit, aim in FIGURES]
    return {"schema": SCHEMA, "time": int(os.environ.get("SOURCE_DATE_EPOCH", time.time())),
            "qemu": qemu.splitlines()[0], "command": " ".join(measure.ICOUNT), "figures": figures, "host": host}


def main():
    host = host_speed.measure()
    print(host_speed.table(host), flush=True)
    if sys.argv[1:] == ["host"]:
        return
    with tempfile.TemporaryDirectory() as folder:
        columns = collect(Images(pathlib.Path(folder)))
    (BUILD / "bench.json").write_text(json.dumps(report(columns, host), indent=1) + "\n")
    print("\n" + table(columns))


if __name__ == "__main__":
    sys.exit(main())
