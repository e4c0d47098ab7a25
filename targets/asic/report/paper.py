# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the paper says of its silicon, and where: arXiv 2404.18066, "Quantized Context Based LIF Neurons for Recurrent
Spiking Neural Networks in 45nm" (Bezugam, Wu, Yoo, Strukov, Kim, 2024).

Only numbers that could be traced are here; what is missing is shown as unknown, never as a guess.
"""

from dataclasses import dataclass

CITATION = "arXiv 2404.18066"

ABSTRACT = "abstract"
TEXT     = "text, as this project's goals quote it; the paper does not define the unit"
DERIVED  = "from the numbers above"


@dataclass(frozen=True)
class Quoted:
    """A number of the paper.

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

QUOTED = {
    "neuron_um2":    Quoted("area of a neuron, 8 bits", 900.0, "um2", ABSTRACT),
    "area_mm2":      Quoted(f"area of {NEURONS} neurons with 82k synapses", 1.86, "mm2", ABSTRACT),
    "synapses":      Quoted(f"synapses of {NEURONS} neurons", NEURONS*SYNAPSES, "", ABSTRACT),
    "spike_pj":      Quoted("energy a spike", 17.9, "pJ", TEXT),
    "frequency_mhz": Quoted("clock", 100.0, "MHz", TEXT),
    "voltage":       Quoted("supply", 1.1, "V", TEXT),
    "per_neuron_um2": Quoted("area a neuron with its synapses", 1.86e6/NEURONS, "um2", DERIVED),
}

NOTES = (
    "The paper does not say what a spike of its pJ/spike is, nor the activity it was taken at: an update of a neuron, "
    "an output spike and a synaptic operation are told side by side.",
    "As far as can be told its area leaves out the memory of the weights, which come from outside.",
    "Slack and power by size, the 4-bit area, and energies of other sizes could not be traced and are left open.",
)
