/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "engine.h"

static struct encoder_settings set;

/* Source of a pixel: its column's part plus its row's, plus the polarity. */
static uint16_t column[QCLIF_SENSOR_LIMIT];
static uint16_t row[QCLIF_SENSOR_LIMIT];

static uint32_t x_bits;
static uint32_t word_bytes;

/* Where a source's counter stands is above `base` only if it counted in this step: a new step moves
   `base` to the number of all events so far, which no counter exceeds, and so clears them all at once. */
static uint32_t reached[QCLIF_INPUTS];

/* Before the number of all events wraps, all begin anew: a sample may go on for days. */
#ifndef ENCODER_EVENTS_MAX
#define ENCODER_EVENTS_MAX (1u << 31)
#endif
static uint32_t base;
static uint32_t total;
static uint32_t elapsed; /* us since the step began */

static uint32_t bits(uint32_t value)
{
	uint32_t count = 0;
	for (; value; value >>= 1)
		count++;
	return count;
}

void encoder_configure(const struct encoder_settings *settings)
{
	set = *settings;
	x_bits = bits(set.width - 1);
	word_bytes = x_bits + bits(set.height - 1) <= 8 * QCLIF_RAW_NARROW_BYTES - 2 ? QCLIF_RAW_NARROW_BYTES :
		QCLIF_RAW_WIDE_BYTES;

	for (uint32_t x = 0; x < set.width; x++)
		column[x] = (uint16_t)(x * set.grid_width / set.width * set.polarities);
	for (uint32_t y = 0; y < set.height; y++)
		row[y] = (uint16_t)(y * set.grid_height / set.height * set.grid_width * set.polarities);
}

uint32_t encoder_word_bytes(void)
{
	return word_bytes;
}

static void clear_counters(void)
{
	for (uint32_t i = 0; i < QCLIF_INPUTS; i++)
		reached[i] = 0;
	base = total = 0;
}

void encoder_begin(void)
{
	clear_counters();
	elapsed = 0;
}

/* Stores go out to the bus: what changes with every word is in registers. */
enum encoder_result encoder_feed(const uint8_t **at, const uint8_t *end, uint32_t contexts, struct step *step,
                                 struct encoder_fault *fault)
{
	const uint32_t control_shift = 8 * word_bytes - 1;
	const uint32_t p_shift = control_shift - 1;
	const uint32_t p_mask = set.polarities - 1;
	const uint32_t y_shift = x_bits;
	const uint32_t x_mask = (1u << y_shift) - 1;
	const uint32_t y_mask = (1u << (p_shift - y_shift)) - 1;
	const uint32_t fire = base + set.count_threshold;
	const uint32_t bytes = word_bytes;
	const struct encoder_settings s = set;
	const uint32_t at_base = base;
	uint32_t now = elapsed;
	uint32_t events = 0;
	const uint8_t *word = *at;
	enum encoder_result result = ENCODER_DRY;

	for (; word != end; word += bytes) {
		uint32_t value = (uint32_t)word[0] | (uint32_t)word[1] << 8;
		if (bytes == QCLIF_RAW_WIDE_BYTES)
			value |= (uint32_t)word[2] << 16;

		if (value >> control_shift) {
			const uint32_t operand = (value ^ 1u << control_shift) >> 1;
			if (!(value & 1)) {
				now += operand;
				if (now < s.bin_us)
					continue;
				/* The word comes again in the next step, and adds its time again. */
				now -= s.bin_us + operand;
				result = ENCODER_STEP;
				break;
			}
			if (operand >= contexts) {
				*fault = (struct encoder_fault){QCLIF_INPUTS + operand, QCLIF_INPUTS};
				result = ENCODER_SOURCE;
				break;
			}
			if (step->count == QCLIF_STEP_EVENTS) {
				*fault = (struct encoder_fault){step->count + 1, QCLIF_STEP_EVENTS};
				result = ENCODER_FULL;
				break;
			}
			step->sources[step->count++] = (uint16_t)(QCLIF_INPUTS + operand);
			continue;
		}

		const uint32_t x = value & x_mask;
		const uint32_t y = (value >> y_shift) & y_mask;
		if (x >= s.width || y >= s.height) {
			*fault = x >= s.width ? (struct encoder_fault){x, s.width} : (struct encoder_fault){y, s.height};
			result = ENCODER_PIXEL;
			break;
		}
		const uint32_t source = (uint32_t)column[x] + row[y] + ((value >> p_shift) & p_mask);
		const uint32_t before = reached[source];
		const uint32_t seen = (before > at_base ? before : at_base) + 1;
		reached[source] = seen;
		events++;
		if (seen == fire) {
			if (step->count == QCLIF_STEP_EVENTS) {
				*fault = (struct encoder_fault){step->count + 1, QCLIF_STEP_EVENTS};
				result = ENCODER_FULL;
				break;
			}
			step->sources[step->count++] = (uint16_t)source;
		}
	}
	elapsed = now;
	total += events;
	if (result == ENCODER_STEP) {
		base = total;
		if (total > ENCODER_EVENTS_MAX)
			clear_counters();
	}
	*at = word;
	return result;
}
