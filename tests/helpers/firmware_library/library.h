/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Entry points of the firmware as a library. */

#ifndef LIBRARY_H
#define LIBRARY_H

#include <stddef.h>
#include <stdint.h>

/* Reset, as the board's button does it; RAM keeps its content. */
void library_reset(void);

/* Hand over received bytes, run until all are taken, and return how many bytes were sent.
   `sent` must have room for every answer: the transmit FIFO of the host never drains. */
size_t library_exchange(const uint8_t *received, size_t received_bytes, uint8_t *sent, size_t sent_bytes);

#endif
