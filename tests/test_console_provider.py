# SPDX-License-Identifier: MIT
"""The console's provider and the second port, with a service that echoes (tests/services/echo-console.c)."""
import socket

import pytest

from board import BUILD, SIFIVE_U, VIRT_GSTAGE, linux, manifest, need

pytestmark = pytest.mark.alone

ECHO = """services:
  - name: echo
    program: {{file: {program}, load: 0x80200000, relocatable: true}}
    memory: 4M
    restart: {restart}
    permissions: [service_console, service_control, console_read, console_write]
"""


def virtio(bus, port):
    return VIRT_GSTAGE, ("-global", "virtio-mmio.force-legacy=false", "-device", bus, "-device", f"{port},chardev=ctl")


# How the second port of each board is connected to the host.
PORTS = {
    "virtio": virtio("virtio-serial-device", "virtserialport,nr=1"),
    "virtio-single": virtio("virtio-serial-device,max_ports=1", "virtconsole"),
    "uart": (SIFIVE_U, ("-serial", "chardev:ctl")),
}


def echo(restart="never"):
    return ECHO.format(program=need(BUILD / "service-guests/echo-console.bin"), restart=restart)


def test_the_provider_shows_what_guests_print_and_gets_what_is_typed(images, boot, where):
    board = boot(images.pack(manifest(linux(cmdline="console=ttyS0")) + echo()), *where)
    board.expect(r"<0>[^\n]*Run /init as init process")
    board.expect("# ")
    board.send("echo four$((2 + 2))\n")
    board.expect("<0>four4")


def test_when_the_provider_crashes_the_hypervisors_console_goes_on(images, boot, where):
    board = boot(images.pack(manifest(linux(cmdline="console=ttyS0")) + echo()), *where)
    board.expect(r"<0>[^\n]*Run /init as init process")
    board.expect("# ")
    board.send("\x03")
    board.expect_line("diosix: capsule echo: crashed: it exited with status 1")
    board.send("echo four$((2 + 2))\n")
    board.expect(r"\[linux\] four4")


@pytest.mark.parametrize("port", PORTS)
def test_the_second_port_is_the_provider_s(images, boot, tmp_path, port):
    options, device = PORTS[port]
    path = tmp_path / "ctl"
    board = boot(images.pack(manifest(linux(cmdline="console=ttyS0")) + echo()), *options,
                 qemu=("-chardev", f"socket,id=ctl,path={path},server=on,wait=off", *device))
    board.expect("<0>")
    with socket.socket(socket.AF_UNIX) as host:
        host.settimeout(board.child.timeout)
        host.connect(str(path))
        host.sendall(b"hello")
        got = b""
        while got.replace(b"><", b"") != b"<hello>":
            got += host.recv(64)
