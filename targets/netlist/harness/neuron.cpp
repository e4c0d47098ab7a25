/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * Clocks the Verilated neuron, RTL or netlist, once a case: 32-bit words in on stdin, 32-bit words out on stdout.
 *
 * In:  number of cases, then for each of them control (1: reset, 2: step), i_soma, i_apical, leak_soma, leak_apical,
 *      threshold.
 * Out: for each case spike, v_apical, v_soma after the clock.
 */

#include "Vqclif_neuron.h"
#include "words.h"

int main(void)
{
    Vqclif_neuron top;

    for (uint32_t cases = next_word(); cases; cases--) {
        const uint32_t control = next_word();

        top.sys_rst     = control & 1;
        top.step        = control >> 1 & 1;
        set_port(top.i_soma);
        set_port(top.i_apical);
        set_port(top.leak_soma);
        set_port(top.leak_apical);
        set_port(top.threshold);
        clock_top(top);
        put_port(top.spike);
        put_port(top.v_apical);
        put_port(top.v_soma);
    }
    return write_words();
}
