#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""A training that can go on: everything between two epochs, written whole or not at all."""

import io
import pickle
import zipfile
from pathlib import Path

import torch

from host.errors import QCLIFError
from host.wholefile import whole_file

# Changes with what a checkpoint holds.
FORMAT_VERSION = 1


def checkpoint_path(out: Path) -> Path:
    """Where the checkpoint of a training is, whose network is to be written to `out`."""
    return out.with_suffix(".ckpt")


def save_checkpoint(path: Path, key: str, content: dict[str, object]) -> None:
    """Replace a checkpoint in one step.

    Parameters
    ----------
    key : names everything that the training depends on; load_checkpoint() wants the same.

    Raises
    ------
    QCLIFError : the disk is full, say; the earlier checkpoint is as it was.
    """
    # torch reports what goes wrong while it writes as a RuntimeError without the reason: write it ourselves.
    buffer = io.BytesIO()
    torch.save({"format_version": FORMAT_VERSION, "key": key, **content}, buffer)
    with whole_file(path) as file:
        file.write(buffer.getbuffer())


def load_checkpoint(path: Path, key: str) -> dict[str, object]:
    """What save_checkpoint() wrote.

    Raises
    ------
    QCLIFError : the file is missing or damaged, or is of a training with other settings.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format_version"] != FORMAT_VERSION:
            raise QCLIFError(f"checkpoint {path}: format {content['format_version']}, this program reads "
                f"{FORMAT_VERSION}: train anew with --restart")
        found = content["key"]
    except OSError as error:
        raise QCLIFError(f"checkpoint {path}: {error.strerror or error}: nothing to resume; train without --resume"
            ) from error
    except (RuntimeError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError,
            zipfile.BadZipFile) as error:
        raise QCLIFError(f"checkpoint {path}: not a readable checkpoint ({' '.join(str(error).split())[:80]}): train "
            f"anew with --restart") from error
    if found != key:
        raise QCLIFError(f"checkpoint {path}: of a training with other settings or data ({_difference(found, key)}): "
            f"give the same ones, or train anew with --restart")
    return content


def _difference(found: str, key: str) -> str:
    """The first part of two keys, lines of text, that differs."""
    for theirs, ours in zip(found.splitlines(), key.splitlines(), strict=False):
        if theirs != ours:
            return f"{theirs.strip().rstrip(',')}, now {ours.strip().rstrip(',')}"
    return "one has more of them"
