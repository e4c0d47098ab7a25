# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What stands for OpenROAD's flow scripts where they are not installed, and the reason to skip what needs them."""

import shutil
from pathlib import Path

import pytest

from targets.asic.layout.tools import missing_tool

needs_openroad = pytest.mark.skipif(missing_tool() is not None, reason=f"needs OpenROAD: {missing_tool()}")

# A Makefile that does what the flow scripts promise: the results of a step are made once, from those before.
STAND_IN = """
include $(DESIGN_CONFIG)
RESULTS = $(WORK_HOME)/results/$(PLATFORM)/$(DESIGN_NICKNAME)/$(FLOW_VARIANT)
LOGS    = $(WORK_HOME)/logs/$(PLATFORM)/$(DESIGN_NICKNAME)/$(FLOW_VARIANT)
check-openroad: ; test -n "$(OPENROAD_EXE)"
finish: $(RESULTS)/6_final.gds
$(RESULTS)/clock_period.txt: $(SDC_FILE) ; exit 7
$(RESULTS)/1_1_yosys_canonicalize.rtlil: $(VERILOG_FILES) $(ADDITIONAL_LIBS) $(RESULTS)/clock_period.txt ; exit 8
$(RESULTS)/1_2_yosys.v $(RESULTS)/1_2_yosys.sdc: $(RESULTS)/1_1_yosys_canonicalize.rtlil ; exit 9
$(RESULTS)/5_route.odb: $(RESULTS)/1_2_yosys.v $(RESULTS)/1_2_yosys.sdc
\t@echo "Running detail_route.tcl, stage 5_2_route"
\t@mkdir -p $(LOGS)
\t@cat $^ > $@
\t@echo '{"detailedroute__route__drc_errors": 0, "detailedroute__route__wirelength": 1234}' > $(LOGS)/5_2_route.json
$(LOGS)/6_report.log: $(RESULTS)/5_route.odb
\t@echo "Running final_report.tcl, stage 6_report"
\t@if [ -e fail ]; then echo "[ERROR PDN-0179] no grid"; exit 2; fi
\t@echo '{"finish__timing__setup__ws": 3.5, "finish__design__instance__area": 1, \
"finish__design__instance__area": 20.5, "finish__timing__fmax": 2e8, "finish__power__total": 0.001, \
"finish__timing__hold__ws": "N/A"}' > $(LOGS)/6_report.json
\t@if [ -e routed.sh ]; then sh routed.sh $(RESULTS); fi
\t@touch $@
$(RESULTS)/6_final.gds: $(LOGS)/6_report.log
\t@touch $@
"""


def stand_in_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Flow scripts and OpenROAD, as far as running them is concerned; returns `home`, their folder flow.

    What a script routed.sh in it makes of the folder of results, its argument, counts as the final results.
    """
    (home/"scripts").mkdir(parents=True)
    (home/"scripts"/"variables.mk").touch()
    (home/"Makefile").write_text(STAND_IN)
    monkeypatch.setenv("FLOW_HOME", str(home))
    monkeypatch.setenv("OPENROAD_EXE", shutil.which("true"))
    monkeypatch.setenv("KLAYOUT_CMD", "true")
    return home
