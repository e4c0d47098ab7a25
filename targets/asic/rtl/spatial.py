# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from accel.config import SHIFT_MAX
from accel.neuron import saturate
from targets.asic.rtl.adder_tree import CarrySaveAdder
from targets.asic.rtl.single_neuron import SingleNeuron

# Ports --------------------------------------------------------------------------------------------

def stimulus_bits(config):
    """Bits of a signed stimulus: bias and any events of a step, summed exactly."""
    return ((config.step_events + 1) << (config.weight_bits - 1)).bit_length() + 1

def shared_ports(config):
    """Inputs that all neurons share: {name: bits}."""
    return {"step": 1, "contexts": max(1, config.contexts)}

def neuron_ports(config):
    """Inputs of one neuron: {name: bits}. Sources of weights in the order of accel.config's rows."""
    return {
        "weights_soma":   config.neurons*config.weight_bits,
        "weights_apical": config.apical_rows*config.weight_bits,
        "bias_apical":    config.weight_bits,
        "leak_soma":      config.state_bits,
        "leak_apical":    config.state_bits,
        "threshold":      config.state_bits,
        "stimulus":       stimulus_bits(config),
    }

def output_ports(config):
    """Outputs of one neuron: {name: bits}."""
    return {"spike": 1, "v_soma": config.state_bits, "v_apical": config.state_bits}

# Synapses -----------------------------------------------------------------------------------------

class SpatialSynapses(LiteXModule):
    """AND gates and adder tree of one compartment of one neuron.

    Parameters
    ----------
    sources : number of synapses.
    weight_bits : bits of their signed weights.
    current_bits : bits of the signed current beside the synapses.

    Attributes
    ----------
    spikes : one bit a source.
    weights : of the sources, lowest first.
    current : what is added to the synapses' sum: bias, and stimulus from outside.
    total : the sum, exact.
    """
    def __init__(self, sources, weight_bits, current_bits):
        self.spikes  = Signal(sources)
        self.weights = Signal(sources*weight_bits)
        self.current = Signal((current_bits, True))

        # # #

        terms = [self.current]
        for n in range(sources):
            weight = self.weights[n*weight_bits:(n + 1)*weight_bits]
            term   = Signal((weight_bits, True), name="term")
            self.comb += term.eq(weight & Replicate(self.spikes[n], weight_bits))
            terms.append(term)
        self.adder = CarrySaveAdder(terms)
        self.total = self.adder.total

# Spatial Neuron -----------------------------------------------------------------------------------

class SpatialNeuron(LiteXModule):
    """One neuron of the spatial architecture with its N recurrent somatic, and N recurrent and C context
    apical synapses. Weights and parameters come from outside and hold still.

    Parameters
    ----------
    config : N, C and the widths.
    apical_shift, product_shift : of the contract; constant.

    Attributes
    ----------
    step, spikes, contexts : of the network: step enable, z of all neurons, context events (0 or 1).
    weights_soma, weights_apical, bias_apical, leak_soma, leak_apical, threshold : of this neuron.
    stimulus : bias_soma and the sensory sum of this step, signed.
    spike, v_soma, v_apical : the neuron after the last step.
    """
    def __init__(self, config, apical_shift=0, product_shift=6):
        if not 0 <= apical_shift <= SHIFT_MAX:
            raise ValueError(f"apical_shift is {apical_shift}, the limits are 0 to {SHIFT_MAX}")
        self.spikes = Signal(config.neurons)
        for ports in (shared_ports(config), neuron_ports(config), output_ports(config)):
            for name, bits in ports.items():
                setattr(self, name, Signal((bits, name in ("stimulus", "bias_apical")), name=name))

        # # #

        # Synapses.
        # ---------
        self.soma   = SpatialSynapses(config.neurons,     config.weight_bits, len(self.stimulus))
        self.apical = SpatialSynapses(config.apical_rows, config.weight_bits, config.weight_bits)
        self.comb += [
            self.soma.spikes.eq(self.spikes),
            self.soma.weights.eq(self.weights_soma),
            self.soma.current.eq(self.stimulus),
            self.apical.spikes.eq(Cat(self.contexts, self.spikes) if config.contexts else self.spikes),
            self.apical.weights.eq(self.weights_apical),
            self.apical.current.eq(self.bias_apical),
        ]

        # Neuron.
        # -------
        self.neuron = neuron = SingleNeuron(config, product_shift)
        total       = self.apical.total
        shifted     = Signal((max(1, len(total) - apical_shift), True))
        self.comb += [
            shifted.eq(total[min(apical_shift, len(total) - 1):]),
            neuron.i_soma.eq(saturate(self.soma.total, config.current_bits)),
            neuron.i_apical.eq(saturate(shifted, config.current_bits)),
            neuron.step.eq(self.step),
            *[getattr(neuron, name).eq(getattr(self, name)) for name in ("leak_soma", "leak_apical", "threshold")],
            *[getattr(self, name).eq(getattr(neuron, name)) for name in output_ports(config)],
        ]

# Spatial Network ----------------------------------------------------------------------------------

class SpatialNetwork(LiteXModule):
    """The paper's architecture: every neuron with its own synapses, a step a clock.

    Parameters
    ----------
    config : N, C and the widths.
    neuron_module : name of the Verilog module with SpatialNeuron's ports, of which there are N.

    Attributes
    ----------
    step, contexts : inputs of a step; it is taken at the clock's edge where `step` is set.
    weights_soma, weights_apical, bias_apical, leak_soma, leak_apical, threshold, stimulus : of all
        neurons, lowest first; the last one belongs to a step, the others hold still.
    spike, v_soma, v_apical : of all neurons after the last step.
    """
    def __init__(self, config, neuron_module):
        inputs, outputs = neuron_ports(config), output_ports(config)
        for name, bits in shared_ports(config).items():
            setattr(self, name, Signal(bits, name=name))
        for name, bits in (inputs | outputs).items():
            setattr(self, name, Signal(config.neurons*bits, name=name))

        # # #

        for n in range(config.neurons):
            parts = {name: getattr(self, name)[n*bits:(n + 1)*bits] for name, bits in (inputs | outputs).items()}
            self.specials += Instance(neuron_module, name=f"neuron{n}",
                i_sys_clk = ClockSignal(),
                i_sys_rst = ResetSignal(),
                i_spikes  = self.spike,
                **{f"i_{name}": getattr(self, name) for name in shared_ports(config)},
                **{f"i_{name}": parts[name] for name in inputs},
                **{f"o_{name}": parts[name] for name in outputs},
            )
