# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Addresses of words: their numbers and back. That the gateware steps alike, test_peripheral.py tells."""

import pytest

from accel.config import SPACE_APICAL, SPACE_PARAMETERS, SPACE_SOMA, SPACE_STATE, QCLIFConfig
from accel.image import word_address, word_index


@pytest.mark.parametrize(("lanes", "weight_bits", "addresses"), [
    (4,  8, [0, 1, 2, 3, 4, 5]),
    (8,  8, [0, 1, 2, 3, 4, 5]),
    (10, 8, [0, 1, 2, 4, 5, 6]),
    (33, 5, [0, 1, 2, 3, 4, 5, 8]),
])
def test_addresses_of_weights(lanes, weight_bits, addresses):
    config = QCLIFConfig(neurons=64, lanes=lanes, weight_bits=weight_bits)
    for space in (SPACE_SOMA, SPACE_APICAL):
        assert [word_address(space, index, config) for index in range(len(addresses))] == addresses
        assert [word_index(space, address, config) for address in addresses] == list(range(len(addresses)))
    for space in (SPACE_PARAMETERS, SPACE_STATE):
        assert [word_address(space, index, config) for index in range(6)] == list(range(6))
