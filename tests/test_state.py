# SPDX-License-Identifier: MIT
"""Registers of the floating-point and vector units: each vCPU finds its own, whoever ran before it, and nothing else."""
import pytest

from board import BUILD, SIFIVE_U, VIRT_GSTAGE, VIRT_PMP, guest, manifest, need

CPUS = {VIRT_GSTAGE: "rv64", VIRT_PMP: "rv64,h=false"}


def state(program, name=None, **more):
    path = need(BUILD / f"state/{program}.bin")
    return guest(name or program, f"{{file: {path}, load: 0x80200000, relocatable: true}}", **more)


def several():
    """Two guests of two vCPUs with patterns, one of them breaking in anywhere, and one without."""
    return manifest(state("keep-patterns", "one", cpus=2), state("keep-patterns", "two", cpus=2, priority="high"),
                    state("stay-without"))


def look_at_the_end(board, vectors):
    text = board.end(status=0)
    assert "BROKEN" not in text
    assert text.count("attack keep-patterns: held") == 2
    assert text.count("attack stay-without: held") == 1
    said = f"vectors of {vectors:#x}" if vectors else "no vectors 0x0"
    assert text.count(f"keep-patterns: {said}") == 2


@pytest.mark.parametrize("harts", [1, 2])
def test_floating_point_is_each_vcpus_own(images, boot, where, harts):
    look_at_the_end(boot(images.pack(several()), "--harts", str(harts), *where), vectors=0)


@pytest.mark.parametrize("harts, vlen", [(1, 128), (2, 256), (1, 1024)])
@pytest.mark.parametrize("isolation", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
def test_vectors_are_each_vcpus_own(images, boot, isolation, harts, vlen):
    board = boot(images.pack(several()), "--harts", str(harts), *isolation,
                 qemu=("-cpu", f"{CPUS[isolation]},v=true,vlen={vlen}"))
    look_at_the_end(board, vectors=vlen // 8)
