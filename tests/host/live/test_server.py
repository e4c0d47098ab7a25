# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The page's server: who may look and who may act, and that no viewer holds up the run."""

import contextlib
import http.client
import json
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from accel.errors import QCLIFError
from host.common.folders import ROOT
from host.live import server as server_module
from host.live import viewer
from host.live.control import Control
from host.live.feed import Feed, Frame, Hello
from host.live.guard import Guard
from host.live.server import PAGE, PageServer
from host.live.viewer import COMMANDS_HZ, FRAMES_MAX, LOOK_ONLY

# A sensor whose pictures fill what a line holds before it stands.
SIDE = 512

HELLO = Hello("net", "camera", "soc", (SIDE, SIDE), 5000, 512, 3, 200, 255, ("left", "right"),
    ("near", "far", "none"), (140,)*200, 5, True)


def frame(number):
    return Frame(number, [np.array([number], np.int32)], [np.zeros(0, np.int32)], np.zeros((1, 2), np.int32),
        np.zeros((SIDE, SIDE), np.int8))


def first(encoded):
    return json.loads(encoded[4:4 + int.from_bytes(encoded[:4], "little")])["first"]


def soon(condition: Callable[[], object], seconds: float = 10.0) -> bool:
    """Whether something becomes true in some seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def feed():
    return Feed(HELLO)


@pytest.fixture
def control():
    return Control(200, 3)


@pytest.fixture
def server(feed, control):
    with PageServer(feed, control) as running:
        yield running


def port(server):
    return int(server.url.rpartition(":")[2].partition("/")[0])


@contextlib.contextmanager
def look(server, **options):
    """A viewer's line, whose first message was read; it does not wait long for the other end to take leave."""
    with connect(f"ws://127.0.0.1:{port(server)}/live", compression=None, proxy=None, max_size=None, close_timeout=0.3,
            **options) as viewer:
        assert json.loads(viewer.recv(10))["kind"] == "hello"
        yield viewer


def ask(viewer, **message):
    """Send a message; the next one that is no frame, decoded."""
    viewer.send(json.dumps(message))
    while isinstance(got := viewer.recv(10), bytes):
        pass
    return json.loads(got)


def request(server, path="/", method="GET", **headers):
    """(status, headers, text) of an answer; a Host header may be told."""
    line = http.client.HTTPConnection("127.0.0.1", port(server), timeout=10)
    with contextlib.closing(line):
        line.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            line.putheader(name, value)
        line.endheaders()
        answer = line.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()

# Files ---------------------------------------------------------------------------------------------

def test_all_files_of_the_page_are_served_and_nothing_else(server):
    for path in PAGE.iterdir():
        status, headers, text = request(server, "/" if path.name == "index.html" else f"/{path.name}")
        assert status == 200 and text == path.read_text()
        assert headers["content-type"].startswith(("text/html", "text/css", "text/javascript", "image/svg+xml"))
    for path in ("/nothing", "/../server.py", "/%2e%2e/server.py", "/page.css/..", "//etc/passwd"):
        assert request(server, path)[0] == 404
    assert request(server, method="POST")[0] == 405


def test_headers_forbid_what_the_page_does_not_need(server):
    for path in ("/", "/main.js", "/nothing"):
        headers = {name.lower(): value for name, value in request(server, path)[1].items()}
        policy  = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'self'" and policy["frame-ancestors"] == policy["object-src"] == "'none'"
        assert policy["connect-src"] == f"'self' ws://127.0.0.1:{port(server)}" and "script-src" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_the_page_has_nothing_from_elsewhere():
    for path in PAGE.iterdir():
        text = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text and "https:" not in text and "//cdn" not in text

# Names and origins ---------------------------------------------------------------------------------

@pytest.mark.parametrize("host, status", [
    ("127.0.0.1:{}", 200), ("localhost:{}", 200), ("localhost:9999", 200), ("[::1]:{}", 200), ("LOCALHOST", 200),
    ("evil.example:{}", 403), ("evil.example", 403), ("localhost.evil.example", 403), ("", 403), ("192.0.2.7:{}", 403),
    ("127.0.0.1:{}; script-src *", 403), ("127.0.0.1@evil.example", 403),
])
def test_who_calls_us_by_another_name_is_refused(server, host, status):
    assert request(server, Host=host.format(port(server)))[0] == status


@pytest.mark.parametrize("origin, welcome", [
    (None, True), ("http://127.0.0.1:{}", True), ("http://localhost:{}", False), ("http://127.0.0.1:1", False),
    ("https://127.0.0.1:{}", False), ("http://evil.example", False), ("null", False), ("", False),
])
def test_foreign_origins_are_refused(server, control, origin, welcome):
    origin = origin and origin.format(port(server))
    headers = {} if origin is None else {"Origin": origin}
    assert request(server, **headers)[0] == (200 if welcome else 403)
    if welcome:
        with look(server, additional_headers=headers) as viewer:
            assert ask(viewer, token=server.token) == {"kind": "rights", "commands": True}
    else:
        with pytest.raises(InvalidStatus, match="403"), look(server, additional_headers=headers):
            pass


@pytest.mark.parametrize("bound, host, welcome", [
    ("127.0.0.1", "10.0.0.5", False), ("0.0.0.0", "10.0.0.5:80", True), ("0.0.0.0", "localhost", True),
    ("0.0.0.0", "lab", True), ("0.0.0.0", "LAB:8000", True), ("0.0.0.0", "lab.evil.example", False),
    ("0.0.0.0", "[2001:db8::1]:80", True), ("::", "evil", False), ("10.0.0.5", "10.0.0.5:80", True),
    ("10.0.0.5", "a b", False), ("10.0.0.5", "[::1", False),
])
def test_names_where_others_may_look(bound, host, welcome):
    """An address cannot be made to point elsewhere, as a name can."""
    guard = Guard(None, bound, ("lab",))
    assert (guard.refusal(host, None) is None) == welcome
    assert not welcome or guard.refusal(host, f"http://{host}") is None

# Commands ------------------------------------------------------------------------------------------

def test_the_address_has_the_token_and_each_server_another(feed, control, server):
    assert server.url == f"http://127.0.0.1:{port(server)}/#{server.token}" and len(server.token) >= 20
    assert PageServer(feed, control).token != server.token


def test_a_viewer_gets_facts_then_frames_and_may_act_with_the_token(server, feed, control):
    feed.publish(frame(7))
    with look(server) as viewer:
        assert first(viewer.recv(10)) == 7
        assert ask(viewer, token=server.token)["commands"] is True
        viewer.send(json.dumps({"token": server.token, "command": "cue", "value": 2}))
        assert soon(lambda: (taken := control.taken()) and taken == [("cue", 2)])
        feed.publish(frame(8))
        assert first(viewer.recv(10)) == 8


def test_facts_are_those_of_the_run(server):
    with connect(f"ws://127.0.0.1:{port(server)}/live", proxy=None) as viewer:
        assert json.loads(viewer.recv(10)) == {"kind": "hello", "facts": json.loads(HELLO.encode())}


@pytest.mark.parametrize("token", [None, "", "wrong", 5, ["x"], "\udcff", "x"*500])
def test_without_the_token_a_viewer_only_looks(server, control, token):
    with look(server) as viewer:
        assert ask(viewer, token=token) == {"kind": "rights", "commands": False}
        assert ask(viewer, token=token, command="pause") == {"kind": "notice", "text": LOOK_ONLY}
        assert ask(viewer, command="pause")["text"] == LOOK_ONLY
    assert control.taken() == []


@pytest.mark.parametrize("message", [
    "", "no JSON", "[]", "5", "null", b"\x00\xff", "["*900, '{"token": ', "1"*1000, '"\\ud800"',
])
def test_messages_that_are_none_get_a_notice(server, feed, message):
    with look(server) as viewer:
        viewer.send(message)
        notice = json.loads(viewer.recv(10))
        assert notice["kind"] == "notice" and "no JSON object" in notice["text"]
        feed.publish(frame(3))
        assert first(viewer.recv(10)) == 3


@pytest.mark.parametrize("command, value, words", [
    ("stop", None, "known are"), (["pause"], None, "known are"), (None, None, "known are"), ("cue", 3, "-1 to 2"),
    ("cue", 1e400, "-1 to 2"), ("watch", [200], "neuron 200"), ("watch", {"a": 1}, "a list"),
    ("pause", "now", "has none"),
])
def test_bad_commands_get_a_notice(server, control, command, value, words):
    with look(server) as viewer:
        notice = ask(viewer, token=server.token, command=command, value=value)
        assert notice["kind"] == "notice" and words in notice["text"] and "\n" not in notice["text"]
        assert ask(viewer, token=server.token)["commands"] is True
    assert control.taken() == []


def test_a_message_that_is_too_long_ends_the_line(server, feed):
    with look(server) as viewer:
        viewer.send("x"*2000)
        with pytest.raises(ConnectionClosed):
            viewer.recv(10)
        assert viewer.close_code == 1009
    assert soon(lambda: feed.viewers == 0)


def test_commands_a_second_are_bounded(server, control):
    with look(server) as viewer:
        for _ in range(4*COMMANDS_HZ):
            viewer.send(json.dumps({"token": server.token, "command": "step"}))
        notice = json.loads(viewer.recv(10))
        assert notice["text"] == f"more than {COMMANDS_HZ} commands a second: those beyond were not executed"
        assert COMMANDS_HZ <= len(control.taken()) <= COMMANDS_HZ + 2
        # Others are not meant.
        with look(server) as other:
            other.send(json.dumps({"token": server.token, "command": "reset"}))
            assert soon(lambda: ("reset", None) in control.taken())

# Viewers that do not keep up -----------------------------------------------------------------------

def test_a_slow_viewer_misses_frames_and_is_told_others_are_not_held_up(server, feed):
    frames, seen = 400, []
    with look(server, max_queue=1) as slow, look(server) as quick:
        def follow():
            while not seen or seen[-1] < frames - 1:
                message = quick.recv(10)
                seen.append(first(message) if isinstance(message, bytes) else seen[-1])
        following = threading.Thread(target=follow)
        following.start()
        longest = 0.0
        for number in range(frames):
            begun = time.monotonic()
            feed.publish(frame(number))
            longest = max(longest, time.monotonic() - begun)
            assert soon(lambda number=number: seen and seen[-1] >= number - 2)
        following.join()
        assert longest < 1 and seen[-1] == frames - 1
        got, dropped = [], 0
        while not got or got[-1] < frames - 1:
            message = slow.recv(10)
            if isinstance(message, bytes):
                got.append(first(message))
            else:
                told = json.loads(message)
                assert told["kind"] == "dropped"
                dropped += told["frames"]
    assert dropped > 0 and len(got) + dropped == frames
    # The newest are there, in order.
    assert got == sorted(got) and got[-FRAMES_MAX:] == list(range(frames - FRAMES_MAX, frames))


def test_a_viewer_that_never_reads_is_let_go(feed, control, monkeypatch):
    monkeypatch.setattr(viewer, "PATIENCE", 0.3)
    with PageServer(feed, control) as server, dead_line(server) as line:
        assert soon(lambda: feed.viewers == 1)
        for number in range(200):
            feed.publish(frame(number))
            time.sleep(0.01)
        assert soon(lambda: feed.viewers == 0)
        line.getsockname()


def dead_line(server):
    """A viewer that has asked for frames and reads nothing."""
    line = socket.create_connection(("127.0.0.1", port(server)))
    line.sendall(f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port(server)}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode())
    return line


@pytest.mark.parametrize("brutal", [False, True])
def test_a_viewer_that_is_killed_leaves_nothing_behind(server, feed, brutal):
    line = dead_line(server)
    assert soon(lambda: feed.viewers == 1)
    feed.publish(frame(0))
    if brutal:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()
    assert soon(lambda: feed.publish(frame(1)) or feed.viewers == 0)
    with look(server):
        assert soon(lambda: feed.viewers == 1)


def test_so_many_viewers_and_no_more(feed, control, monkeypatch):
    monkeypatch.setattr(server_module, "VIEWERS_MAX", 2)
    with PageServer(feed, control) as server, look(server), look(server):
        with connect(f"ws://127.0.0.1:{port(server)}/live", proxy=None) as third:
            with pytest.raises(ConnectionClosed):
                third.recv(10)
            assert (third.close_code, third.close_reason) == (1013, "2 viewers look already")
        assert feed.viewers == 2

# Beginning and end ---------------------------------------------------------------------------------

def test_a_port_in_use_has_a_remedy(server, feed, control):
    with pytest.raises(QCLIFError, match=rf"^port {port(server)} of 127.0.0.1 is in use: choose another .* or 0"), \
            PageServer(feed, control, port=port(server)):
        pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.name.invalid"])
def test_an_address_of_others_has_a_remedy(feed, control, host):
    with pytest.raises(QCLIFError, match=rf"^the page cannot listen at {host} .*: choose 127.0.0.1"), \
            PageServer(feed, control, host=host):
        pass


@pytest.mark.parametrize("number", [-1, 65536, "80", True])
def test_ports_have_limits(feed, control, number):
    with pytest.raises(QCLIFError, match="port of the page"):
        PageServer(feed, control, port=number)


@pytest.mark.parametrize("host, shown", [
    ("localhost", "localhost"), ("::1", "[::1]"), ("0.0.0.0", socket.gethostname()),
])
def test_other_addresses(feed, control, host, shown):
    try:
        with PageServer(feed, control, host=host) as server:
            assert server.url.startswith(f"http://{shown}:")
            assert soon(lambda: socket.create_connection((host, port(server))).close() is None)
    except QCLIFError:
        if host != "::1":
            raise
        pytest.skip("no IPv6 here")


def test_it_ends_at_once_whoever_looks(feed, control):
    server = PageServer(feed, control)
    server.__enter__()
    with look(server), dead_line(server):
        assert soon(lambda: feed.viewers == 2)
        for number in range(100):
            feed.publish(frame(number))
        begun = time.monotonic()
        server.__exit__(None, None, None)
        assert time.monotonic() - begun < 1.5 and feed.viewers == 0
        assert not [thread for thread in threading.enumerate() if thread.name == "page"]
    # The port is free again, and frames go nowhere.
    feed.publish(frame(0))
    with PageServer(feed, control, port=port(server)):
        pass


def test_nothing_is_said_and_signals_stay_as_they_were(feed, control, capfd):
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with PageServer(feed, control) as server:
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
        for rubbish in (b"\x00\xff\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port(server))) as line:
                line.sendall(rubbish)
                line.recv(1000)
        dead_line(server).close()
        with look(server) as viewer:
            viewer.send(b"\x80")
            viewer.recv(10)
        assert request(server)[0] == 200
    assert capfd.readouterr() == ("", "")


def test_an_interrupted_program_ends_and_its_page_with_it():
    """With a viewer that looks."""
    with subprocess.Popen([sys.executable, "-m", "tests.helpers.live_replay"], cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        number = int(running.stdout.readline().rpartition(":")[2].partition("/")[0])
        with connect(f"ws://127.0.0.1:{number}/live", compression=None, proxy=None) as viewer:
            for _ in range(5):
                viewer.recv(30)
            running.send_signal(signal.SIGINT)
            _, errors = running.communicate(timeout=30)
    assert running.returncode == 130 and errors == "interrupted\n"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", number))
