# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A network as the words that software writes to the accelerator's memory.

The words of a chunk are consecutive ones, as the `address` register counts them: it steps over the addresses that no
slice of a weight word answers to. word_address() and word_index() tell where a word is; gateware and firmware do the
same, which tests compare.
"""

from collections.abc import Iterator

import numpy as np

from accel.config import SPACE_APICAL, SPACE_PARAMETERS, SPACE_SOMA, ConfigError, QCLIFConfig

# (space, address, uint32 words).
Chunk = tuple[int, int, np.ndarray]


def word_index(space: int, address: int, config: QCLIFConfig) -> int:
    """Number of the word at an address of a space; weights leave out addresses where a word has 3, 5, 6 ... slices."""
    if space not in (SPACE_SOMA, SPACE_APICAL):
        return address
    return (address >> config.slice_bits)*config.slices + address % 2**config.slice_bits


def word_address(space: int, index: int, config: QCLIFConfig) -> int:
    """Address of the word of that number: the inverse of word_index().

    Example
    -------
    With three slices, words 0 to 5 of the weights are at the addresses 0, 1, 2, 4, 5, 6.
    """
    if space not in (SPACE_SOMA, SPACE_APICAL):
        return index
    word, part = divmod(index, config.slices)
    return word << config.slice_bits | part


def pack_weights(weights: np.ndarray, config: QCLIFConfig) -> np.ndarray:
    """Pack lane weights into 32-bit slices.

    Parameters
    ----------
    weights : integers [..., word_lanes], signed weight_bits.

    Returns
    -------
    uint32 [..., slices], lane 0 in the lowest bits of slice 0.
    """
    lanes  = np.zeros(weights.shape[:-1] + (config.slices*config.slice_lanes,), dtype=np.uint32)
    lanes[..., :config.word_lanes] = weights & (2**config.weight_bits - 1)
    lanes  = lanes.reshape(weights.shape[:-1] + (config.slices, config.slice_lanes))
    shifts = np.arange(config.slice_lanes, dtype=np.uint32)*config.weight_bits
    return np.bitwise_or.reduce(lanes << shifts, axis=-1)


def _weight_chunks(space: int, blocks: list[tuple[int, np.ndarray]], rows: int, config: QCLIFConfig) -> list[Chunk]:
    """Chunks of a weight memory of `rows` rows a group, from blocks (first row, weights [n, N])."""
    weights = np.concatenate([block for _, block in blocks])
    groups  = -(-weights.shape[1]//config.lanes)
    lanes   = np.zeros((len(weights), groups*config.word_lanes), dtype=np.int64)
    lanes[:, :weights.shape[1]] = weights
    words   = pack_weights(lanes.reshape(len(weights), groups, config.word_lanes).swapaxes(0, 1), config)
    row     = np.concatenate([first + np.arange(len(block)) for first, block in blocks])
    number  = (np.arange(groups)[:, np.newaxis]*rows + row).reshape(-1)
    # A chunk ends where the next word is not the next row.
    starts  = np.flatnonzero(np.diff(number, prepend=-2) != 1)
    return [(space, word_address(space, int(number[start])*config.slices, config), chunk.reshape(-1))
        for start, chunk in zip(starts, np.split(words.reshape(-1, config.slices), starts[1:]), strict=True)]


def parameter_words(network, config: QCLIFConfig) -> np.ndarray:
    """Words of the parameter memory, uint32 [neurons, 2]: see accel.neuron.parameter_layout()."""
    state, weight = config.state_bits, config.weight_bits
    bias_soma, bias_apical = (np.asarray(bias).astype(np.uint32) & (2**weight - 1)
        for bias in (network.bias_soma, network.bias_apical))
    threshold, leak_soma, leak_apical = (np.asarray(values).astype(np.uint32)
        for values in (network.threshold, network.leak_soma, network.leak_apical))
    return np.stack([threshold | leak_soma << state,
        leak_apical | bias_soma << state | bias_apical << state + weight], axis=-1)


def image(network, config: QCLIFConfig) -> list[Chunk]:
    """The memory image of a network on a build.

    Parameters
    ----------
    network : object with the arrays of the contract's network file (host.network.network.Network).
    config : the build; the network's sizes may be smaller.

    Returns
    -------
    list of (space, address, uint32 words).

    Raises
    ------
    ConfigError : the network is larger than the build.
    """
    inputs, neurons = network.w_sensory.shape
    contexts        = network.w_context.shape[0]
    for name, size in (("neurons", neurons), ("inputs", inputs), ("contexts", contexts)):
        if size > getattr(config, name):
            raise ConfigError(f"the network has {size} {name}, the build {getattr(config, name)}: "
                f"build with --{name} {size} or more")
    return [
        *_weight_chunks(SPACE_SOMA, [(0, network.w_sensory), (config.inputs, network.w_recurrent_soma)],
            config.soma_rows, config),
        *_weight_chunks(SPACE_APICAL, [(0, network.w_context), (config.contexts, network.w_recurrent_apical)],
            config.apical_rows, config),
        (SPACE_PARAMETERS, 0, parameter_words(network, config).reshape(-1)),
    ]


def memory_writes(network, config: QCLIFConfig) -> Iterator[tuple[int, int, int]]:
    """Every word of a network's image by itself: (space, address, word)."""
    for space, address, words in image(network, config):
        for index, word in enumerate(words.tolist(), word_index(space, address, config)):
            yield space, word_address(space, index, config), word
