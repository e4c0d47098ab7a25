# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A training that can go on: everything between two epochs, written whole or not at all."""

import hashlib
import io
from pathlib import Path

import torch

from accel.errors import QCLIFError
from host.common.atomic import whole_file

# How a file begins; changes with what a checkpoint holds. A SHA-256 digest follows, then what torch wrote: it reads
# damaged weights without a word.
HEADER       = b"qCLIF checkpoint 2\n"
DIGEST_BYTES = hashlib.sha256().digest_size


def checkpoint_path(out: Path) -> Path:
    """Where a training keeps its checkpoint whose network is to be written to `out`: beside it, as .ckpt."""
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
    torch.save({"key": key, **content}, buffer)
    with whole_file(path) as file:
        file.write(HEADER + hashlib.sha256(buffer.getbuffer()).digest())
        file.write(buffer.getbuffer())


def load_checkpoint(path: Path, key: str) -> dict[str, object]:
    """What save_checkpoint() wrote.

    Raises
    ------
    QCLIFError : the file is missing or damaged, or is of a training with other settings.
    """
    try:
        file = path.read_bytes()
    except OSError as error:
        raise QCLIFError(f"checkpoint {path}: {error.strerror or error}: nothing to resume; train without --resume"
            ) from error
    if not file.startswith(HEADER):
        raise QCLIFError(f"checkpoint {path}: not one that this version of the program wrote: train anew with "
            f"--restart")
    start = len(HEADER) + DIGEST_BYTES
    if hashlib.sha256(file[start:]).digest() != file[len(HEADER):start]:
        raise QCLIFError(f"checkpoint {path}: damaged or cut, its checksum is another: train anew with --restart")
    content = torch.load(io.BytesIO(file[start:]), map_location="cpu", weights_only=True)
    if content["key"] != key:
        raise QCLIFError(f"checkpoint {path}: of another training ({_difference(content['key'], key)}): give the same "
            f"settings and data, or train anew with --restart")
    return content


def _difference(found: str, key: str) -> str:
    """The first line in which two keys differ, as both have it."""
    for theirs, ours in zip(found.splitlines(), key.splitlines(), strict=False):
        if theirs != ours:
            return f"{theirs.strip().rstrip(',')}, now {ours.strip().rstrip(',')}"
    return "one has more of them"
