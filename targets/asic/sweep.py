# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Sweeps: files of option dictionaries, each of them a run of the flow; runs go side by side."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

from accel.errors import QCLIFError

FOLDER = Path(__file__).with_name("sweeps")

# Options of the whole command, which a single run cannot have.
REFUSED = ("sweep", "jobs", "output-dir", "json", "strict", "download-pdk")

Options = dict[str, object]


def shipped() -> dict[str, Path]:
    """Sweeps that come with the program, by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.json"))}


def read_sweep(name: str) -> list[Options]:
    """The runs of a sweep.

    Parameters
    ----------
    name : one of shipped(), or a .json or .toml file: a list of dictionaries, or a dictionary with them as "runs".
        Keys are options without their dashes; a list of values stands for a run with each of them, several lists for
        all combinations.

    Raises
    ------
    QCLIFError : no such file, or it is no such list.
    """
    path = shipped().get(name, Path(name))
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise QCLIFError(f"--sweep {name}: {reason}; give a .json or .toml file, or one of {', '.join(shipped())}") \
            from error
    try:
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as error:
        raise QCLIFError(f"--sweep {name}: not {'TOML' if path.suffix == '.toml' else 'JSON'} ({error}): correct the "
            f"file") from error
    runs = content.get("runs") if isinstance(content, dict) else content
    if not isinstance(runs, list) or not runs or not all(isinstance(each, dict) and each for each in runs):
        raise QCLIFError(f'--sweep {name}: a list of option dictionaries is needed, as [{{"design": "core", "lanes": '
            f'[4, 8]}}]')
    return [run for number, each in enumerate(runs, 1) for run in _expanded(each, f"--sweep {name}: run {number}")]


def _expanded(options: Mapping[str, object], what: str) -> Iterator[Options]:
    values = {}
    for key, value in options.items():
        name = key.replace("_", "-").lstrip("-")
        if name in REFUSED:
            raise QCLIFError(f"{what}: {key} is for the whole sweep: give --{name} on the command line")
        values[name] = value if isinstance(value, list) else [value]
        if not values[name] or any(not isinstance(each, str | int | float) for each in values[name]):
            raise QCLIFError(f"{what}: {key} is {value!r}: a number, a text, true, or a list of them is needed")
    for each in product(*values.values()):
        yield dict(zip(values, each, strict=True))


def arguments(options: Mapping[str, object]) -> list[str]:
    """A run's options as the command line has them; True is an option without a value, False none at all."""
    words = []
    for name, value in options.items():
        if value is not False:
            words += [f"--{name}"] if value is True else [f"--{name}={value}"]
    return words


def varied(runs: list[Options]) -> list[str]:
    """Options that are not the same in all runs."""
    names = dict.fromkeys(name for each in runs for name in each)
    return [name for name in names if len({repr(each.get(name)) for each in runs}) > 1]
