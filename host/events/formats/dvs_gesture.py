# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""DVS128 Gesture as it is published: a recording of many trials, and a table of them beside it."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from accel.errors import QCLIFError
from host.events.sample import Sample

# Behind the recording's name; its first line; and the files that divide a folder of recordings.
LABELS = "_labels.csv"
HEADER = "class,startTime_usec,endTime_usec"
SPLITS = {"train": "trials_to_train.txt", "test": "trials_to_test.txt"}


def labels_of(path: Path) -> Path | None:
    """The table of trials beside a recording, None where there is none."""
    table = path.with_name(path.stem + LABELS)
    return table if table.is_file() and _first_line(table) == HEADER else None


def is_labels(path: Path) -> bool:
    """Whether a file is such a table of a recording that lies beside it."""
    stem = path.name.removesuffix(LABELS)
    return stem != path.name and any(each.stem == stem for each in path.parent.glob(f"{stem}.*"))


def listed(folder: Path, split: str) -> list[Path] | None:
    """Recordings that a folder's list names for a split; None where it has no such list."""
    file = folder/SPLITS[split]
    if not file.is_file():
        return None
    names = [line.strip() for line in file.read_text(errors="replace").splitlines() if line.strip()]
    for name in names:
        if "/" in name or not (folder/name).is_file():
            raise QCLIFError(f"{file}: it names {name}, which is not there: complete the data set, or correct the list")
    return [folder/name for name in names]


def trials(sample: Sample, table: Path) -> Iterator[Sample]:
    """Parts of a recording, one a row of its table: events from start to before end, class c as label c - 1.

    Raises
    ------
    QCLIFError : a row that is none, or a trial without events.
    """
    rows = table.read_text(errors="replace").splitlines()[1:]
    t    = sample.events["t"]
    for number, row in enumerate((row for row in rows if row.strip()), 1):
        words = row.split(",")
        if len(words) != 3 or not all(word.strip().isdecimal() and len(word.strip()) < 19 for word in words) \
                or int(words[0]) < 1:
            raise QCLIFError(f"{table}: row {number} is {row[:60]!r}: class from 1 up, start and end in us are needed")
        label, start, end = map(int, words)
        first, last = np.searchsorted(t, [start, end])
        if first >= last:
            raise QCLIFError(f"{table}: row {number}: no events from {start} to {end} us, the recording is from {t[0]} "
                f"to {t[-1]}: check that table and recording belong together")
        yield dataclasses.replace(sample, name=f"{sample.name}[{number - 1}]", events=sample.events[first:last],
            label=label - 1)


def _first_line(path: Path) -> str:
    with open(path, errors="replace") as file:
        return file.readline(200).strip().lstrip("\ufeff")
