/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "frames.h"

#include <generated/qclif_config.h>
#include <generated/qclif_protocol.h>

#include "crc32.h"
#include "platform.h"
#include "wire.h"

#define BLOCK_MAX 254u
#define OVERSIZE  (QCLIF_FRAME_BYTES + 1)

uint8_t frames_received[OVERSIZE + 1];
uint8_t frames_to_send[QCLIF_SEND_BYTES];

/* Of the frame that is being received; `word` is what the register tells. */
static uint32_t length, block;
static bool zero_owed;
static uint32_t word;

static uint32_t received_bytes;
static uint32_t sent_bytes;
static uint16_t sent_frames;
static uint8_t *output, *output_begin, *output_end;

void frames_start(void)
{
	crc32_start();
	length = block = word = 0;
	zero_owed = false;
}

static void store(uint8_t byte)
{
	frames_received[length] = byte;
	length += length < OVERSIZE;
}

static uint32_t verdict(void)
{
	if (length == 0 && block == 0)
		return QCLIF_FRAME_NONE;
	if (length == OVERSIZE)
		return QCLIF_FRAME_OVERSIZE;
	if (block != 0 || length < QCLIF_OVERHEAD_BYTES)
		return QCLIF_FRAME_BAD;
	length -= QCLIF_CRC_BYTES;
	if (crc32_update(CRC32_EMPTY, frames_received, length) != wire_get32(frames_received + length))
		return QCLIF_FRAME_BAD;
	return QCLIF_FRAME_GOOD | length << PLATFORM_FRAME_LENGTH_AT;
}

void frames_receive(uint8_t byte)
{
	received_bytes++;
	if (byte == 0) {
		word = verdict();
		length = block = 0;
		zero_owed = false;
	} else if (block != 0) {
		store(byte);
		block--;
	} else {
		if (zero_owed)
			store(0);
		block = byte - 1u;
		zero_owed = block != BLOCK_MAX;
	}
}

uint32_t platform_frame(void)
{
	return word;
}

void platform_frame_release(void)
{
	word = 0;
}

static void transmit(uint8_t byte)
{
	if (output == output_end)
		__builtin_trap();
	*output++ = byte;
	sent_bytes++;
}

void platform_send(uint32_t start, uint32_t bytes, bool plain)
{
	uint8_t frame[QCLIF_FRAME_BYTES];
	uint32_t total = bytes;

	for (uint32_t i = 0; i < bytes; i++)
		frame[i] = frames_to_send[start + i];
	if (!plain) {
		wire_put32(frame + bytes, crc32_update(CRC32_EMPTY, frame, bytes));
		total += QCLIF_CRC_BYTES;
	}
	for (uint32_t at = 0;;) {
		uint32_t count = 0;
		while (at + count != total && count != BLOCK_MAX && (plain || frame[at + count] != 0))
			count++;
		if (!plain)
			transmit((uint8_t)(count + 1));
		for (uint32_t i = 0; i < count; i++)
			transmit(frame[at + i]);
		at += count;
		if (at == total)
			break;
		/* A block that is not full stands for the zero that ended it. */
		at += count != BLOCK_MAX;
	}
	transmit(0);
	sent_frames++;
}

uint16_t platform_sent(void)
{
	return sent_frames;
}

uint32_t platform_bytes_received(void)
{
	return received_bytes;
}

uint32_t platform_bytes_sent(void)
{
	return sent_bytes;
}

uint32_t platform_bytes_lost(void)
{
	return 0;
}

void frames_send_to(uint8_t *bytes, size_t count)
{
	output = output_begin = bytes;
	output_end = bytes + count;
}

size_t frames_sent_bytes(void)
{
	return (size_t)(output - output_begin);
}
