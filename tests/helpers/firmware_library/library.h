/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Entry points of the firmware as a library. */

#ifndef LIBRARY_H
#define LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reset, as the board's button does it; RAM keeps its content. */
void library_reset(void);

/* Hand over received bytes, run until all are taken, and return how many bytes were sent.
   `sent` must have room for every answer: the transmit FIFO of the host never drains. */
size_t library_exchange(const uint8_t *received, size_t received_bytes, uint8_t *sent, size_t sent_bytes);

/* What platform_clock() tells next. */
extern uint32_t library_clocks;

/* With an accelerator: who stands for its registers, and what the driver has as inline functions only. */
typedef uint32_t library_get(uintptr_t address);
typedef void library_set(uintptr_t address, uint32_t value);
struct qclif;

void library_registers(library_get *reads, library_set *writes);

/* Push a step and take its spikes. False: there was no room. */
bool library_step(struct qclif *q, const uint16_t *sources, uint32_t count, uint16_t *neurons, uint32_t most,
                  uint32_t *spikes);
void library_reset_accelerator(struct qclif *q);
uint32_t library_errors(const struct qclif *q);
bool library_busy(const struct qclif *q);
void library_interrupt_on(struct qclif *q, uint32_t events);
uint32_t library_interrupts(struct qclif *q);

#endif
