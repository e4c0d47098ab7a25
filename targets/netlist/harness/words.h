/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Words of stdin and stdout as the ports of a Verilated module, whatever type Verilator gives them. */

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

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
template <typename Port> static void set_port(Port &port)
{
    uint32_t words[(sizeof port + 3)/4];

    for (uint32_t &word : words)
        word = next_word();
    memcpy(&port, words, sizeof port);
}

template <typename Port> static void put_port(const Port &port)
{
    uint32_t words[(sizeof port + 3)/4] = {};

    memcpy(words, &port, sizeof port);
    output.insert(output.end(), words, words + sizeof words/sizeof words[0]);
}

template <typename Top> static void clock_top(Top &top)
{
    top.sys_clk = 0;
    top.eval();
    top.sys_clk = 1;
    top.eval();
}

static int write_words(void)
{
    return fwrite(output.data(), sizeof output[0], output.size(), stdout) != output.size();
}
