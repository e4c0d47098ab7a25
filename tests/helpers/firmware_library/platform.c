/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include "platform.h"

#include <stddef.h>

#include "device.h"
#include "frames.h"
#include "library.h"
#include "link.h"

uint32_t platform_ram[PLATFORM_RAM_BYTES / 4];

uint32_t library_clocks;

void platform_start(void)
{
}

uint32_t platform_clock(void)
{
	return library_clocks++;
}

void library_reset(void)
{
	frames_start();
	device_start();
	link_start();
}

size_t library_exchange(const uint8_t *received, size_t received_bytes, uint8_t *sent, size_t sent_bytes)
{
	frames_send_to(sent, sent_bytes);
	for (size_t i = 0; i < received_bytes; i++) {
		frames_receive(received[i]);
		link_poll();
	}
	return frames_sent_bytes();
}
