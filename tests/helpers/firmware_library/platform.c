/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "platform.h"

#include <stddef.h>

#include "device.h"
#include "library.h"
#include "link.h"

uint32_t platform_ram[PLATFORM_RAM_BYTES / 4];

static const uint8_t *input;
static const uint8_t *input_end;
static uint8_t *output;
static uint8_t *output_end;
static uint32_t clocks;

void platform_start(void)
{
}

uint32_t platform_receive(void)
{
	return input == input_end ? 0 : PLATFORM_RECEIVED | *input;
}

void platform_receive_taken(void)
{
	input++;
}

uint32_t platform_receive_overflows(void)
{
	return 0;
}

uint32_t platform_transmit_space(void)
{
	return (uint32_t)(output_end - output);
}

void platform_transmit(uint8_t byte)
{
	*output++ = byte;
}

uint32_t platform_clock(void)
{
	return clocks++;
}

void library_reset(void)
{
	device_start();
	link_start();
}

size_t library_exchange(const uint8_t *received, size_t received_bytes, uint8_t *sent, size_t sent_bytes)
{
	input = received;
	input_end = received + received_bytes;
	output = sent;
	output_end = sent + sent_bytes;
	while (input != input_end)
		link_poll();
	return (size_t)(output - sent);
}
