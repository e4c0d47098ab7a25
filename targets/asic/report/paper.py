#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What the paper says of its silicon, and where: arXiv 2404.18066, "Quantized Context Based LIF Neurons for Recurrent
Spiking Neural Networks in 45nm" (Bezugam, Wu, Yoo, Strukov, Kim, 2024).

Only figures that could be traced are here; what is missing is shown as unknown, never as a guess.
"""

from dataclasses import dataclass

CITATION = "arXiv 2404.18066"

ABSTRACT = "abstract"
TEXT     = "text, as this project's goals quote it; the paper does not define the unit"
DERIVED  = "from the figures above"


@dataclass(frozen=True)
class Figure:
    """A figure of the paper.

    Attributes
    ----------
    text : what it is of.
    value, unit : of it.
    source : where the paper has it.
    """
    text:   str
    value:  float
    unit:   str
    source: str


NEURONS  = 200
CONTEXTS = 10
BITS     = 8

# Of one neuron: context, recurrent somatic and recurrent apical. None is sensory.
SYNAPSES = CONTEXTS + 2*NEURONS

FIGURES = {
    "neuron_um2":    Figure("area of a neuron, 8 bits", 900.0, "um2", ABSTRACT),
    "area_mm2":      Figure(f"area of {NEURONS} neurons with 82k synapses", 1.86, "mm2", ABSTRACT),
    "synapses":      Figure(f"synapses of {NEURONS} neurons", NEURONS*SYNAPSES, "", ABSTRACT),
    "spike_pj":      Figure("energy a spike", 17.9, "pJ", TEXT),
    "frequency_mhz": Figure("clock", 100.0, "MHz", TEXT),
    "voltage":       Figure("supply", 1.1, "V", TEXT),
    "per_neuron_um2": Figure("area a neuron with its synapses", 1.86e6/NEURONS, "um2", DERIVED),
}

# Sizes and widths that the paper sweeps.
SWEPT_NEURONS = (10, 50, 100, 200)
SWEPT_BITS    = (8, 4)

NOTES = (
    "The paper does not say what a spike of its pJ/spike is, nor the activity it was taken at: an update of a neuron, "
    "an output spike and a synaptic operation are told side by side.",
    "As far as can be told its area leaves out the memory of the weights, which come from outside.",
    "Slack and power by size, the 4-bit area, and energies of other sizes could not be traced and are left open.",
)
