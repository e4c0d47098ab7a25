/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * Linked to the harness of a simulated netlist: what registers start with, and how often nets change.
 *
 * Environment:
 *     QCLIF_SEED      of the random values that all registers and memories start with
 *     QCLIF_CLOCKS    clocks after which the simulation fails with status 3
 *     QCLIF_MUTANT    number of the cell that is not what it should be
 *     QCLIF_EXCITED   file that is made when that cell's output is not what it should be
 *     QCLIF_ACTIVITY  file that is written at the end; FILE.1 and so on are those of further phases
 * A file is 64-bit words: number of scopes, then for each of them the length of its name, its name (padded to whole
 * words), its number of samples, its number of nets, and for each net its changes and the samples in which it was 1.
 */

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "verilated.h"

// Samples, and what happened in them.
struct Count {
    uint64_t samples = 0;
    std::vector<uint64_t> toggles, ones;
};

struct Scope {
    std::string name;
    uint64_t samples = 0; // Of all phases.
    std::vector<uint64_t> values, since;
    std::vector<Count> phases;
    Count *now = nullptr;

    bool high(size_t net) const { return values[net/64] >> (net % 64) & 1; }

    // All that comes from now on is of this phase.
    void enter(size_t phase)
    {
        for (size_t net = 0; now && net < since.size(); net++)
            if (high(net)) {
                now->ones[net] += samples - since[net];
                since[net]      = samples;
            }
        while (phases.size() <= phase)
            phases.push_back({0, std::vector<uint64_t>(since.size()), std::vector<uint64_t>(since.size())});
        now = &phases[phase];
    }
};

static int current;

// Made when it is first used: registers of the netlist may be set up before anything here is.
static std::vector<Scope> &scopes()
{
    static std::vector<Scope> all;
    return all;
}

// Called once for each instance of a module of the netlist.
extern "C" int qclif_scope(const char *name, int nets)
{
    Scope scope;
    scope.name = name;
    scope.values.resize((nets + 63)/64);
    scope.since.resize(nets);
    scopes().push_back(scope);
    scopes().back().enter(current);
    return scopes().size() - 1;
}

// Samples from now on are of this phase, 0 at first.
extern "C" void qclif_phase(int phase)
{
    if (phase == current)
        return;
    current = phase;
    for (Scope &scope : scopes())
        scope.enter(phase);
}

// Called at each clock edge for each 64 nets of an instance, the lowest ones first.
extern "C" void qclif_sample(int index, int word, long long bits)
{
    Scope &scope = scopes()[index];
    if (word == 0) {
        scope.samples++;
        scope.now->samples++;
    }
    const uint64_t now = scope.samples - 1;
    uint64_t changed   = scope.values[word] ^ uint64_t(bits);
    scope.values[word] = bits;
    while (changed) {
        const int bit    = __builtin_ctzll(changed);
        const size_t net = 64*size_t(word) + bit;
        changed &= changed - 1;
        if (now)
            scope.now->toggles[net]++;
        if (uint64_t(bits) >> bit & 1)
            scope.since[net] = now;
        else
            scope.now->ones[net] += now - scope.since[net];
    }
}

static long from_environment(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text && *text ? atol(text) : otherwise;
}

// Called at each clock edge.
extern "C" void qclif_clock(void)
{
    static long clocks = from_environment("QCLIF_CLOCKS", -1);

    if (clocks-- == 0)
        exit(3);
}

extern "C" int qclif_mutant(void)
{
    return from_environment("QCLIF_MUTANT", -1);
}

// Called at each clock edge before which the mutant's output was wrong.
extern "C" void qclif_excited(void)
{
    static bool told;
    const char *path = getenv("QCLIF_EXCITED");

    if (!told && path && *path) {
        if (FILE *file = fopen(path, "wb"))
            fclose(file);
    }
    told = true;
}

static void put(FILE *file, uint64_t word)
{
    fwrite(&word, sizeof word, 1, file);
}

static void write_phase(const std::string &path, size_t phase)
{
    FILE *file = fopen(path.c_str(), "wb");
    if (!file) {
        perror(path.c_str());
        _Exit(1);
    }
    put(file, scopes().size());
    for (const Scope &scope : scopes()) {
        const Count &count = scope.phases[phase];
        std::string name = scope.name;
        put(file, name.size());
        name.resize((name.size() + 7)/8*8);
        fwrite(name.data(), 1, name.size(), file);
        put(file, count.samples);
        put(file, count.ones.size());
        for (size_t net = 0; net < count.ones.size(); net++) {
            put(file, count.toggles[net]);
            put(file, count.ones[net]);
        }
    }
    fclose(file);
}

static void write_activity(void)
{
    const char *path = getenv("QCLIF_ACTIVITY");
    size_t phases    = 1;

    if (!path || !*path)
        return;
    for (Scope &scope : scopes()) {
        // Nets that are high are counted until now.
        scope.enter(current);
        phases = scope.phases.size();
    }
    for (size_t phase = 0; phase < phases; phase++)
        write_phase(phase ? path + ("." + std::to_string(phase)) : path, phase);
}

static bool prepare(void)
{
    scopes();
    atexit(write_activity);
    // 2: at random, each model anew.
    Verilated::threadContextp()->randReset(2);
    Verilated::threadContextp()->randSeed(from_environment("QCLIF_SEED", 1));
    return true;
}

static const bool prepared = prepare();
