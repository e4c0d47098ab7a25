/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * Runs steps on the Verilated core: 32-bit words in on stdin, 32-bit words out on stdout. The one argument, if there
 * is one, is the number of clocks that spikes have to wait for between two that are taken.
 *
 * In:  number of memory writes, (space, address, word) each; neurons, apical_shift, product_shift, with_states;
 *      number of steps, then for each step its number of events and their sources.
 * Out: for each step its number of spikes and their neurons, then with_states V_a | V_s << 16 of each neuron;
 *      the sums of the core's counters, in the order of count[] below; last, for each step, the clocks from the beat
 *      that ended it at the input to the first and to the last beat of its output.
 */

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vqclif_core.h"
#include "verilated.h"

static const uint32_t SPACE_STATE = 3;

static Vqclif_core *core;
static std::vector<uint32_t> output;
static std::vector<uint32_t> spikes;
static uint32_t steps_out;
static uint32_t count[8];
static uint32_t source_gap;
static uint32_t clocks;

// Clocks of each step: its end at the input, its output's first beat and last one.
static std::vector<uint32_t> entered, first, done;

static uint32_t next_word(void)
{
    uint32_t word;

    if (fread(&word, sizeof word, 1, stdin) != 1) {
        fprintf(stderr, "core simulation: the input ends too early\n");
        exit(1);
    }
    return word;
}

static void collect(void)
{
    if (core->source_valid && core->source_ready) {
        if (first.size() == done.size())
            first.push_back(clocks);
        if (core->source_spike)
            spikes.push_back(core->source_neuron);
        if (core->source_last) {
            done.push_back(clocks);
            output.push_back(spikes.size());
            output.insert(output.end(), spikes.begin(), spikes.end());
            spikes.clear();
            steps_out++;
        }
    }
    const uint32_t now[8] = {
        core->count_steps, core->count_events, core->count_rows,   core->count_sops,
        core->count_spikes, core->count_busy,  core->count_stalls, core->count_overflows,
    };
    for (int n = 0; n < 8; n++)
        count[n] += now[n];
}

static void clock_core(void)
{
    core->source_ready = ++clocks % (source_gap + 1) == 0;
    core->eval();
    // Before the reset's edge, registers of a netlist hold anything.
    if (!core->sys_rst)
        collect();
    core->sys_clk = 1;
    core->eval();
    core->sys_clk = 0;
}

static void send(uint32_t source, bool event, bool last)
{
    core->sink_source = source;
    core->sink_event  = event;
    core->sink_last   = last;
    core->sink_valid  = 1;
    core->eval();
    while (!core->sink_ready)
        clock_core();
    clock_core();
    if (last)
        entered.push_back(clocks);
    core->sink_valid = 0;
}

static void read_states(uint32_t neurons)
{
    for (uint32_t n = 0; n < neurons; n++) {
        core->memory_space   = SPACE_STATE;
        core->memory_address = n;
        core->memory_read    = 1;
        clock_core();
        core->memory_read = 0;
        // As long as any core's port takes; the word stays.
        clock_core();
        core->eval();
        output.push_back(core->memory_data_r);
    }
}

int main(int argc, char **argv)
{
    source_gap = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    core = new Vqclif_core;
    core->sys_rst = 1;
    clock_core();
    core->sys_rst = 0;
    for (uint32_t writes = next_word(); writes; writes--) {
        core->memory_space   = next_word();
        core->memory_address = next_word();
        core->memory_data_w  = next_word();
        core->memory_write   = 1;
        clock_core();
    }
    core->memory_write = 0;
    const uint32_t neurons = next_word();
    core->neurons       = neurons;
    core->apical_shift  = next_word();
    core->product_shift = next_word();
    const bool with_states = next_word();
    const uint32_t steps   = next_word();
    for (uint32_t step = 0; step < steps; step++) {
        for (uint32_t events = next_word(); events; events--)
            send(next_word(), true, false);
        send(0, false, true);
        if (with_states) {
            while (core->busy)
                clock_core();
            read_states(neurons);
        }
    }
    while (steps_out < steps)
        clock_core();
    clock_core(); // The counters tell of the clock before.
    output.insert(output.end(), count, count + 8);
    for (uint32_t step = 0; step < steps; step++) {
        output.push_back(first[step] - entered[step]);
        output.push_back(done[step] - entered[step]);
    }
    fwrite(output.data(), sizeof output[0], output.size(), stdout);
    delete core;
    return 0;
}
