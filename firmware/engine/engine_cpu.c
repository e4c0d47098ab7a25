/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The CPU as an engine: the whole network in plain C, from its image in RAM (host/link/device.py). */

#include "engine.h"
#include "platform.h"

#ifdef PLATFORM_RAM

#include <stddef.h>

#include "link.h"

/* (i_s * V_a) is below 2^(current_bits + state_bits - 1); one bit more for the sum with V_s. */
#if QCLIF_CURRENT_BITS + QCLIF_STATE_BITS < 32
typedef int32_t product_t;
#else
typedef int64_t product_t;
#endif

#define CURRENT_MAX ((1 << (QCLIF_CURRENT_BITS - 1)) - 1)
#define CURRENT_MIN (-CURRENT_MAX - 1)
#define STATE_MAX   ((product_t)QCLIF_STATE_MAX)

static struct network net;
static const int8_t *w_soma;        /* [inputs + neurons][neurons] */
static const int8_t *w_apical;      /* [contexts + neurons][neurons] */
static const int32_t *bias_soma, *bias_apical, *leak_apical, *leak_soma, *threshold;

static uint16_t v_apical[QCLIF_NEURONS];
static uint16_t v_soma[QCLIF_NEURONS];
static int32_t i_soma[QCLIF_NEURONS];
static int32_t i_apical[QCLIF_NEURONS];

/* Weights to be added up: of the step's events and of the spikes before it. */
static const int8_t *rows[QCLIF_STEP_EVENTS + QCLIF_NEURONS];
static uint32_t row_count;

/* Spikes of the last two steps: of the last one to be its successor's input, and both to be drained. */
static struct {
	uint32_t count;
	uint16_t neurons[QCLIF_NEURONS];
} spikes[2];
static uint32_t pushed, drained;
static uint32_t counts[QCLIF_COUNTER_COUNT];

static void configure(const struct network *network)
{
	net = *network;
	w_soma = (const int8_t *)PLATFORM_RAM;
	w_apical = w_soma + (net.inputs + net.neurons) * net.neurons;

	const uint32_t weights = (net.inputs + net.contexts + 2 * net.neurons) * net.neurons;
	bias_soma = (const int32_t *)(PLATFORM_RAM + (weights + 3) / 4);
	bias_apical = bias_soma + net.neurons;
	leak_apical = bias_apical + net.neurons;
	leak_soma = leak_apical + net.neurons;
	threshold = leak_soma + net.neurons;
}

static bool begin(void)
{
	for (uint32_t n = 0; n < QCLIF_NEURONS; n++)
		v_apical[n] = v_soma[n] = 0;
	for (uint32_t i = 0; i < QCLIF_COUNTER_COUNT; i++)
		counts[i] = 0;
	pushed = drained = 0;
	spikes[0].count = spikes[1].count = 0;
	return true;
}

static inline int32_t saturate(int32_t value)
{
	return value > CURRENT_MAX ? CURRENT_MAX : value < CURRENT_MIN ? CURRENT_MIN : value;
}

/* clip(max(v - leak, 0) + change, 0, V_max) */
static inline product_t leaked(int32_t v, int32_t leak, product_t change)
{
	const product_t sum = (v > leak ? v - leak : 0) + change;
	return sum < 0 ? 0 : sum > STATE_MAX ? STATE_MAX : sum;
}

/* Neurons whose sums are held in registers while the rows are walked: stores are what costs most. */
#define BLOCK 8u

/* Add the rows to the currents of `width` neurons. */
static inline void add_block(int32_t *current, uint32_t first, uint32_t width)
{
	int32_t sums[BLOCK];

	link_busy();
#pragma GCC unroll 8
	for (uint32_t k = 0; k < width; k++)
		sums[k] = current[first + k];
	for (uint32_t r = 0; r < row_count; r++) {
		const int8_t *weights = rows[r] + first;
		/* One address and offsets from it: left alone, GCC keeps an address for each. */
		__asm__("" : "+r"(weights));
#pragma GCC unroll 8
		for (uint32_t k = 0; k < width; k++)
			sums[k] += weights[k];
	}
#pragma GCC unroll 8
	for (uint32_t k = 0; k < width; k++)
		current[first + k] = sums[k];
}

static void add_rows(int32_t *current)
{
	uint32_t n = 0;

	for (; n + BLOCK <= net.neurons; n += BLOCK)
		add_block(current, n, BLOCK);
	for (; n < net.neurons; n++)
		add_block(current, n, 1);
	counts[QCLIF_COUNTER_SOPS] += row_count * net.neurons;
}

static void add_currents(const struct step *step, const uint16_t *previous, uint32_t previous_count)
{
	for (uint32_t n = 0; n < net.neurons; n++) {
		i_soma[n] = bias_soma[n];
		i_apical[n] = bias_apical[n];
	}
	row_count = 0;
	for (uint32_t i = 0; i < step->count; i++)
		if (step->sources[i] < QCLIF_INPUTS)
			rows[row_count++] = w_soma + step->sources[i] * net.neurons;
	for (uint32_t i = 0; i < previous_count; i++)
		rows[row_count++] = w_soma + (net.inputs + previous[i]) * net.neurons;
	add_rows(i_soma);

	row_count = 0;
	for (uint32_t i = 0; i < step->count; i++)
		if (step->sources[i] >= QCLIF_INPUTS)
			rows[row_count++] = w_apical + (step->sources[i] - QCLIF_INPUTS) * net.neurons;
	for (uint32_t i = 0; i < previous_count; i++)
		rows[row_count++] = w_apical + (net.contexts + previous[i]) * net.neurons;
	add_rows(i_apical);

	/* A spike counts as one row: the accelerator adds both of its weights at once. */
	counts[QCLIF_COUNTER_ROWS] += step->count + previous_count;
}

static uint32_t update_neurons(uint16_t *fired)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < net.neurons; n++) {
		const int32_t i_s = saturate(i_soma[n]);
		const int32_t i_a = saturate(i_apical[n] >> net.apical_shift);
		const product_t v_a = leaked(v_apical[n], leak_apical[n], i_a);
		const product_t d = (i_s * v_a) >> net.product_shift;
		product_t v_s = leaked(v_soma[n], leak_soma[n], d);
		if (v_s >= threshold[n]) {
			v_s -= threshold[n];
			fired[count++] = (uint16_t)n;
		}
		v_apical[n] = (uint16_t)v_a;
		v_soma[n] = (uint16_t)v_s;
	}
	return count;
}

static bool push(const struct step *step)
{
	const uint32_t start = platform_clock();
	const uint32_t before = (pushed + 1) & 1;

	add_currents(step, spikes[before].neurons, spikes[before].count);
	const uint32_t count = update_neurons(spikes[pushed & 1].neurons);
	spikes[pushed & 1].count = count;
	pushed++;

	const uint32_t clocks = platform_clock() - start;
	counts[QCLIF_COUNTER_STEPS]++;
	counts[QCLIF_COUNTER_EVENTS] += step->count;
	counts[QCLIF_COUNTER_SPIKES] += count;
	counts[QCLIF_COUNTER_BUSY] += clocks;
	stats[QCLIF_STAT_CPU_STEPS]++;
	stats[QCLIF_STAT_CPU_CLOCKS] += clocks;
	return true;
}

static bool drain(uint16_t neurons[QCLIF_NEURONS], uint32_t *count)
{
	const uint32_t list = drained++ & 1;

	*count = spikes[list].count;
	for (uint32_t i = 0; i < spikes[list].count; i++)
		neurons[i] = spikes[list].neurons[i];
	return true;
}

static uint32_t state(uint32_t neuron)
{
	return v_apical[neuron] | (uint32_t)v_soma[neuron] << 16;
}

static void counters(uint32_t values[QCLIF_COUNTER_COUNT])
{
	for (uint32_t i = 0; i < QCLIF_COUNTER_COUNT; i++)
		values[i] = counts[i];
}

static uint32_t none(void)
{
	return 0;
}

const struct engine engine_cpu = {configure, begin, push, NULL, NULL, NULL, NULL, NULL, drain, state, counters, none, none};

#endif
