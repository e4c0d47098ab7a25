# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A step's spikes in the device's answers: a list or a bitmap."""

import numpy as np

from accel.config import QCLIFConfig
from accel.errors import QCLIFError
from firmware import protocol
from host.link.framing import decode_varints, varints_end


def take_step(answer: bytes, at: int, config: QCLIFConfig, neurons: int) -> tuple[np.ndarray, int]:
    """The spikes that stand at `at`, and where they end.

    Parameters
    ----------
    answer : of a request for steps, without status and report.
    at : byte of the answer, 0 to its length.
    config : of the build, whose neurons a bitmap has.
    neurons : N of the network, 1 to those of the build.

    Returns
    -------
    spikes, end : neurons that fired, int32, ascending; byte of the answer behind them.

    Raises
    ------
    QCLIFError : there are no spikes of the network.
    """
    lists = protocol.bitmap_from(config)
    # 0 to lists - 1 neurons in a list; an answer that ends here has neither form.
    form  = answer[at] if at < len(answer) else lists
    first = at + 1
    if form == protocol.BITMAP:
        end   = first + protocol.bitmap_bytes(config)
        fired = np.flatnonzero(np.unpackbits(np.frombuffer(answer[first:end], np.uint8), bitorder="little"))
        whole = end <= len(answer)
    elif form < lists:
        end   = varints_end(answer, first, form)
        fired = np.cumsum(decode_varints(answer[first:end]))
        # Behind the first difference none is 0: a neuron fires once.
        whole = len(fired) == form and answer.find(0, first + 1, end) < 0
    else:
        whole = False
    if not whole or (len(fired) and fired[-1] >= neurons):
        raise QCLIFError(f"an answer of the device has no spikes of {neurons} neurons at byte {at}: host and firmware "
            "differ in version, build the SoC anew")
    return fired.astype(np.int32), end
