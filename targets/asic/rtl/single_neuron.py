# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

from migen import *

from litex.gen import *

from accel.config import SHIFT_MAX
from accel.neuron import clamp

# Single Neuron ------------------------------------------------------------------------------------

class SingleNeuron(LiteXModule):
    """One qCLIF neuron that takes a whole step in one clock, as the spatial architecture has it.

    The stages are those of the contract (AC, MU, SC, TC), without registers between them. Its states
    and its spike are registers, which the reset of the clock domain clears.

    Parameters
    ----------
    config : state_bits and current_bits.
    product_shift : of the contract; constant, so that it costs no logic.

    Attributes
    ----------
    step : the neuron takes a step.
    i_soma, i_apical : saturated currents i_s and i_a, signed current_bits.
    leak_soma, leak_apical, threshold : parameters, state_bits.
    v_soma, v_apical, spike : the neuron after the last step.
    """
    def __init__(self, config, product_shift=6):
        if not 0 <= product_shift <= SHIFT_MAX:
            raise ValueError(f"product_shift is {product_shift}, the limits are 0 to {SHIFT_MAX}")
        state, current   = config.state_bits, (config.current_bits, True)
        self.step        = Signal()
        self.i_soma      = Signal(current)
        self.i_apical    = Signal(current)
        self.leak_soma   = Signal(state)
        self.leak_apical = Signal(state)
        self.threshold   = Signal(state)
        self.v_soma      = Signal(state)
        self.v_apical    = Signal(state)
        self.spike       = Signal()

        # # #

        # Leaks.
        # ------
        rest_soma   = Signal(state)
        rest_apical = Signal(state)
        for potential, leak, rest in (
            (self.v_soma,   self.leak_soma,   rest_soma),
            (self.v_apical, self.leak_apical, rest_apical),
        ):
            left = self.subtract(potential, leak)
            self.comb += If(~left[-1], rest.eq(left))

        # AC: apical compartment.
        # -----------------------
        apical   = Signal((max(state, config.current_bits) + 2, True))
        v_apical = Signal(state)
        self.comb += [
            apical.eq(rest_apical + self.i_apical),
            v_apical.eq(clamp(apical, state)),
        ]

        # MU: array multiplier.
        # ---------------------
        bits    = config.current_bits + state
        product = Signal((bits, True))
        factor  = Signal((state + 1, True))
        self.comb += [
            factor.eq(v_apical),
            product.eq(self.i_soma*factor),
        ]

        # SC: somatic compartment.
        # ------------------------
        drive  = Signal((max(1, bits - product_shift), True))
        soma   = Signal((max(state, len(drive)) + 2, True))
        v_soma = Signal(state)
        self.comb += [
            drive.eq(product[min(product_shift, bits - 1):]),
            soma.eq(rest_soma + drive),
            v_soma.eq(clamp(soma, state)),
        ]

        # TC: threshold.
        # --------------
        left = self.subtract(v_soma, self.threshold)
        self.sync += If(self.step,
            self.v_apical.eq(v_apical),
            self.spike.eq(~left[-1]),
            self.v_soma.eq(Mux(left[-1], v_soma, left)),
        )

    def subtract(self, minuend, subtrahend):
        """Signal of a difference of two states; its highest bit is the borrow: one carry chain tells both."""
        result = Signal(len(minuend) + 1, name="left")
        self.comb += result.eq(minuend - subtrahend)
        return result
