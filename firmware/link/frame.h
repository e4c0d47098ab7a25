/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Frames: what the gateware received of them, and what it sends. It does COBS and CRC. */

#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "platform.h"

/* A received frame: header and payload, at a multiple of four. */
struct frame {
	uint32_t result; /* QCLIF_FRAME_*; all but GOOD have no bytes */
	const uint8_t *data;
	uint32_t length;
};

/* The oldest frame, which stays until it is released. */
struct frame frame_receive(void);
void frame_release(void);

/* A place in the memory that frames are sent from, to which the CPU only writes. */
struct frame_place {
	uint8_t *data;
	uint32_t length; /* header and payload */
	uint16_t ticket; /* number of the last frame that was sent from here */
};

/* Wait until its bytes may be written. */
void frame_await(const struct frame_place *place);

/* Send what is there, once more, too. */
void frame_send(struct frame_place *place);

/* Send text as it is, with a zero behind it, and wait until it is sent. */
void frame_say(const char *text);

#endif
