/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* What the device does for each request of the link. */

#ifndef DEVICE_H
#define DEVICE_H

#include <stdint.h>

/* As after reset: no network. */
void device_start(void);

/* A new session begins; write the answer to HELLO and return its bytes. */
uint32_t device_hello(uint32_t previous_session, uint8_t *answer);

/* Execute a request; write the answer (status first) and return its bytes, which fit in a frame. */
uint32_t device_execute(uint8_t type, const uint8_t *payload, uint32_t length, uint8_t *answer);

#endif
