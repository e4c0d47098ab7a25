/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* What soc/frames.py does, for one frame each way at a time. */

#ifndef FRAMES_H
#define FRAMES_H

#include <stddef.h>
#include <stdint.h>

void frames_start(void);

/* A byte of the line. */
void frames_receive(uint8_t byte);

/* What is sent from now on goes there, and how much of it there is. */
void frames_send_to(uint8_t *bytes, size_t count);
size_t frames_sent_bytes(void);

#endif
