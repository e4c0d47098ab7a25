# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause
#
# Nangate's Open Cell Library in FreePDK45, in the variables of OpenROAD's flow scripts. It stands for the config.mk
# that a folder of these files lacks, and comes before the one that a folder has. Paths are seen from that folder.

# The first of these files (2) that is in the folder, or below it in (1).
first = $(firstword $(foreach name,$(2),$(wildcard $(1)/$(name) $(name))))

# Names that the library's releases, flow scripts and OpenSTA's examples give to a corner (1); plain before packed.
corner = $(call first,lib,$(foreach end,lib lib.gz,$(foreach name,$(1),NangateOpenCellLibrary_$(name).$(end) nangate45_$(name).$(end))))

export PLATFORM       = nangate45
export TYP_LIB_FILES  = $(call corner,typ typical)
export SLOW_LIB_FILES = $(call corner,slow)
export FAST_LIB_FILES = $(call corner,fast)
export TECH_LEF       = $(call first,lef,NangateOpenCellLibrary.tech.lef)
export SC_LEF         = $(call first,lef,NangateOpenCellLibrary.macro.mod.lef)
export GDS_FILES      = $(call first,gds,NangateOpenCellLibrary.gds)

# Cells that are hard to route, and those that are no logic.
export DONT_USE_CELLS      = TAPCELL_X1 FILLCELL_X1 AOI211_X1 OAI211_X1
export TIEHI_CELL_AND_PORT = LOGIC1_X1 Z
export TIELO_CELL_AND_PORT = LOGIC0_X1 Z

# What drives inputs, and what outputs drive: four times the input of BUF_X1.
export ABC_DRIVER_CELL = BUF_X1
export ABC_LOAD_IN_FF  = 3.898

# Layers of the pins at the edge.
export IO_PLACER_H = metal5
export IO_PLACER_V = metal6

# What the flow scripts have no variable for -----------------------------------------------------------------------

# Layers of the pins where one a side is too little.
export QCLIF_DENSE_IO_PLACER_H = metal3 metal5
export QCLIF_DENSE_IO_PLACER_V = metal4 metal6

# Power grid: layer and width of the rails along the rows; layer, width and distance (um) of the straps in a large core,
# from below, and of those over macros.
export QCLIF_GRID_RAILS  = metal1 0.17
export QCLIF_GRID_STRAPS = metal4 0.48 56 metal7 1.40 30
export QCLIF_GRID_MACROS = metal5 0.93 10 metal6 0.93 10

# Straps above all macros, where those of the lowest layer end at macros: without them there would be islands.
export QCLIF_GRID_ACROSS = metal8 1.40 56

# Distance of the cells that tie the wells, um.
export QCLIF_GRID_TAPS = 120
