/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "frame.h"

#include <stdbool.h>

#include <generated/qclif_config.h>
#include <generated/qclif_protocol.h>

#include "link.h"
#include "platform.h"
#include "wire.h"

#define BLOCK_MAX 254u

/* Bytes from OVERSIZE on all go to the last place, which is none of a frame's. */
#define OVERSIZE (QCLIF_FRAME_BYTES + 1)
static uint8_t data[OVERSIZE + 1];
static uint32_t good_length;

/* Of the frame that is being received. */
static struct {
	uint32_t length; /* bytes that are there */
	uint32_t block;  /* bytes until the next length byte of COBS */
	bool zero_owed;  /* that length byte stands for a zero */
} partial;

/* The 0x00 has come after so many bytes: is it a frame? */
static enum frame_result judge(uint32_t bytes, bool whole)
{
	if (bytes == 0 && whole)
		return FRAME_NONE;
	if (bytes == OVERSIZE)
		return FRAME_OVERSIZE;
	if (!whole || bytes < QCLIF_OVERHEAD_BYTES)
		return FRAME_BAD;
	good_length = bytes - QCLIF_CRC_BYTES;
	if (crc32_update(CRC32_EMPTY, data, good_length) != wire_get32(data + good_length))
		return FRAME_BAD;
	return FRAME_GOOD;
}

enum frame_result frame_receive(void)
{
	uint32_t word = platform_receive();
	if (!(word & PLATFORM_RECEIVED))
		return FRAME_NONE;

	const uint32_t start = platform_clock();
	const uint8_t *const end = data + OVERSIZE;
	enum frame_result result = FRAME_NONE;
	uint8_t *at = data + partial.length;
	uint32_t block = partial.block;
	bool zero_owed = partial.zero_owed;
	uint32_t bytes = 0;

	/* COBS is undone as the bytes come, without a second pass; what changes is in registers. */
	do {
		const uint8_t byte = (uint8_t)word;
		platform_receive_taken();
		bytes++;
		if (byte != 0 && block != 0) {
			*at = byte;
			at += at < end;
			block--;
		} else if (byte != 0) {
			if (zero_owed) {
				*at = 0;
				at += at < end;
			}
			block = byte - 1u;
			zero_owed = block != BLOCK_MAX;
		} else {
			result = judge((uint32_t)(at - data), block == 0);
			at = data;
			block = 0;
			zero_owed = false;
			if (result != FRAME_NONE)
				break;
		}
		word = platform_receive();
	} while (word & PLATFORM_RECEIVED);

	partial.length = (uint32_t)(at - data);
	partial.block = block;
	partial.zero_owed = zero_owed;
	stats[QCLIF_STAT_RX_BYTES] += bytes;
	stats[QCLIF_STAT_RX_CLOCKS] += platform_clock() - start;
	return result;
}

const uint8_t *frame_data(void)
{
	return data;
}

uint32_t frame_length(void)
{
	return good_length;
}

uint32_t frame_seal(uint8_t *frame, uint32_t bytes)
{
	const uint32_t start = platform_clock();

	wire_put32(frame + bytes, crc32_update(CRC32_EMPTY, frame, bytes));
	stats[QCLIF_STAT_TX_CLOCKS] += platform_clock() - start;
	return bytes + QCLIF_CRC_BYTES;
}

/* Wait until the transmit FIFO has room; the clocks spent in it. */
static uint32_t await_space(uint32_t *space, uint32_t bytes)
{
	*space = platform_transmit_space();
	if (*space >= bytes)
		return 0;

	const uint32_t start = platform_clock();
	while (*space < bytes)
		*space = platform_transmit_space();
	return platform_clock() - start;
}

void frame_send(const uint8_t *frame, uint32_t bytes)
{
	uint32_t start = platform_clock();
	const uint8_t *const end = frame + bytes;
	uint32_t space = 0;
	uint32_t sent = 1;

	for (;;) {
		const uint8_t *const limit = (uint32_t)(end - frame) > BLOCK_MAX ? frame + BLOCK_MAX : end;
		const uint8_t *stop = frame;
		while (stop != limit && *stop)
			stop++;

		/* The length byte, the block and, after the last one, the zero. */
		const uint32_t count = (uint32_t)(stop - frame);
		if (space < count + 2)
			start += await_space(&space, count + 2);
		space -= count + 1;
		sent += count + 1;
		platform_transmit((uint8_t)(count + 1));
		while (frame != stop)
			platform_transmit(*frame++);
		if (frame == end)
			break;
		/* A block that is not full stands for the zero that ended it. */
		if (count != BLOCK_MAX)
			frame++;
	}
	platform_transmit(0);
	stats[QCLIF_STAT_TX_BYTES] += sent;
	stats[QCLIF_STAT_TX_FRAMES]++;
	stats[QCLIF_STAT_TX_CLOCKS] += platform_clock() - start;
}
