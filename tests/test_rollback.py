# SPDX-License-Identifier: MIT
"""The rollback index that a board stores: raised by what it boots, and what is below it is refused."""
import re
import subprocess

import pytest

from board import DMFS, LIMIT, VIRT_GSTAGE, VIRT_PMP

SECTOR, RECORD = 256 << 10, 32


@pytest.fixture(scope="module")
def versions(small, images, tmp_path_factory):
    """The same small image with rollback indices of 3 to 5."""
    folder = tmp_path_factory.mktemp("versions")
    made = {}
    for index in (3, 4, 5):
        text = small.with_suffix(".yaml").read_text().replace("rollback: 7", f"rollback: {index}")
        path = folder / f"v{index}.yaml"
        path.write_text(text)
        made[index] = path.with_suffix(".dmfs")
        subprocess.run([DMFS, "pack", "--quiet", path, "-o", made[index], "--key", images.key], check=True)
    return made


def boot(image, images, flash, *options):
    """None when it boots, or the sentence."""
    attach = ["--flash", flash] if flash else []
    done = subprocess.run([DMFS, "run", "--quiet", "--no-color", image, "--trust", images.pub, "--timeout", str(LIMIT),
                           *attach, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * LIMIT)
    refusal = re.search(r"diosix: image refused: (.*)", done.stdout)
    assert done.returncode == (1 if refusal else 0), done.stdout + done.stderr
    assert ("started" in done.stdout) != bool(refusal)
    return refusal.group(1).strip() if refusal else None


@pytest.mark.parametrize("how", [VIRT_GSTAGE, VIRT_PMP], ids=["gstage", "pmp"])
def test_what_is_below_the_stored_index_is_refused(versions, images, tmp_path, how):
    flash = tmp_path / "flash"
    assert boot(versions[4], images, flash, *how) is None
    assert flash.read_bytes()[SECTOR] == 4
    after = flash.read_bytes()
    refused = boot(versions[3], images, flash, *how)
    assert refused is not None and "rollback" in refused
    assert flash.read_bytes() == after, "a refused image has changed the store"
    assert boot(versions[4], images, flash, *how) is None
    assert flash.read_bytes() == after, "the same index was stored again"
    assert boot(versions[5], images, flash, *how) is None
    assert boot(versions[4], images, flash, *how) == refused
    # What is bundled counts as well; and without flash nothing is remembered.
    assert boot(versions[5], images, flash, "--rollback", "6", *how) == refused
    assert boot(versions[3], images, None, *how) is None


def test_an_image_that_is_refused_does_not_raise_the_index(versions, images, tmp_path):
    flash, broken = tmp_path / "flash", tmp_path / "broken.dmfs"
    assert boot(versions[3], images, flash) is None
    after = flash.read_bytes()
    # The last byte is the payload's: the signature holds, unpacking fails.
    image = versions[5].read_bytes()
    broken.write_bytes(image[:-1] + bytes([image[-1] ^ 1]))
    assert boot(broken, images, flash) is not None
    assert flash.read_bytes() == after
    assert boot(versions[3], images, flash) is None


def test_a_write_that_was_cut_off_is_harmless(versions, images, tmp_path):
    """Each length of the second record: the first one counts, and the next boot stores behind what is there."""
    flash = tmp_path / "flash"
    assert boot(versions[4], images, flash) is None
    assert boot(versions[5], images, flash) is None
    whole = flash.read_bytes()
    second = SECTOR + RECORD
    assert whole[second] == 5 and whole[second + RECORD] == 0xff
    for length in (0, 1, 4, 8, 20, 31):
        torn = bytearray(whole)
        torn[second + length:second + RECORD] = b"\xff" * (RECORD - length)
        flash.write_bytes(bytes(torn))
        assert "rollback" in (boot(versions[3], images, flash) or "it booted"), length
        assert boot(versions[4], images, flash) is None
        assert boot(versions[5], images, flash) is None
        assert "rollback" in (boot(versions[4], images, flash) or "it booted"), length


def test_flash_of_somebody_else_is_left_alone(versions, images, tmp_path):
    flash = tmp_path / "flash"
    flash.write_bytes(bytes(32 << 20))
    done = subprocess.run([DMFS, "run", versions[3], "--trust", images.pub, "--flash", flash], capture_output=True, text=True)
    assert done.returncode == 1 and "is no flash memory of a board" in done.stderr
    drive = f"driver=raw,node-name=other,file.driver=file,file.filename={flash}"
    for version in (versions[5], versions[3]):
        assert boot(version, images, None, "--", "-blockdev", drive, "-global",
                    "driver=cfi.pflash01,property=drive,value=other") is None
    assert flash.read_bytes() == bytes(32 << 20)
    done = subprocess.run([DMFS, "run", versions[3], "--trust", images.pub, "--flash", flash, "--board", "sifive_u"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "has no flash memory" in done.stderr
