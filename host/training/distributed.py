#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""Several processes as torchrun starts them, or just one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed

from host.errors import QCLIFError


@contextmanager
def processes(device: torch.device) -> Iterator[None]:
    """Join the other processes where torchrun started this one."""
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """Number of this process, 0 for the one that speaks and writes."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def world_size() -> int:
    """Number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def choose_device(name: str) -> torch.device:
    """Device of a name: auto, cpu, cuda, cuda:1 ...

    Raises
    ------
    QCLIFError : it is not there.
    """
    if name == "auto":
        name = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        text = str(error).splitlines()[0]
        raise QCLIFError(f"device {name!r} is not there ({text}): choose --device auto, cpu or cuda:N") from error
    return device
