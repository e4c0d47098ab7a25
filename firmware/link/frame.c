/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "frame.h"

#include <generated/qclif_config.h>
#include <generated/qclif_protocol.h>

#include "link.h"

/* Of the frames that the gateware keeps waiting we use half: it never has to refuse one. */
#define WAITING_MAX (PLATFORM_SEND_QUEUE / 2)

static uint16_t ordered; /* frames since reset, which number them */

/* Frames, modulo 2^16, that wait to be sent or are being sent. */
static uint16_t waiting(void)
{
	return (uint16_t)(ordered - platform_sent());
}

struct frame frame_receive(void)
{
	const uint32_t start = platform_clock();
	const uint32_t word = platform_frame();
	const struct frame frame = {
		.result = word >> PLATFORM_FRAME_RESULT_AT & PLATFORM_FRAME_RESULT_MASK,
		.data = PLATFORM_FRAMES_RECEIVED + (word >> PLATFORM_FRAME_START_AT),
		.length = word >> PLATFORM_FRAME_LENGTH_AT & PLATFORM_FRAME_LENGTH_MASK,
	};

	if (frame.result != QCLIF_FRAME_NONE)
		stats[QCLIF_STAT_RX_CLOCKS] += platform_clock() - start;
	return frame;
}

void frame_release(void)
{
	platform_frame_release();
}

void frame_await(const struct frame_place *place)
{
	const uint32_t start = platform_clock();

	while ((uint16_t)(ordered - place->ticket) < waiting())
		;
	stats[QCLIF_STAT_TX_CLOCKS] += platform_clock() - start;
}

static void order(struct frame_place *place, bool plain)
{
	while (waiting() >= WAITING_MAX)
		;
	place->ticket = ++ordered;
	platform_send((uint32_t)(place->data - PLATFORM_FRAMES_TO_SEND), place->length, plain);
}

void frame_send(struct frame_place *place)
{
	const uint32_t start = platform_clock();

	order(place, false);
	stats[QCLIF_STAT_TX_FRAMES]++;
	stats[QCLIF_STAT_TX_CLOCKS] += platform_clock() - start;
}

void frame_say(const char *text)
{
	struct frame_place place = {.data = PLATFORM_FRAMES_TO_SEND};

	for (; *text; text++)
		place.data[place.length++] = (uint8_t)*text;
	order(&place, true);
	/* Without the counters, which are in an SDRAM that may be what the text is about. */
	while (waiting())
		;
}
