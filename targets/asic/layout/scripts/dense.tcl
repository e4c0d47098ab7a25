# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause
#
# Before all else (PLATFORM_TCL): OpenROAD's commands as a core needs them that is mostly macros.
if { [info commands detailed_placement_nearby] eq "" } {
  # A cell that was placed over macros has a longer way to a row than is looked by itself: it may go as far as the die
  # is wide and high.
  rename detailed_placement detailed_placement_nearby
  proc detailed_placement { args } {
    set die [[ord::get_db_block] getDieArea]
    set site [[lindex [[ord::get_db_block] getRows] 0] getSite]
    set across [expr { [$die dx] / [$site getWidth] }]
    set up [expr { [$die dy] / [$site getHeight] }]
    detailed_placement_nearby -max_displacement [list $across $up] {*}$args
  }
  # What is too dense by a wire or two for the global router, which keeps a quarter of the tracks back, is not for the
  # detailed one, whose errors count.
  foreach routing { global_route repair_antennas } {
    rename $routing ${routing}_uncongested
    proc $routing { args } "${routing}_uncongested {*}\$args -allow_congestion"
  }
}
