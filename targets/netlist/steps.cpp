/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * Clocks a Verilated design, RTL or netlist, once a step: 32-bit words in on stdin, 32-bit words out on stdout. A port
 * takes as many words as hold it, lowest bits first, at least one, whatever type Verilator gives it.
 *
 * In:  the ports that hold still; number of steps, then for each of them the inputs.
 * Out: for each step the outputs after its clock.
 * Which ports these are stands in ports.h, which targets.netlist.steps writes.
 */

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "ports.h"
#include "verilated.h"

static std::vector<uint32_t> output;

static uint32_t next_word(void)
{
    uint32_t word;

    if (fread(&word, sizeof word, 1, stdin) != 1) {
        fprintf(stderr, "simulation: the input ends too early\n");
        exit(1);
    }
    return word;
}

/* Verilator's ports are little-endian: bytes, words, or arrays of 32-bit words. */
template <typename Port> static void set(Port &port)
{
    uint32_t words[(sizeof port + 3)/4];

    for (uint32_t &word : words)
        word = next_word();
    memcpy(&port, words, sizeof port);
}

template <typename Port> static void put(const Port &port)
{
    uint32_t words[(sizeof port + 3)/4] = {};

    memcpy(words, &port, sizeof port);
    output.insert(output.end(), words, words + sizeof words/sizeof words[0]);
}

int main(void)
{
    Top top;

    HELD(set)
    for (uint32_t steps = next_word(); steps; steps--) {
        INPUTS(set)
        top.sys_clk = 0;
        top.eval();
        top.sys_clk = 1;
        top.eval();
        OUTPUTS(put)
    }
    return fwrite(output.data(), sizeof output[0], output.size(), stdout) != output.size();
}
