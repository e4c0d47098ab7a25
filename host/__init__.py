"""Host side: golden model, networks, event sources and the link to the SoC."""

import signal
import sys

# While `python -m` looks for one of our commands, which this tells, and until it has imported what it needs, Ctrl-C
# ends it without a traceback; accel.errors.guarded() makes it an exception again.
if sys.argv[:1] == ["-m"]:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
