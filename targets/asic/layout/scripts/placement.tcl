# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause
#
# Before all else (PLATFORM_TCL): a cell that was placed over macros has a longer way to a row than OpenROAD looks for
# one by itself, and may go as far as the die is wide and high.
if { [info commands detailed_placement_nearby] eq "" } {
  rename detailed_placement detailed_placement_nearby
  proc detailed_placement { args } {
    set die [[ord::get_db_block] getDieArea]
    set site [[lindex [[ord::get_db_block] getRows] 0] getSite]
    set across [expr { [$die dx] / [$site getWidth] }]
    set up [expr { [$die dy] / [$site getHeight] }]
    detailed_placement_nearby -max_displacement [list $across $up] {*}$args
  }
}
