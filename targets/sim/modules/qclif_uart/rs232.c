/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#include <string.h>

#include "rs232.h"

#define SECOND UINT64_C(1000000000000000) /* Femtoseconds. */

#define SAMPLES 10 /* Of a byte, with its start and stop bits. */

void rs232_start(struct rs232_sender *sender, struct rs232_receiver *receiver, uint32_t baudrate)
{
	memset(sender, 0, sizeof(*sender));
	memset(receiver, 0, sizeof(*receiver));
	sender->bit   = receiver->bit = SECOND/baudrate;
	sender->level = 1;
}

int rs232_free(const struct rs232_sender *sender, uint64_t now)
{
	return sender->shift == 0 || (sender->shift == 1 && now >= sender->due);
}

int rs232_send(struct rs232_sender *sender, uint64_t now, int byte)
{
	if (rs232_free(sender, now)) {
		/* Bytes that follow each other do so at the line's pace, whenever this is called. */
		if (sender->shift == 0)
			sender->due = now;
		sender->shift = byte == RS232_NONE ? 0 : 3u << 9 | (uint32_t)byte << 1;
	}
	if (sender->shift > 1 && now >= sender->due) {
		sender->level   = sender->shift & 1;
		sender->shift >>= 1;
		sender->due    += sender->bit;
	}
	return sender->level;
}

int rs232_receive(struct rs232_receiver *receiver, uint64_t now, int level)
{
	const int before = receiver->level;

	receiver->level = level;
	if (receiver->count == 0) {
		if (before && !level) {
			receiver->due   = now + receiver->bit/2;
			receiver->byte  = 0;
			receiver->count = 1;
		}
		return RS232_NONE;
	}
	if (now < receiver->due)
		return RS232_NONE;

	const int sample = receiver->count++;
	receiver->due += receiver->bit;
	if (sample == 1) {
		if (!level)
			return RS232_NONE;
		receiver->count = 0;
		return RS232_FRAMING;
	}
	if (sample < SAMPLES) {
		receiver->byte |= level << (sample - 2);
		return RS232_NONE;
	}
	/* In the middle of the stop bit, so that a byte of a faster sender is not missed. */
	receiver->count = 0;
	return receiver->byte | (level ? 0 : RS232_FRAMING);
}
