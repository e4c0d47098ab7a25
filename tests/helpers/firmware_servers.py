# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The compiled firmware behind ports of this machine: a pseudo terminal, a TCP socket, an RFC 2217 server."""

import os
import pty
import select
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import serial
from serial.rfc2217 import PortManager

from tests.helpers.firmware_port import FirmwareDevice

Answer = Callable[[bytes], bytes]

# Seconds after which a server looks whether it is to end.
POLL_SECONDS = 0.05


@contextmanager
def _beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """work(ended) in a thread, while the block runs."""
    ended  = threading.Event()
    thread = threading.Thread(target=work, args=[ended])
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _readable(file: object) -> bool:
    return bool(select.select([file], [], [], POLL_SECONDS)[0])


@contextmanager
def terminal(device: FirmwareDevice) -> Iterator[str]:
    """The path of a pseudo terminal with the firmware at its other end."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)

    def work(ended: threading.Event) -> None:
        while not ended.is_set():
            if _readable(ours):
                data = device.exchange(os.read(ours, 65536))
                while data:
                    data = data[os.write(ours, data):]

    try:
        with _beside(work):
            yield os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


@contextmanager
def _listening(serve: Callable[[socket.socket, threading.Event], None], port: int = 0) -> Iterator[str]:
    """host:port of a server that gives clients to serve(), one after another."""
    with socket.create_server(("127.0.0.1", port)) as server:
        def work(ended: threading.Event) -> None:
            while not ended.is_set():
                if _readable(server):
                    client, _ = server.accept()
                    with client:
                        serve(client, ended)

        with _beside(work):
            yield f"127.0.0.1:{server.getsockname()[1]}"


def _each(client: socket.socket, ended: threading.Event, answer: Answer) -> None:
    """Answer what the client sends, until it or the server ends."""
    while not ended.is_set():
        if _readable(client):
            try:
                data = client.recv(65536)
                if not data:
                    return
                client.sendall(answer(data))
            except ConnectionError:
                return


@contextmanager
def tcp(device: FirmwareDevice, port: int = 0) -> Iterator[str]:
    """host:port of a plain TCP socket with the firmware behind it; port 0 is any that is free."""
    with _listening(lambda client, ended: _each(client, ended, device.exchange), port) as address:
        yield address


@contextmanager
def rfc2217(device: FirmwareDevice, settings: dict[str, object] | None = None) -> Iterator[str]:
    """host:port of an RFC 2217 server, pyserial's own, with the firmware in the place of its serial port.

    `settings` is given the baud rate that the client asked for.
    """
    def serve(client: socket.socket, ended: threading.Event) -> None:
        class Connection:
            write = staticmethod(client.sendall)

        # It has the settings and control lines of a serial port, which the firmware has not.
        with serial.serial_for_url("loop://") as line:
            manager = PortManager(line, Connection())

            def answer(data: bytes) -> bytes:
                sent = device.exchange(b"".join(manager.filter(data)))
                if settings is not None:
                    settings["baudrate"] = line.baudrate
                return b"".join(manager.escape(sent))

            _each(client, ended, answer)

    with _listening(serve) as address:
        yield address
