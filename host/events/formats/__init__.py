# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Event recordings from files and datasets: formats are recognised by what is in a file; one module a family."""

import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from accel.errors import QCLIFError
from host.events.encoder import SIZE_MAX
from host.events.event_array import check_coordinates, normalise
from host.events.formats import dvs_gesture, es, hdf5
from host.events.formats.aedat2 import read_aedat2
from host.events.formats.aedat3 import read_aedat3
from host.events.formats.aedat4 import read_aedat4
from host.events.formats.arrays import read_npy, read_npz
from host.events.formats.found import Found
from host.events.formats.nmnist import read_bin
from host.events.formats.prophesee import is_dat, read_dat, read_raw
from host.events.formats.published import DATASETS, class_names, dataset_files, read_dataset
from host.events.formats.text import is_text, read_text
from host.events.reading import Reading
from host.events.repair import repaired
from host.events.sample import Sample

__all__ = ["DATASETS", "FORMATS", "READERS_VERSION", "SUFFIXES", "Format", "class_names", "dataset_files", "format_of",
    "read_dataset", "read_files"]

# Raised when readers give other events than before: what was kept of them is read again.
READERS_VERSION = 2

# Bytes that a format is recognised by.
HEAD_BYTES = 2**14


class Format(NamedTuple):
    """A format of recordings.

    Parameters
    ----------
    suffixes : that its files have as a rule, the usual one first.
    is_it : whether a file with this path and beginning is one.
    read : what it holds.
    takes : fields of Reading that its files may need beside sensor_size and repair_us.
    """
    suffixes: tuple[str, ...]
    is_it:    Callable[[Path, bytes], bool]
    read:     Callable[[Path, Reading], Iterator[Found]]
    takes:    frozenset[str] = frozenset()


def _begins(*signatures: bytes) -> Callable[[Path, bytes], bool]:
    return lambda path, head: head.startswith(signatures)


# By name, in the order in which they are tried.
FORMATS = {
    "npz":      Format((".npz",), _begins(b"PK\3\4", b"PK\5\6"), read_npz, frozenset({"time_unit"})),
    "npy":      Format((".npy",), _begins(b"\x93NUMPY"), read_npy, frozenset({"time_unit"})),
    "AEDAT 2":  Format((".aedat", ".aedat2"), _begins(b"#!AER-DAT2."), read_aedat2, frozenset({"chip", "camera"})),
    "AEDAT 3":  Format((".aedat",), _begins(b"#!AER-DAT3."), read_aedat3, frozenset({"camera"})),
    "AEDAT 4":  Format((".aedat4",), _begins(b"#!AER-DAT4."), read_aedat4, frozenset({"camera"})),
    "ES":       Format((".es",), _begins(es.SIGNATURE), es.read_es),
    "HDF5":     Format((".h5", ".hdf5"), _begins(hdf5.SIGNATURE), hdf5.read_hdf5, frozenset({"time_unit", "camera"})),
    "DAT":      Format((".dat",), lambda path, head: head.startswith(b"% ") and is_dat(head), read_dat),
    "RAW":      Format((".raw",), _begins(b"% "), read_raw),
    # Nothing in such a file tells what it is.
    "N-MNIST":  Format((".bin",), lambda path, head: path.suffix.lower() == ".bin", read_bin),
    "text":     Format((".csv", ".txt"), lambda path, head: is_text(head), read_text, frozenset({"time_unit"})),
}

SUFFIXES = tuple(dict.fromkeys(suffix for each in FORMATS.values() for suffix in each.suffixes))


def format_of(path: Path) -> Format | None:
    """The format of a regular file, by its content; None where it is no recording.

    Raises
    ------
    OSError : it cannot be read.
    """
    # A pipe would be waited for, and a device may never end.
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    return next((each for each in FORMATS.values() if each.is_it(path, head)), None) if head else None


def read_files(paths: Iterable[str | Path], reading: Reading | None = None) -> Iterator[Sample]:
    """The recordings of files, in the order given; read one after another, as they are asked for.

    Parameters
    ----------
    reading : what the files leave open; None for nothing.

    Raises
    ------
    QCLIFError : a file is missing, unreadable, of an unknown format, damaged or empty; or it leaves open what the
        reading does not tell either: the sensor's size, the camera, the unit of time.
    """
    reading = reading or Reading()
    for path in map(Path, paths):
        try:
            kind = _known_format(path, reading)
            table = dvs_gesture.labels_of(path)
            for found in kind.read(path, reading):
                sample = _checked(path, found, reading)
                yield from (dvs_gesture.trials(sample, table) if table else [sample])
        except OSError as error:
            raise QCLIFError(f"{path}: {error.strerror or error}: check the path") from error
        except MemoryError as error:
            raise QCLIFError(f"{path}: the memory is too small for it: cut the recording") from error


def _known_format(path: Path, reading: Reading) -> Format:
    kind = format_of(path)
    if kind is None:
        raise QCLIFError(f"{path}: {_what_it_is(path)}: files of {', '.join(FORMATS)} can be read")
    for name in reading.given:
        if name in ("chip", "time_unit", "camera") and name not in kind.takes:
            title = next(title for title, each in FORMATS.items() if each is kind)
            raise QCLIFError(f"{path}: --{name.replace('_', '-')} has no effect on {title} files, which tell it: leave "
                f"the option out")
    return kind


def _what_it_is(path: Path) -> str:
    if not path.is_file():
        return "no regular file"
    with open(path, "rb") as file:
        head = file.read(16)
    return f"no known format begins with {str(head)[1:]}" if head else "the file is empty"


def _checked(path: Path, found: Found, reading: Reading) -> Sample:
    """What a reader found, with the sensor's size, in order and in bounds."""
    what = f"{path}{found.name and f': recording {found.name[1:-1]}'}"
    events = found.events
    for note in found.notes:
        reading.note(note)
    if reading.repair_us:
        events, count = repaired(events, reading.repair_us, what)
        if count:
            reading.note(f"{what}: {count} of {len(events)} events came late, sorted by their times (--repair)")
    events = normalise(events, what)
    size   = found.sensor_size or reading.sensor_size
    if size is None:
        raise QCLIFError(f"{what}: the file does not tell its sensor's size: give --sensor-size W H")
    if reading.sensor_size not in (None, size):
        raise QCLIFError("{}: the file is of {}x{} pixels, {}x{} were asked for: leave --sensor-size out, or take a "
            "network for this sensor".format(what, *size, *reading.sensor_size))
    if not all(1 <= value <= SIZE_MAX for value in size):
        raise QCLIFError("{}: a sensor of {}x{} pixels, the limits are 1 to {}: correct the file".format(what, *size,
            SIZE_MAX))
    check_coordinates(events, size, what)
    return Sample(path.stem + found.name, events, found.context, found.label, size)
