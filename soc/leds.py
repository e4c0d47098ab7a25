# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the LEDs of a board tell."""

from migen import *
from migen.genlib.misc import WaitTimer

from litex.gen import *

# Seconds of a heartbeat in good health, and how many times as fast it is in an error.
HEARTBEAT_SECONDS = 1.0
ALARM             = 4

# Seconds that a busy accelerator is shown for: a step takes microseconds.
BUSY_SECONDS = 0.05

# Status LEDs --------------------------------------------------------------------------------------

class StatusLeds(LiteXModule):
    """Heartbeat, busy and error, on as many of them as a board has LEDs.

    The first LED beats once a second: the bitstream is loaded and the clock runs. In an error it beats four
    times as fast, which tells also where it is the only LED. The second one is lit while steps are computed,
    the third one in an error.

    Parameters
    ----------
    pads         : LEDs, the first one lowest.
    sys_clk_freq : Hz.
    active_low   : a LED is lit by 0.

    Attributes
    ----------
    busy  : steps are being computed.
    error : something was lost, or the SDRAM fails.
    """
    def __init__(self, pads, sys_clk_freq, active_low=False):
        self.busy  = Signal()
        self.error = Signal()

        # # #

        # Heartbeat.
        # ----------
        half_beat = max(ALARM, int(sys_clk_freq*HEARTBEAT_SECONDS/2))
        heartbeat = Signal()
        count     = Signal(max=half_beat + ALARM)
        self.sync += [
            count.eq(count + Mux(self.error, ALARM, 1)),
            If(count >= half_beat - 1,
                count.eq(0),
                heartbeat.eq(~heartbeat),
            ),
        ]

        # Busy, long enough to be seen.
        # -----------------------------
        self.quiet = quiet = WaitTimer(max(1, int(sys_clk_freq*BUSY_SECONDS)))
        self.comb += quiet.wait.eq(~self.busy)

        # Pads.
        # -----
        leds = Cat(heartbeat, ~quiet.done, self.error)
        lit  = Signal(len(pads))
        self.sync += lit.eq(leds)
        self.comb += pads.eq(~lit if active_low else lit)
