/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * Linked to the harness of a simulated netlist: what registers start with, and how often nets change.
 *
 * Environment:
 *     QCLIF_SEED      of the random values that all registers and memories start with
 *     QCLIF_CLOCKS    clocks after which the simulation fails with status 3
 *     QCLIF_MUTANT    number of the cell that is not what it should be
 *     QCLIF_EXCITED   file that is made when that cell's output is not what it should be
 *     QCLIF_ACTIVITY  file that is written at the end
 * The file is 64-bit words: number of scopes, then for each of them the length of its name, its name (padded to whole
 * words), its number of samples, its number of nets, and for each net its changes and the samples in which it was 1.
 */

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "verilated.h"

struct Scope {
    std::string name;
    uint64_t samples = 0;
    std::vector<uint64_t> values, toggles, ones, since;
};

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
    scope.toggles.resize(nets);
    scope.ones.resize(nets);
    scope.since.resize(nets);
    scopes().push_back(scope);
    return scopes().size() - 1;
}

// Called at each clock edge for each 64 nets of an instance, the lowest ones first.
extern "C" void qclif_sample(int index, int word, long long bits)
{
    Scope &scope = scopes()[index];
    if (word == 0)
        scope.samples++;
    const uint64_t now = scope.samples - 1;
    uint64_t changed   = scope.values[word] ^ uint64_t(bits);
    scope.values[word] = bits;
    while (changed) {
        const int bit    = __builtin_ctzll(changed);
        const size_t net = 64*size_t(word) + bit;
        changed &= changed - 1;
        if (now)
            scope.toggles[net]++;
        if (uint64_t(bits) >> bit & 1)
            scope.since[net] = now;
        else
            scope.ones[net] += now - scope.since[net];
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

static void write_activity(void)
{
    const char *path = getenv("QCLIF_ACTIVITY");

    if (!path || !*path)
        return;
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        _Exit(1);
    }
    put(file, scopes().size());
    for (const Scope &scope : scopes()) {
        std::string name = scope.name;
        put(file, name.size());
        name.resize((name.size() + 7)/8*8);
        fwrite(name.data(), 1, name.size(), file);
        put(file, scope.samples);
        put(file, scope.ones.size());
        for (size_t net = 0; net < scope.ones.size(); net++) {
            const bool high = scope.values[net/64] >> (net % 64) & 1;
            put(file, scope.toggles[net]);
            put(file, scope.ones[net] + (high ? scope.samples - scope.since[net] : 0));
        }
    }
    fclose(file);
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
