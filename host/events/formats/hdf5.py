# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Recordings in HDF5 files (.h5, .hdf5): a table of events, or arrays x, y, p and t side by side.

Read with h5py, which the graphs of NIR need, too; its library ends the process at some damaged files, so it has one of
its own. Compressed as DSEC is (Blosc), a file needs the package hdf5plugin beside it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.events.formats.arrays import array_events
from host.events.formats.columns import column_names, events_of_names
from host.events.formats.found import Found, decode, unpacked_max
from host.events.reading import Reading

SIGNATURE = b"\x89HDF\r\n\x1a\n"

# Groups and data sets that are looked at.
NODES_MAX = 10_000


def read_hdf5(path: Path, reading: Reading) -> Iterator[Found]:
    """The recording of an HDF5 file, or the one that was chosen of several."""
    yield decode(f"{__name__}:decode_hdf5", path, reading.time_unit, reading.camera)


def decode_hdf5(path: Path, name: str, time_unit: str | None, camera: int | None) -> Iterator[dict | np.ndarray]:
    """A Decoder of host.common.decoding_process."""
    import h5py

    try:
        # Registers filters of files that are compressed otherwise than by HDF5's own.
        import hdf5plugin  # noqa: F401
    except ImportError:
        pass
    reading = Reading(time_unit=time_unit)
    with h5py.File(path, "r") as file:
        places = sorted(_places(file))
        if not places:
            raise QCLIFError(f"{name}: no events in it: a table of x, y, p and t, or arrays of these names side by "
                f"side, are needed")
        if len(places) > 1 and camera is None:
            raise QCLIFError(f"{name}: {len(places)} recordings, {', '.join(places[:8])}: choose one with --camera 0 "
                f"to {len(places) - 1}")
        if (camera or 0) >= len(places):
            raise QCLIFError(f"{name}: {len(places)} recordings, --camera {camera} is not there: give 0 to "
                f"{len(places) - 1}")
        node   = file[places[camera or 0]]
        limit  = unpacked_max(path.stat().st_size)
        events = _read(node, f"{name}: {node.name}", reading, limit)
        yield {"sensor_size": _sensor_size(file, node)}
        yield events


def _places(file: object) -> list[str]:
    """Names of the tables and groups that hold events."""
    import h5py

    found, seen = [], 0

    def look(name: str, node: object) -> bool | None:
        nonlocal seen
        seen += 1
        if isinstance(node, h5py.Dataset):
            if (node.dtype.names and node.ndim == 1 and len(_known(node.dtype.names)) == 4) or (
                    node.ndim == 2 and node.shape[1] == 4 and "event" in name.lower() and node.dtype.kind in "iuf"):
                found.append(name)
        elif len(_known(node.keys())) == 4:
            found.append(name)
        return True if seen >= NODES_MAX else None

    if len(_known(file.keys())) == 4:
        found.append("/")
    file.visititems(look)
    return found


def _known(names: object) -> dict:
    try:
        return column_names(names)
    except QCLIFError:
        # Such names are of something else.
        return {}


def _read(node: object, what: str, reading: Reading, limit: int) -> np.ndarray:
    import h5py

    def content(data: object) -> np.ndarray:
        if not isinstance(data, h5py.Dataset) or data.shape is None:
            raise QCLIFError(f"{what}: {data.name} is no array: write it again")
        if data.size*data.dtype.itemsize > limit:
            raise QCLIFError(f"{what}: {data.name} has {data.size*data.dtype.itemsize} bytes, of a file of this size "
                f"{limit} are plausible: it is damaged")
        try:
            return data[()]
        except OSError as error:
            plugin = re.search(r"filter|plugin", str(error))
            raise QCLIFError(f"{what}: {data.name} cannot be unpacked ({' '.join(str(error).split())[:150]}): "
                + ("install the plugin of its filter; hdf5plugin has most" if plugin else "it is damaged")) from error

    if isinstance(node, h5py.Dataset):
        return array_events(content(node), what, reading)
    names   = column_names(node.keys())
    columns = {each: content(node[each]) for each, _ in names.values()}
    unit    = node[names["t"][0]].attrs.get("units", node[names["t"][0]].attrs.get("unit"))
    if isinstance(unit, bytes | str):
        # "microseconds", "us", "s": a name with a unit behind it is understood.
        text = unit.decode("utf-8", "replace") if isinstance(unit, bytes) else unit
        text = {"seconds": "s", "milliseconds": "ms", "microseconds": "us", "nanoseconds": "ns"}.get(text.lower(), text)
        told = column_names([f"t_{text}"]).get("t")
        names["t"] = (names["t"][0], told[1] if told else names["t"][1])
    return events_of_names(columns, names, what, reading.time_unit)


def _sensor_size(file: object, node: object) -> tuple[int, int] | None:
    """Pixels (W, H) in attributes of the recording, or of the file: width and height, or geometry WxH."""
    for place in (node, node.parent, file):
        attributes = {str(key).lower(): value for key, value in place.attrs.items()}
        geometry   = attributes.get("geometry")
        if isinstance(geometry, bytes):
            geometry = geometry.decode("latin-1")
        pair = re.fullmatch(r"(\d{1,5})x(\d{1,5})", geometry) if isinstance(geometry, str) else None
        if pair:
            return int(pair[1]), int(pair[2])
        values = [np.asarray(attributes[key]) for key in ("width", "height") if key in attributes]
        if len(values) == 2 and all(value.size == 1 and value.dtype.kind in "iu" for value in values):
            return tuple(int(value.reshape(())) for value in values)
    return None
