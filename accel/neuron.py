# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from accel.config import SHIFT_BITS

# Layouts ------------------------------------------------------------------------------------------

def parameter_layout(config):
    """Fields of a neuron's two parameter slices, lowest bits first: [(name, bits)], [(name, bits)]."""
    return (
        [("threshold",   config.state_bits), ("leak_soma", config.state_bits)],
        [("leak_apical", config.state_bits), ("bias_soma", config.weight_bits), ("bias_apical", config.weight_bits)],
    )

def neuron_layout(config):
    """What a neuron update takes: sums without biases, parameters and states."""
    accumulator, weight, state = (config.accumulator_bits, True), (config.weight_bits, True), config.state_bits
    return [
        ("soma",        accumulator), ("apical",      accumulator),
        ("bias_soma",   weight),      ("bias_apical", weight),
        ("leak_soma",   state),       ("leak_apical", state),
        ("threshold",   state),
        ("v_soma",      state),       ("v_apical",    state),
    ]

# Integer operations of the contract ---------------------------------------------------------------

# On bits, not on numbers: it is less logic, and LiteX's Verilog compares negative constants as unsigned.

def saturate(value, bits):
    """sat(v, b): a signed signal clipped to b bits."""
    if len(value) <= bits:
        return value
    sign = value[-1]
    fits = (value[bits - 1:-1] == Replicate(sign, len(value) - bits))
    return Mux(fits, value[:bits], Cat(Replicate(~sign, bits - 1), sign))

def clamp(value, bits):
    """clip(v, 0, 2**bits - 1) of a wider signed signal: the ReLU is the clamp at 0."""
    return Mux(value[-1], 0, Mux(value[bits:-1] != 0, 2**bits - 1, value[:bits]))

def leak(value, amount):
    """max(V - leak, 0) of two unsigned expressions."""
    return Mux(value > amount, value - amount, 0)

def lowered(value, bits):
    """value - 2**(b - 1) of a signed signal of b bits, in `bits` bits."""
    return Cat(value[:-1], ~value[-1], [Constant(1, 1)]*(bits - len(value)))

# Neuron Pipeline ----------------------------------------------------------------------------------

class NeuronPipeline(LiteXModule):
    """One qCLIF neuron update a clock: apical compartment, multiplier, somatic compartment, threshold.

    The stages are those of the contract (AC, MU, SC, TC), each with its registers, `latency` clocks
    from inputs to outputs. All of them advance with `ce`. None has a reset: what is in them counts only
    while the population's token of the same neuron is valid.

    Parameters
    ----------
    config : QCLIFConfig.
    frugal : a stage advances only where it is occupied; and the sums are sums_base() too high.

    Attributes
    ----------
    ce : the pipeline advances.
    occupied : stages that take a neuron in this clock, the first one lowest; of `frugal` pipelines alone.
    apical_shift, product_shift : run-time shifts.
    inputs : neuron_layout() signals by name.
    v_soma, v_apical, spike : the neuron after the step.
    """
    latency = 8

    def __init__(self, config, frugal=False):
        self.ce            = Signal()
        self.occupied      = Signal(self.latency)
        self.apical_shift  = Signal(SHIFT_BITS)
        self.product_shift = Signal(SHIFT_BITS)
        self.inputs        = inputs = Record(neuron_layout(config))
        self.v_soma        = Signal(config.state_bits, reset_less=True)
        self.v_apical      = Signal(config.state_bits, reset_less=True)
        self.spike         = Signal(reset_less=True)

        # # #

        state_bits   = config.state_bits
        current      = (config.current_bits, True)
        sum_bits     = (config.accumulator_bits, True)
        product_bits = (config.current_bits + state_bits, True)

        def bias(value):
            return lowered(value, config.accumulator_bits) if frugal else value

        moves = [self.ce & self.occupied[n] if frugal else self.ce for n in range(self.latency)]

        def stage(number, *statements):
            self.sync += If(moves[number - 1], *statements)

        def delayed(signal, number, stages, name):
            """A signal of a stage, that many stages later."""
            for n in range(number + 1, number + 1 + stages):
                register = Signal.like(signal, name=name, reset_less=True)
                stage(n, register.eq(signal))
                signal = register
            return signal

        # Biases and leaks.
        # -----------------
        sum_soma    = Signal(sum_bits, reset_less=True)
        sum_apical  = Signal(sum_bits, reset_less=True)
        rest_soma   = Signal(state_bits, reset_less=True)
        rest_apical = Signal(state_bits, reset_less=True)
        stage(1,
            sum_soma.eq(inputs.soma + bias(inputs.bias_soma)),
            sum_apical.eq(inputs.apical + bias(inputs.bias_apical)),
            rest_soma.eq(leak(inputs.v_soma, inputs.leak_soma)),
            rest_apical.eq(leak(inputs.v_apical, inputs.leak_apical)),
        )

        # Saturation to current_bits.
        # ---------------------------
        shifted        = Signal(sum_bits, reset_less=True)
        current_soma   = Signal(current, reset_less=True)
        current_apical = Signal(current, reset_less=True)
        stage(2, shifted.eq(sum_apical >> self.apical_shift))
        stage(3,
            current_soma.eq(saturate(delayed(sum_soma, 1, 1, "sum_soma"), config.current_bits)),
            current_apical.eq(saturate(shifted, config.current_bits)),
        )

        # AC: apical compartment.
        # -----------------------
        potential_bits = (max(state_bits, config.current_bits) + 2, True)
        potential      = Signal(potential_bits)
        v_apical       = Signal(state_bits, reset_less=True)
        gated          = Signal(current, reset_less=True)
        self.comb += potential.eq(delayed(rest_apical, 1, 2, "rest_apical") + current_apical)
        stage(4,
            v_apical.eq(clamp(potential, state_bits)),
            gated.eq(current_soma),
        )

        # MU: array multiplier.
        # ---------------------
        product = Signal(product_bits, reset_less=True)
        factor  = Signal((state_bits + 1, True))
        self.comb += factor.eq(v_apical)
        stage(5, product.eq(gated*factor))

        # SC: somatic compartment.
        # ------------------------
        drive   = Signal(product_bits, reset_less=True)
        charged = Signal((max(state_bits, len(product)) + 2, True))
        v_soma  = Signal(state_bits, reset_less=True)
        self.comb += charged.eq(delayed(rest_soma, 1, 5, "rest_soma") + drive)
        stage(6, drive.eq(product >> self.product_shift))
        stage(7, v_soma.eq(clamp(charged, state_bits)))

        # TC: threshold.
        # --------------
        threshold = delayed(inputs.threshold, 0, 7, "threshold")
        fires     = Signal()
        self.comb += fires.eq(v_soma >= threshold)
        stage(8,
            self.spike.eq(fires),
            self.v_soma.eq(v_soma - Mux(fires, threshold, 0)),
            self.v_apical.eq(delayed(v_apical, 4, 3, "v_apical")),
        )
