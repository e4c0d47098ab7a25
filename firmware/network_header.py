# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A network as a C header, for qclif_load_network() of the driver: `python -m host.c_network` writes it of a file."""

from accel.config import QCLIFConfig
from accel.image import image
from firmware.header import header_text

# What the words of a network's image depend on, as struct qclif_network has it.
BUILD_FIELDS   = {"build_neurons": "neurons"} | {name: name for name in (
    "inputs", "contexts", "lanes", "weight_bits", "state_bits", "current_bits")}
NETWORK_FIELDS = ("neurons", "apical_shift", "product_shift")

_WORDS_A_LINE = 8


def network_header(network, config: QCLIFConfig, name: str = "network") -> str:
    """Text of a header that defines `name`, a struct qclif_network.

    Parameters
    ----------
    network : object with the arrays of the contract's network file (host.network.network.Network).
    config : the build; the network's sizes may be smaller.
    name : identifier of C.

    Raises
    ------
    ConfigError : the network is larger than the build.
    """
    chunks = image(network, config)
    lines  = ['#include "qclif.h"', ""]
    for number, (_, _, words) in enumerate(chunks):
        texts  = [f"{word:#x}u" for word in words.tolist()]
        lines += [f"static const uint32_t {name}_words_{number}[] = {{",
            *(f"\t{', '.join(texts[at:at + _WORDS_A_LINE])}," for at in range(0, len(texts), _WORDS_A_LINE)), "};", ""]
    lines += [f"static const struct qclif_words {name}_chunks[] = {{",
        *(f"\t{{{space}u, {address:#x}u, {len(words)}u, {name}_words_{number}}},"
            for number, (space, address, words) in enumerate(chunks)), "};", "",
        f"static const struct qclif_network {name} = {{",
        *(f"\t.{field} = {getattr(config, size)}u," for field, size in BUILD_FIELDS.items()),
        *(f"\t.{field} = {getattr(network, field)}u," for field in NETWORK_FIELDS),
        f"\t.chunks = {name}_chunks, .count = {len(chunks)}u,", "};"]
    return header_text(f"QCLIF_{name.upper()}_H", lines)
