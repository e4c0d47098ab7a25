/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The firmware as a library of the host: bytes come from and go to buffers, the clock counts its reads. */

#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdint.h>

#define PLATFORM_CLOCK_HZ  1000000u
#define PLATFORM_RECEIVED  0x100u
#define PLATFORM_RAM_BYTES (16u << 20)

#ifdef LIBRARY_WITH_ACCEL
#define PLATFORM_WITH_ACCEL
#define PLATFORM_ACCEL ((struct qclif *)0x1000)
#endif

extern uint32_t platform_ram[PLATFORM_RAM_BYTES / 4];
#define PLATFORM_RAM platform_ram

void platform_start(void);
uint32_t platform_receive(void);
void platform_receive_taken(void);
uint32_t platform_receive_overflows(void);
uint32_t platform_transmit_space(void);
void platform_transmit(uint8_t byte);
uint32_t platform_clock(void);

#endif
