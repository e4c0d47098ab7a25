/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "engine.h"

/* Bytes of a word: narrow ones have a time of at most 9 bits. */
#define NARROW_BYTES 3u
#define WIDE_BYTES   4u

static struct encoder_settings set;

/* Source of a pixel: its column's part plus its row's, plus the polarity. */
static uint16_t column[QCLIF_SENSOR_LIMIT];
static uint16_t row[QCLIF_SENSOR_LIMIT];

static uint32_t x_bits, y_bits;
static uint32_t word_bytes;
static uint32_t dt_bits;

/* Where a source's counter stands is above `base` only if it counted in this step: a new step moves
   `base` to the number of all events so far, which no counter exceeds, and so clears them all at once. */
static uint32_t reached[QCLIF_INPUTS];
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
	y_bits = bits(set.height - 1);

	uint32_t address_bits = x_bits + y_bits + 1;
	if (address_bits < QCLIF_RAW_ADDRESS_BITS)
		address_bits = QCLIF_RAW_ADDRESS_BITS;
	word_bytes = address_bits <= QCLIF_RAW_NARROW_BITS ? NARROW_BYTES : WIDE_BYTES;
	dt_bits = 8 * word_bytes - address_bits;

	for (uint32_t x = 0; x < set.width; x++)
		column[x] = (uint16_t)(x * set.grid_width / set.width * set.polarities);
	for (uint32_t y = 0; y < set.height; y++)
		row[y] = (uint16_t)(y * set.grid_height / set.height * set.grid_width * set.polarities);
}

uint32_t encoder_word_bytes(void)
{
	return word_bytes;
}

void encoder_begin(void)
{
	for (uint32_t i = 0; i < QCLIF_INPUTS; i++)
		reached[i] = 0;
	base = total = elapsed = 0;
}

/* Stores go out to the bus: what changes with every word is in registers. */
enum encoder_result encoder_feed(const uint8_t **at, const uint8_t *end, uint32_t contexts, struct step *step,
                                 struct encoder_fault *fault)
{
	const uint32_t dt_mask = (1u << dt_bits) - 1;
	const uint32_t x_mask = (1u << x_bits) - 1;
	const uint32_t y_mask = (1u << y_bits) - 1;
	const uint32_t p_mask = set.polarities - 1;
	const uint32_t p_shift = x_bits + y_bits;
	const uint32_t fire = base + set.count_threshold;
	const bool wide = word_bytes == WIDE_BYTES;
	const struct encoder_settings s = set;
	const uint32_t at_base = base;
	uint32_t now = elapsed;
	uint32_t events = 0;
	const uint8_t *word = *at;
	enum encoder_result result = ENCODER_DRY;

	for (; word != end; word += word_bytes) {
		uint32_t value = (uint32_t)word[0] | (uint32_t)word[1] << 8 | (uint32_t)word[2] << 16;
		if (wide)
			value |= (uint32_t)word[3] << 24;
		const uint32_t address = value >> dt_bits;
		uint32_t dt = value & dt_mask;
		const bool control = dt == dt_mask;

		if (control)
			dt = address & 1 ? 0 : address >> 1;
		now += dt;
		if (now >= s.bin_us) {
			/* The word comes again in the next step, and adds its dt again. */
			now -= s.bin_us + dt;
			result = ENCODER_STEP;
			break;
		}

		if (control) {
			if (!(address & 1))
				continue;
			if (address >> 1 >= contexts) {
				*fault = (struct encoder_fault){QCLIF_INPUTS + (address >> 1), QCLIF_INPUTS};
				result = ENCODER_SOURCE;
				break;
			}
			if (step->count == QCLIF_STEP_EVENTS) {
				*fault = (struct encoder_fault){step->count + 1, QCLIF_STEP_EVENTS};
				result = ENCODER_FULL;
				break;
			}
			step->sources[step->count++] = (uint16_t)(QCLIF_INPUTS + (address >> 1));
			continue;
		}

		const uint32_t x = address & x_mask;
		const uint32_t y = (address >> x_bits) & y_mask;
		if (x >= s.width || y >= s.height) {
			*fault = x >= s.width ? (struct encoder_fault){x, s.width} : (struct encoder_fault){y, s.height};
			result = ENCODER_PIXEL;
			break;
		}
		const uint32_t source = (uint32_t)column[x] + row[y] + ((address >> p_shift) & p_mask);
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
	if (result == ENCODER_STEP)
		base = total;
	*at = word;
	return result;
}
