/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * Runs steps on the Verilated spatial design, RTL or netlist: 32-bit words in on stdin, 32-bit words out on stdout.
 * A port takes as many words as hold it, lowest bits first, at least one.
 *
 * In:  weights_soma, weights_apical, bias_apical, leak_soma, leak_apical, threshold; number of steps, then for each
 *      of them contexts and stimulus.
 * Out: for each step spike, v_apical, v_soma.
 */

#include "Vqclif_spatial.h"
#include "spatial.h"

int main(void)
{
    Vqclif_spatial top;

    return run_steps(top, top.contexts, top.stimulus);
}
