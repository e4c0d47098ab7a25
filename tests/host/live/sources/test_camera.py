# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Cameras over USB without one: what the package lists and opens is made of its own classes, with packets of real
recordings in its own types.
"""

import importlib
import sys

import numpy as np
import pytest

import host.live.sources.camera
from accel.errors import QCLIFError
from host.events.encoder import Encoder
from host.events.event_array import EVENT
from host.events.formats import read_files
from host.live.sources.camera import CameraSource
from host.live.sources.live_steps import LiveSteps
from host.live.sources.opening import open_steps
from host.live.sources.options import SourceOptions
from tests.helpers.live_sources import check_train

nd = pytest.importorskip("neuromorphic_drivers")

# Fields of the package's arrays of events, as faery takes them.
POLARITY = np.dtype([("t", "<u8"), ("x", "<u2"), ("y", "<u2"), ("on", "?")])

DAVIS = Encoder((346, 260), (16, 16))
EVK4  = Encoder((1280, 720), (16, 16))


def packet(kind, events=None, overflows=None):
    """A packet of the package's class, with events of ours."""
    found = kind()
    found.polarity_events_overflow_indices = overflows
    found.polarity_events = None
    if events is not None:
        found.polarity_events = np.empty(len(events), POLARITY)
        for ours, theirs in zip(("t", "x", "y", "p"), ("t", "x", "y", "on"), strict=True):
            found.polarity_events[theirs] = events[ours]
    return found


class Driver:
    """The package with cameras at its ports."""
    Name, name_to_properties = nd.Name, staticmethod(nd.name_to_properties)

    def __init__(self, *listed, packets=(), fails=None):
        self._listed, self._packets, self._fails = listed, packets, fails
        self.opened = []

    def list_devices(self):
        if isinstance(self._fails, RuntimeError):
            raise self._fails
        return list(self._listed)

    def open(self, serial=None, iterator_timeout=None):
        if isinstance(self._fails, OSError):
            raise self._fails
        self.opened.append(serial)
        return self

    def close(self):
        self.opened.append("closed")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __iter__(self):
        for number, each in enumerate(self._packets):
            if isinstance(each, Exception):
                raise each
            ring = nd.status.RingStatus(float(number), 0, 1, True, number, 0)
            yield nd.status.Status(float(number), ring), each


def listed(name, serial="0042", error=None):
    return nd.ListedDevice(name, nd.Connection.USB_SUPER, "", serial, error)


def davis(**fields):
    return listed(nd.Name.INIVATION_DAVIS346, **fields)


def evk4(**fields):
    return listed(nd.Name.PROPHESEE_EVK4, **fields)

# Events -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", [nd.Davis346Packet, nd.DvxplorerPacket, nd.Evt3Packet])
def test_packets_give_the_steps_of_the_encoder(qclif_data, kind):
    sample = next(read_files([sorted((qclif_data/"dvs128_gesture").glob("*.npz"))[0]]))
    events = sample.events[:30_000]
    notes  = []
    # None: nothing came for some time; and one of other events alone.
    packets = [packet(kind), None, *(packet(kind, part) for part in np.array_split(events, 80)), packet(kind)]
    driver  = Driver(davis(), packets=packets)
    source  = CameraSource("camera", DAVIS, notes.append, driver)
    assert source.name == "iniVation DAVIS 346, 0042" and source.sensor_size == (346, 260)
    with LiveSteps(source, DAVIS, max_lag_s=1e6, grace_s=1e6) as steps:
        found = []
        while not steps.ended:
            found += steps.take(100, 0.01)
    check_train(found, DAVIS.encode(events))
    np.testing.assert_array_equal(np.concatenate([step.events for step in found]), events)
    assert driver.opened == ["0042", "closed"] and not notes
    assert {name for name, count in steps.counts.items() if count} == {"steps", "events"}


def test_what_the_package_lost_is_counted():
    events  = np.array([(1, 2, 1, 10), (400, 2, 0, 20), (3, 4, 0, 30)], EVENT)
    notes   = []
    packets = [packet(nd.Evt3Packet, events, np.array([1, 2])), packet(nd.Evt3Packet, events, np.array([0]))]
    source  = CameraSource("camera:inivation", DAVIS, notes.append, Driver(davis(), packets=packets))
    assert [piece.events["x"].tolist() for piece in source.pieces()] == [[1, 3], [1, 3]]
    assert source.counts == {"lost": 3, "outside_events": 2} and len(notes) == 2
    assert notes[0].startswith("iniVation DAVIS 346, 0042: packets were lost")


def test_a_camera_that_nobody_reads_is_closed():
    driver = Driver(davis())
    CameraSource("camera", DAVIS, print, driver).close()
    assert driver.opened == ["0042", "closed"]
    # As the package's does.
    assert callable(nd.device.Device.close) and callable(nd.device.Device.__exit__)


def test_a_camera_that_is_unplugged():
    source = CameraSource("camera", DAVIS, print, Driver(davis(), packets=[RuntimeError("device\nremoved")]))
    with LiveSteps(source, DAVIS) as steps, pytest.raises(QCLIFError,
            match=r"DAVIS 346, 0042: it does not answer \(device removed\): plug it in again, and start again"):
        while not steps.ended:
            steps.take(100, 0.01)

# Which one ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("text, encoder, name", [
    ("camera", DAVIS, "iniVation DAVIS 346, 0042"),
    ("camera:iniVation", DAVIS, "iniVation DAVIS 346, 0042"),
    ("camera:prophesee", EVK4, "Prophesee EVK4, 77"),
    ("camera:77", EVK4, "Prophesee EVK4, 77"),
])
def test_the_camera_that_is_named(text, encoder, name):
    unusable = {"serial": "1", "error": "permission denied"}
    driver   = Driver(evk4(**unusable) if text == "camera" else davis(**unusable), davis(), evk4(serial="77"))
    source = CameraSource(text, encoder, print, driver)
    assert source.name == name and driver.opened == [name.split(", ")[1]]


@pytest.mark.parametrize("text, driver, error", [
    ("camera", Driver(), "camera: no such camera: looked at the USB ports for iniVation DAVIS 346, iniVation "
        "DVXplorer, Prophesee EVK3 HD, Prophesee EVK4, CenturyArks VGA, Lucid Triton, found none: plug it in, and let "
        "neuromorphic-drivers-install-udev-rules give you the right to use it"),
    ("camera:prophesee", Driver(davis()), "looked at the USB ports for Prophesee EVK3 HD, Prophesee EVK4, found "
        "iniVation DAVIS 346: plug it in"),
    ("camera:99", Driver(davis()), "the serial number 99 (makers are inivation, prophesee, centuryarks, lucid), found"),
    ("camera", Driver(davis(error="access denied")), "camera: iniVation DAVIS 346 cannot be used (access denied): "
        "plug it in"),
    ("camera", Driver(evk4()), "camera: Prophesee EVK4, 0042: the sensor has 1280x720 pixels, the network is for "
        "346x260: take a network for this sensor"),
    ("camera", Driver(davis(), fails=OSError("the device is already used by another program")), "camera: iniVation "
        "DAVIS 346, 0042 cannot be opened (the device is already used by another program): plug it in"),
    ("camera", Driver(fails=RuntimeError("Other error")), "camera: no camera can be looked for, the USB ports cannot "
        "be read (Other error)"),
])
def test_no_such_camera(text, driver, error):
    with pytest.raises(QCLIFError) as raised:
        CameraSource(text, DAVIS, print, driver)
    assert error in str(raised.value) and "\n" not in str(raised.value)


def test_on_this_machine():
    """Whatever is at its ports, there is no traceback."""
    try:
        open_steps(SourceOptions("camera:no-such-serial-number"), DAVIS)
    except QCLIFError as error:
        assert "camera:no-such-serial-number: no " in str(error) and "\n" not in str(error)
    else:
        pytest.fail("there is no such camera")


def test_the_package_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "neuromorphic_drivers", None)
    with pytest.raises(QCLIFError, match=r"--source camera: the package neuromorphic-drivers is missing .*pip install"):
        open_steps(SourceOptions("camera"), DAVIS)


def test_it_is_the_package_that_faery_reads_cameras_with():
    faery = importlib.import_module("faery.event_camera_input")
    assert faery.has_neuromorphic_drivers() and host.live.sources.camera.PACKAGE == "neuromorphic_drivers"
