/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * Runs steps on the Verilated spatial design, RTL or netlist, or on one neuron of it: 32-bit words in on stdin, 32-bit
 * words out on stdout. A port takes as many words as hold it, lowest bits first, at least one.
 *
 * In:  weights_soma, weights_apical, bias_apical, leak_soma, leak_apical, threshold; number of steps, then for each
 *      of them spikes (of one neuron alone), contexts and stimulus.
 * Out: for each step spike, v_apical, v_soma.
 */

#define HEADER(top) <top.h>
#include HEADER(QCLIF_TOP)
#include "words.h"

/* The design has its spikes inside, one neuron has them as a port. */
template <typename Top> static auto set_spikes(Top &top, int) -> decltype(top.spikes, void()) { set_port(top.spikes); }
template <typename Top> static void set_spikes(Top &, long) {}

int main(void)
{
    QCLIF_TOP top;

    set_port(top.weights_soma);
    set_port(top.weights_apical);
    set_port(top.bias_apical);
    set_port(top.leak_soma);
    set_port(top.leak_apical);
    set_port(top.threshold);
    top.step    = 0;
    top.sys_rst = 1;
    clock_top(top);
    top.sys_rst = 0;
    top.step    = 1;
    for (uint32_t steps = next_word(); steps; steps--) {
        set_spikes(top, 0);
        set_port(top.contexts);
        set_port(top.stimulus);
        clock_top(top);
        put_port(top.spike);
        put_port(top.v_apical);
        put_port(top.v_soma);
    }
    return write_words();
}
