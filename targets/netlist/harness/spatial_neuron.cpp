/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * Runs steps on one Verilated neuron of the spatial design: 32-bit words in on stdin, 32-bit words out on stdout.
 * A port takes as many words as hold it, lowest bits first, at least one.
 *
 * In:  weights_soma, weights_apical, bias_apical, leak_soma, leak_apical, threshold; number of steps, then for each
 *      of them spikes, contexts and stimulus.
 * Out: for each step spike, v_apical, v_soma.
 */

#include "Vqclif_spatial_neuron.h"
#include "spatial.h"

int main(void)
{
    Vqclif_spatial_neuron top;

    return run_steps(top, top.spikes, top.contexts, top.stimulus);
}
