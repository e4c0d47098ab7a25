/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Runs steps on the Verilated spatial design, or on one neuron of it: weights and parameters once, then steps. */

#include "words.h"

/* `ports` are what changes from step to step, in the order of the words. */
template <typename Top, typename... Ports> static int run_steps(Top &top, Ports &...ports)
{
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
        (set_port(ports), ...);
        clock_top(top);
        put_port(top.spike);
        put_port(top.v_apical);
        put_port(top.v_soma);
    }
    return write_words();
}
