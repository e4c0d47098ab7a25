# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The PDK's files from their public repositories: each pinned by a commit and checked by its SHA-256."""

import functools
import hashlib
import http.client
import json
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from accel.errors import QCLIFError
from host.common.atomic import whole_file
from host.common.console import Progress, no_progress

# Sources, each with an address that names a commit, and rows of place, name there, bytes and SHA-256.
LIST = Path(__file__).with_name("pdk_files.json")

# Seconds without a byte after which a server is given up.
TIMEOUT_S = 60

CHUNK_BYTES = 2**16


@dataclass(frozen=True)
class PinnedFile:
    """A file: its place in the PDK folder, its address, bytes and SHA-256."""
    place:  str
    url:    str
    size:   int
    sha256: str


@functools.cache
def pinned_files() -> tuple[PinnedFile, ...]:
    """What --download-pdk fetches."""
    return tuple(PinnedFile(place, source["url"] + name, size, sha256)
        for source in json.loads(LIST.read_text()) for place, name, size, sha256 in source["files"])


def is_complete(folder: Path, pinned: Sequence[PinnedFile]) -> bool:
    """Whether a folder has all files, by their sizes: each was checked before it took its name."""
    return all((folder/file.place).is_file() and (folder/file.place).stat().st_size == file.size
        for file in pinned)


def download_pdk(folder: Path, pinned: Sequence[PinnedFile], progress: Progress = no_progress) -> None:
    """Fetch the files that a folder lacks or has damaged; what is whole stays, so that a later call goes on.

    Raises
    ------
    QCLIFError : no connection, a wrong checksum, or a folder that cannot be written.
    """
    done = 0
    for file in pinned:
        place = folder/file.place
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            whole = place.is_file() and hashlib.sha256(place.read_bytes()).hexdigest() == file.sha256
        except OSError as error:
            raise QCLIFError(f"{place}: {error.strerror or error}: choose another folder with --pdk or QCLIF_CACHE"
                ) from error
        if not whole:
            _fetch(file, place)
        done += file.size
        progress("fetch the PDK, bytes", done, sum(each.size for each in pinned))


def _fetch(file: PinnedFile, place: Path) -> None:
    digest = hashlib.sha256()
    remedy = f"run it again, which goes on where it ended, or fetch it by hand to {place}"
    with whole_file(place) as output:
        for chunk in _chunks(file, remedy):
            digest.update(chunk)
            output.write(chunk)
        if digest.hexdigest() != file.sha256:
            raise QCLIFError(f"{file.url}: {output.tell()} bytes came with SHA-256 {digest.hexdigest()[:12]}..., not "
                f"{file.size} with {file.sha256[:12]}...: {remedy}")


def _chunks(file: PinnedFile, remedy: str) -> Iterator[bytes]:
    try:
        with urllib.request.urlopen(file.url, timeout=TIMEOUT_S) as answer:
            while chunk := answer.read(CHUNK_BYTES):
                yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise QCLIFError(f"{file.url}: the download failed ({' '.join(str(error).split())}): {remedy}") from error
