# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause
#
# After the power grid (POST_PDN_TCL): a row of one site below each macro's lower left corner, where there is none at
# that height. OpenROAD knows heights by their rows alone, and would take a macro that stands where all rows were cut
# for one beside the nearest row. No cell fits there.
set block [ord::get_db_block]
foreach row [$block getRows] {
  set like $row
  set rows([[$row getBBox] yMin]) 1
}
set origin [$like getBBox]
set site [$like getSite]
foreach inst [$block getInsts] {
  if { [$inst isBlock] } {
    set box [$inst getBBox]
    # Macros stand on the tracks of their pins, next to the grid of sites.
    set x [expr { [$box xMin] - ([$box xMin] - [$origin xMin]) % [$site getWidth] }]
    set y [expr { [$box yMin] - ([$box yMin] - [$origin yMin]) % [$site getHeight] }]
    if { ![info exists rows($y)] } {
      set rows($y) 1
      odb::dbRow_create $block "MACRO_$y" $site $x $y [$like getOrient] [$like getDirection] 1 [$like getSpacing]
    }
  }
}
