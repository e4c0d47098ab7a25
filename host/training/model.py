# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""A network that can be trained: real-valued parameters behind the contract's integers, with straight-through rounding.

Parameters are relative, so that initial values and step sizes mean the same at any width: weights, biases and apical
leaks to the largest weight, thresholds and somatic leaks to the range of V_s.
"""

import math

import torch
from torch import Tensor, nn

from host.data.batch import Batch
from host.training.architecture import Architecture
from host.training.bptt.neurons import Rule, Values
from host.training.bptt.operation import spike_counts

# Initial spread of the weights: recurrence begins weak and is learned.
SENSORY_STD   = 0.25
CONTEXT_STD   = 0.25
RECURRENT_STD = 0.02
READOUT_STD   = 0.5

# Initial apical bias, threshold, largest linear leaks (apical, somatic) and range of CLIF's decays.
BIAS_APICAL = 0.5
THRESHOLD   = 0.7
LEAKS       = (0.2, 0.06)
DECAYS      = (0.8, 0.98)

# Lowest threshold, of V_max and in integers: below it the surrogate gradient is very high.
THRESHOLD_MIN, THRESHOLD_MIN_INTEGER = 0.02, 5

# Integer readout of 16 bits, this many steps a unit.
READOUT_SCALE = 64
READOUT_MAX   = 2**15 - 1

# Triangle of the surrogate gradient: half its support relative to the threshold, and its height.
SURROGATE_WIDTH, SURROGATE_HEIGHT = 1.0, 0.5

# Exponents of the gains (powers of two) that calibration tries.
INTEGER_EXPONENTS = range(-8, 21)
REAL_EXPONENTS    = range(-8, 9)


def rounded(value: Tensor, low: float, high: float) -> Tensor:
    """Rounded and clipped; the gradient passes as it is."""
    return value + (value.round().clamp(low, high) - value).detach()


class SpikingNetwork(nn.Module):
    """Trainable network of any neuron of architecture.NEURONS.

    Attributes
    ----------
    exponent : int64 scalar; the gain of the soma is 2**-exponent, the contract's product_shift.
    reach : int64 scalar; thresholds and somatic leaks use 2**-reach of the range of V_s, where the currents are too
        small for more of it.
    """
    def __init__(self, architecture: Architecture, seed: int = 0) -> None:
        super().__init__()
        self.architecture = arch = architecture
        rng = torch.Generator().manual_seed(seed)
        n, contract = arch.neurons, arch.kind.contract

        def normal(std: float, *shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(shape, generator=rng)*std)

        def spread(low: float, high: float) -> nn.Parameter:
            drawn = torch.rand(n, generator=rng)*(high - low) + low
            value = torch.full((n,), (low + high)/2) if arch.leak == "fixed" else drawn
            return nn.Parameter(value, requires_grad=arch.leak == "learned")

        self.w_sensory          = normal(SENSORY_STD, arch.inputs, n)
        self.w_context          = normal(CONTEXT_STD, arch.contexts, n)
        self.w_recurrent_soma   = normal(RECURRENT_STD, n, n)
        self.w_recurrent_apical = normal(RECURRENT_STD, n, n)
        self.bias_soma          = nn.Parameter(torch.zeros(n))
        self.bias_apical        = nn.Parameter(torch.full((n,), BIAS_APICAL))
        self.leak_apical        = spread(*((0, LEAKS[0]) if contract else DECAYS))
        self.leak_soma          = spread(*((0, LEAKS[1]) if contract else DECAYS))
        self.threshold          = nn.Parameter(torch.full((n,), THRESHOLD))
        self.readout            = normal(READOUT_STD, n, arch.outputs)
        self.register_buffer("exponent", torch.tensor(0))
        self.register_buffer("reach", torch.tensor(0))

    # Forward --------------------------------------------------------------------------------------

    @property
    def rule(self) -> Rule:
        """The rule by which the neurons compute, with the present gain."""
        arch, kind, inf = self.architecture, self.architecture.kind, math.inf
        half = 2.0**(arch.current_bits - 1)
        gain = 2.0**-self.exponent.item()
        return Rule(contract=kind.contract, floored=kind.integer, exponential=kind.exponential, gated=kind.gated,
            v_max         = self._state_max if kind.integer else inf,
            current_min   = -half if kind.integer else -inf,
            current_max   = half - 1 if kind.integer else inf,
            state_span    = 2.0**arch.state_bits if kind.integer else 1.0,
            apical_scale  = 2.0**-self.apical_shift,
            product_scale = gain if kind.contract else 1.0,
            width         = SURROGATE_WIDTH,
            height        = SURROGATE_HEIGHT)

    @property
    def _state_max(self) -> float:
        return 2.0**self.architecture.state_bits - 1

    @property
    def apical_shift(self) -> int:
        """The contract's apical_shift: with it, the largest weight moves V_a by half its range at most."""
        arch = self.architecture
        return max(0, arch.weight_bits - arch.state_bits) if arch.kind.integer else 0

    @property
    def _units(self) -> tuple[float, float, float]:
        """The integers that a parameter of 1.0 becomes: of leak_apical, leak_soma and threshold."""
        weight = 2.0**(self.architecture.weight_bits - 1 - self.apical_shift)
        reach  = self._state_max*2.0**-self.reach.item()
        return weight, reach, reach

    def values(self) -> Values:
        """What the neurons compute with, in integers where the architecture has them; gradients pass through."""
        kind   = self.architecture.kind
        w_in   = torch.cat([self.w_sensory, self.w_context])
        w_rec  = torch.cat([self.w_recurrent_soma, self.w_recurrent_apical], dim=1)
        bias   = torch.cat([self.bias_soma, self.bias_apical])
        neuron = self.leak_apical, self.leak_soma, self.threshold
        if not kind.integer:
            if not kind.contract:
                # CLIF's equations have no shift: the gain is one of the weights.
                gain  = 2.0**-self.exponent.item()
                scale = torch.ones(2*self.architecture.neurons, device=bias.device)
                scale[:self.architecture.neurons] = gain
                w_in  = torch.cat([self.w_sensory*gain, self.w_context*(1 if kind.gated else gain)])
                w_rec, bias = w_rec*scale, bias*scale
            return Values(w_in, w_rec, bias, *neuron)
        half = 2**(self.architecture.weight_bits - 1)
        top  = int(self._state_max)
        w_in, w_rec, bias = (rounded(each*half, -half, half - 1) for each in (w_in, w_rec, bias))
        leak_apical, leak_soma, threshold = (rounded(each*unit, low, top)
            for each, unit, low in zip(neuron, self._units, (0, 0, 1), strict=True))
        if not kind.gated:
            # The contract's LIF: nothing but the largest bias moves V_a, up to V_max and no further.
            n     = self.architecture.neurons
            w_rec = torch.cat([w_rec[:, :n], torch.zeros_like(w_rec[:, n:])], dim=1)
            bias  = torch.cat([bias[:n], torch.full_like(bias[n:], half - 1)])
            leak_apical = torch.zeros_like(leak_apical)
        return Values(w_in, w_rec, bias, leak_apical, leak_soma, threshold)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Run a batch from reset.

        Returns
        -------
        counts : spikes of each clip and neuron, [B, K, N].
        logits : integers of the contract's readout over each clip, float64 [B, K, O].
        """
        counts  = spike_counts(batch, self.architecture.soma_sources, self.rule, self.values())
        return counts, counts.double() @ self.integer_readout().double()

    def integer_readout(self) -> Tensor:
        """The readout that is computed with, integers [N, O]; gradients pass through."""
        return rounded(self.readout*READOUT_SCALE, -READOUT_MAX - 1, READOUT_MAX)

    @torch.no_grad()
    def clamp(self) -> None:
        """Bring the parameters back to what their integers can express; after each step of an optimiser."""
        arch = self.architecture
        if not arch.kind.integer:
            if not arch.kind.contract:
                for decay in (self.leak_apical, self.leak_soma):
                    decay.clamp_(0, 0.999)
            else:
                for leak in (self.leak_apical, self.leak_soma):
                    leak.clamp_(min=0)
            self.threshold.clamp_(min=THRESHOLD_MIN)
            return
        half = 2**(arch.weight_bits - 1)
        for weight in (self.w_sensory, self.w_context, self.w_recurrent_soma, self.w_recurrent_apical, self.bias_soma,
                self.bias_apical):
            weight.clamp_(-1, 1 - 1/half)
        top = self._state_max
        for value, unit, low in zip((self.leak_apical, self.leak_soma, self.threshold), self._units,
                (0, 0, max(1, min(THRESHOLD_MIN*top, THRESHOLD_MIN_INTEGER))), strict=True):
            value.clamp_(low/unit, top/unit)

    @torch.no_grad()
    def calibrate(self, batch: Batch, target: float) -> float:
        """Choose the gain at which the network fires closest to the target (spikes a neuron and step); returns its
        rate."""
        integer = self.architecture.kind.integer
        steps, rates = int(batch.lengths.sum()), {}
        for exponent in INTEGER_EXPONENTS if integer else REAL_EXPONENTS:
            self.set_gain(exponent)
            counts, _ = self(batch)
            rates[exponent] = counts.sum().item()/(steps*self.architecture.neurons)
        best = min(rates, key=lambda each: abs(math.log((rates[each] + 1e-4)/target)))
        self.set_gain(best)
        return rates[best]

    def set_gain(self, exponent: int) -> None:
        """Make the gain 2**-exponent."""
        # A shift cannot amplify: in integers, thresholds come down instead.
        least = 0 if self.architecture.kind.integer else exponent
        self.exponent.fill_(max(exponent, least))
        self.reach.fill_(max(0, least - exponent))
