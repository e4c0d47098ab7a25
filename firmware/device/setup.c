/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "request.h"

#include <stddef.h>

#include "platform.h"
#include "qclif.h"
#include "wire.h"

struct setup setup;

static const struct engine *const engines[] = {
#ifdef PLATFORM_WITH_ACCEL
	[QCLIF_ENGINE_ACCEL] = &engine_accel,
#endif
#ifdef PLATFORM_RAM
	[QCLIF_ENGINE_CPU] = &engine_cpu,
#endif
};
#define ENGINES (sizeof(engines) / sizeof(engines[0]))

#define SLICE_MASK ((1u << QCLIF_SLICE_BITS) - 1)

void setup_start(void)
{
	setup = (struct setup){0};
}

uint8_t setup_engines(void)
{
	uint8_t present = 0;

	for (uint32_t i = 0; i < ENGINES; i++)
		present |= (uint8_t)((engines[i] != NULL) << i);
	return present;
}

/* Memory ------------------------------------------------------------------------------------------- */

uint32_t setup_memory_words(uint32_t space)
{
	switch (space) {
#ifdef PLATFORM_WITH_ACCEL
	case QCLIF_SPACE_SOMA:
		return QCLIF_SOMA_WORDS * QCLIF_SLICES;
	case QCLIF_SPACE_APICAL:
		return QCLIF_APICAL_WORDS * QCLIF_SLICES;
	case QCLIF_SPACE_PARAMETERS:
		return QCLIF_PARAMETER_WORDS;
#endif
#ifdef PLATFORM_RAM
	case QCLIF_SPACE_CPU:
		return PLATFORM_RAM_BYTES / 4;
#endif
	case QCLIF_SPACE_READOUT:
		return READOUT_WORDS;
	default:
		return 0;
	}
}

uint32_t setup_memory_index(uint32_t space, uint32_t address)
{
	if (space == QCLIF_SPACE_SOMA || space == QCLIF_SPACE_APICAL)
		return (address >> QCLIF_SLICE_BITS) * QCLIF_SLICES + (address & SLICE_MASK);
	return address;
}

/* A place in a space, which moves on with what is written or read there. */
struct memory {
	uint32_t space;
	uint32_t *words; /* next word; NULL in the accelerator, which keeps the place itself */
};

static struct memory memory_seek(uint32_t space, uint32_t address)
{
	switch (space) {
#ifdef PLATFORM_RAM
	case QCLIF_SPACE_CPU:
		return (struct memory){space, PLATFORM_RAM + address};
#endif
	case QCLIF_SPACE_READOUT:
		return (struct memory){space, readout_weights + address};
	default:
#ifdef PLATFORM_WITH_ACCEL
		/* Steps that a sample which failed has left in work would keep the memories. */
		if (qclif_busy(PLATFORM_ACCEL))
			qclif_reset(PLATFORM_ACCEL);
		qclif_seek(PLATFORM_ACCEL, space, address);
#endif
		return (struct memory){space, NULL};
	}
}

static inline void memory_put(struct memory *memory, uint32_t word)
{
	if (memory->words) {
		*memory->words++ = word;
		return;
	}
#ifdef PLATFORM_WITH_ACCEL
	qclif_put(PLATFORM_ACCEL, word);
#endif
}

static inline uint32_t memory_get(struct memory *memory)
{
	if (memory->words)
		return *memory->words++;
#ifdef PLATFORM_WITH_ACCEL
	return qclif_get(PLATFORM_ACCEL);
#else
	return 0;
#endif
}

/* The words at `bytes`, of any alignment. The memory of frames is not cached, where a byte takes as long as the word that
 * it is in: each of these is read once. */
static void memory_write(struct memory *memory, const uint8_t *bytes, uint32_t words)
{
	const uint32_t shift = 8 * ((uintptr_t)bytes % 4);

	if (shift == 0) {
		for (; words != 0; words--, bytes += 4)
			memory_put(memory, wire_word(bytes));
		return;
	}
	bytes -= shift / 8;
	for (uint32_t held = wire_word(bytes) >> shift; words != 0; words--) {
		const uint32_t next = wire_word(bytes += 4);
		memory_put(memory, held | next << (32 - shift));
		held = next >> shift;
	}
}

/* Requests ----------------------------------------------------------------------------------------- */

/* Checks space, address and the number of words that follow from it. */
static bool check_memory(struct request *request, uint32_t space, uint32_t address, uint32_t count)
{
	const uint32_t words = setup_memory_words(space);
	const uint32_t first = setup_memory_index(space, address);

	if (words == 0)
		return request_fail(request, QCLIF_ERROR_SPACE, space, 0);
	if (first > words || count > words - first)
		return request_fail(request, QCLIF_ERROR_ADDRESS, address, words);
	return true;
}

bool setup_write(struct request *request)
{
	const uint8_t *at = request->begin + QCLIF_WRITE_BYTES;
	if (request_bytes(request) < QCLIF_WRITE_BYTES || (request->end - at) % 4 != 0)
		return request_malformed(request, request->end);

	const uint32_t space = request->begin[QCLIF_WRITE_SPACE_AT];
	const uint32_t address = wire_get32(request->begin + QCLIF_WRITE_ADDRESS_AT);
	if (!check_memory(request, space, address, (uint32_t)(request->end - at) / 4))
		return false;

	/* Until it is configured and thereby said to be verified, there is no network. */
	if (space != QCLIF_SPACE_CPU)
		setup.network_ids[QCLIF_ENGINE_ACCEL] = 0;
	if (space == QCLIF_SPACE_CPU || space == QCLIF_SPACE_READOUT)
		setup.network_ids[QCLIF_ENGINE_CPU] = 0;
	setup.engine = NULL;

	struct memory memory = memory_seek(space, address);
	memory_write(&memory, at, (uint32_t)(request->end - at) / 4);
	return true;
}

bool setup_verify(struct request *request)
{
	if (request_bytes(request) != QCLIF_VERIFY_BYTES)
		return request_malformed(request, request->end);

	const uint32_t space = request->begin[QCLIF_VERIFY_SPACE_AT];
	const uint32_t address = wire_get32(request->begin + QCLIF_VERIFY_ADDRESS_AT);
	const uint32_t count = wire_get32(request->begin + QCLIF_VERIFY_COUNT_AT);
	if (!check_memory(request, space, address, count))
		return false;

	struct memory memory = memory_seek(space, address);
	uint32_t sum = 0, sums = 0;
	for (uint32_t left = count; left != 0; left--) {
		const uint32_t word = memory_get(&memory);
		sum += word & 0xffff;
		sums += sum;
		sum += word >> 16;
		sums += sum;
	}
	request->answer = wire_put32(wire_put32(request->answer, sum), sums);
	return true;
}

static bool within(struct request *request, uint32_t value, uint32_t least, uint32_t most, uint32_t error)
{
	return (value >= least && value <= most) || request_fail(request, error, value, most);
}

bool setup_configure(struct request *request)
{
	if (request_bytes(request) != QCLIF_CONFIGURE_BYTES)
		return request_malformed(request, request->end);

	const uint8_t *const at = request->begin;
	const uint32_t number = at[QCLIF_CONFIGURE_ENGINE_AT];
	const struct network wanted = {
		.neurons       = wire_get16(at + QCLIF_CONFIGURE_NEURONS_AT),
		.inputs        = wire_get16(at + QCLIF_CONFIGURE_INPUTS_AT),
		.contexts      = wire_get16(at + QCLIF_CONFIGURE_CONTEXTS_AT),
		.outputs       = wire_get16(at + QCLIF_CONFIGURE_OUTPUTS_AT),
		.apical_shift  = at[QCLIF_CONFIGURE_APICAL_SHIFT_AT],
		.product_shift = at[QCLIF_CONFIGURE_PRODUCT_SHIFT_AT],
	};
	if (number >= ENGINES || engines[number] == NULL)
		return request_fail(request, QCLIF_ERROR_ENGINE, number, setup_engines());
	if (!within(request, wanted.neurons, 1, QCLIF_NEURONS, QCLIF_ERROR_NEURONS) ||
	    !within(request, wanted.inputs, 1, QCLIF_INPUTS, QCLIF_ERROR_INPUTS) ||
	    !within(request, wanted.contexts, 0, QCLIF_CONTEXTS, QCLIF_ERROR_CONTEXTS) ||
	    !within(request, wanted.outputs, 0, QCLIF_OUTPUTS, QCLIF_ERROR_OUTPUTS) ||
	    !within(request, wanted.apical_shift, 0, QCLIF_SHIFT_MAX, QCLIF_ERROR_SHIFT) ||
	    !within(request, wanted.product_shift, 0, QCLIF_SHIFT_MAX, QCLIF_ERROR_SHIFT))
		return false;

	setup.network = wanted;
	setup.engine = engines[number];
	setup.engine->configure(&setup.network);
	setup.with_encoder = false;
	setup.decay = 0;
	setup.report = false;
	setup.watched_count = 0;
	setup.network_ids[number] = wire_get32(at + QCLIF_CONFIGURE_NETWORK_ID_AT);
	return true;
}

bool setup_encoder(struct request *request)
{
	if (request_bytes(request) != QCLIF_ENCODER_BYTES)
		return request_malformed(request, request->end);

	const uint8_t *const at = request->begin;
	const struct encoder_settings settings = {
		.width           = wire_get16(at + QCLIF_ENCODER_WIDTH_AT),
		.height          = wire_get16(at + QCLIF_ENCODER_HEIGHT_AT),
		.grid_width      = wire_get16(at + QCLIF_ENCODER_GRID_WIDTH_AT),
		.grid_height     = wire_get16(at + QCLIF_ENCODER_GRID_HEIGHT_AT),
		.polarities      = at[QCLIF_ENCODER_POLARITIES_AT],
		.bin_us          = wire_get32(at + QCLIF_ENCODER_BIN_US_AT),
		.count_threshold = wire_get16(at + QCLIF_ENCODER_COUNT_THRESHOLD_AT),
	};
	if (!within(request, settings.width, 1, QCLIF_SENSOR_LIMIT, QCLIF_ERROR_SENSOR) ||
	    !within(request, settings.height, 1, QCLIF_SENSOR_LIMIT, QCLIF_ERROR_SENSOR) ||
	    !within(request, settings.polarities, 1, 2, QCLIF_ERROR_ENCODER) ||
	    !within(request, settings.bin_us, 1, INT32_MAX, QCLIF_ERROR_ENCODER) ||
	    !within(request, settings.count_threshold, 1, UINT16_MAX, QCLIF_ERROR_ENCODER))
		return false;
	/* Each factor is bounded first, so that the product cannot wrap. */
	if (settings.grid_width > setup.network.inputs || settings.grid_height > setup.network.inputs ||
	    settings.grid_width * settings.grid_height * settings.polarities != setup.network.inputs)
		return request_fail(request, QCLIF_ERROR_ENCODER, settings.grid_width, setup.network.inputs);

	encoder_configure(&settings);
	if (setup.engine->encoder)
		setup.engine->encoder(&settings, setup.network.contexts);
	setup.with_encoder = true;
	return true;
}

bool setup_window(struct request *request)
{
	if (request_bytes(request) != QCLIF_WINDOW_BYTES)
		return request_malformed(request, request->end);

	const uint32_t decay = request->begin[QCLIF_WINDOW_DECAY_AT];
	if (!within(request, decay, 0, QCLIF_DECAY_MAX, QCLIF_ERROR_DECAY))
		return false;
	setup.decay = decay;
	setup.report = request->begin[QCLIF_WINDOW_REPORT_AT] != 0;
	return true;
}

bool setup_watch(struct request *request)
{
	const uint32_t count = request_bytes(request) / 2;
	if (request_bytes(request) % 2 != 0 || count > QCLIF_WATCH_MAX)
		return request_malformed(request, request->end);

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t neuron = wire_get16(request->begin + 2 * i);
		if (neuron >= setup.network.neurons)
			return request_fail(request, QCLIF_ERROR_WATCH, neuron, setup.network.neurons);
		setup.watched[i] = (uint16_t)neuron;
	}
	setup.watched_count = count;
	return true;
}
