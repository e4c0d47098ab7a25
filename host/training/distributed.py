# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Several processes as torchrun starts them, or just one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed

from accel.errors import QCLIFError


@contextmanager
def processes(device: torch.device) -> Iterator[None]:
    """Join the other processes where torchrun started this one."""
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    except RuntimeError as error:
        # gloo's errors have no type of their own.
        if isinstance(error, distributed.DistError) or "gloo" in str(error):
            raise QCLIFError("another of the processes has ended: what it said tells why") from error
        raise
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """Number of this process, known before the others have joined; process 0 is the one that speaks and writes."""
    return int(os.environ.get("RANK", 0)) if "WORLD_SIZE" in os.environ else 0


def world_size() -> int:
    """Number of processes that train together, 1 without torchrun."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def summed(value: torch.Tensor) -> torch.Tensor:
    """Sum of a value over all processes, the same in each of them."""
    total = value.detach().clone()
    if distributed.is_initialized():
        distributed.all_reduce(total)
    return total


def choose_device(name: str) -> torch.device:
    """Device of a name: auto, cpu, cuda, cuda:1 ...; of several processes each has a GPU of its own. Raises QCLIFError
    where it is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and "WORLD_SIZE" in os.environ:
        name  = f"cuda:{os.environ['LOCAL_RANK']}"
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        there = torch.cuda.device_count()
        # The same in each process: they all stop.
        if local > there:
            raise QCLIFError(f"{local} processes for {there} GPUs: start as many as there are, or choose --device cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        text = str(error).splitlines()[0]
        raise QCLIFError(f"device {name!r} is not there ({text}): choose --device auto, cpu or cuda:N") from error
    return device
