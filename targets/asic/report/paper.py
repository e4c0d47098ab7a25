# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the paper says of its silicon, and where: arXiv 2404.18066, "Quantized Context Based LIF Neurons for Recurrent
Spiking Neural Networks in 45nm" (Bezugam, Wu, Yoo, Strukov, Kim, 2024).

Only numbers that could be traced are here; what is missing is shown as unknown, never as a guess.
"""

CITATION = "arXiv 2404.18066"

NEURONS  = 200
CONTEXTS = 10
BITS     = 8

# Of one neuron: context, recurrent somatic and recurrent apical. None is sensory.
SYNAPSES = CONTEXTS + 2*NEURONS

# All but the energy stand in its abstract.
QUOTED = {
    "neuron_um2":     900.0, # Of a neuron, 8 bits.
    "area_mm2":       1.86,  # Of 200 neurons with 82k synapses.
    "synapses":       NEURONS*SYNAPSES,
    "per_neuron_um2": 1.86e6/NEURONS,
    # Of its text, as this project's goals quote it; the paper does not define the unit.
    "spike_pj":       17.9,
}

NOTES = (
    "The paper does not say what a spike of its pJ/spike is, nor the activity it was taken at: an update of a neuron, "
    "an output spike and a synaptic operation are told side by side.",
    "As far as can be told its area leaves out the memory of the weights, which come from outside.",
    "Slack and power by size, the 4-bit area, and energies of other sizes could not be traced and are left open.",
)
