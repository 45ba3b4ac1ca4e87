# SPDX-License-Identifier: MIT
"""Capsules exchange messages and pages, and one of them crashes in between."""
import pytest

from board import BUILD, guest, manifest, need

MAY = "[message_send, message_receive, memory_grant]"


@pytest.mark.parametrize("harts", ["1", pytest.param("2", marks=pytest.mark.alone)])
def test_ten_thousand_messages_and_pages_that_are_taken_back(images, boot, where, harts):
    program = f"{{file: {need(BUILD / 'service-guests/exchange.bin')}, load: 0x80200000, relocatable: true}}"
    image = images.pack(manifest(guest("owner", program, cmdline="owner", permissions=MAY),
                                 guest("peer", program, permissions=MAY, restart="on-crash")))
    board = boot(image, "--harts", harts, *where)
    board.expect_all("diosix: capsule owner: stopped", "diosix: capsule peer: stopped")
    text = board.end(status=0)
    assert "BROKEN" not in text, board.tail()
    assert text.count("attack exchange: held") == 2
    assert text.count("capsule peer: restarted") == 3
