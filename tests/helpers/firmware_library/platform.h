/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The firmware as a library of the host: bytes come from and go to buffers, the clock counts its reads. What the SoC's
   gateware does with frames is done by frames.c. */

#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#define PLATFORM_CLOCK_HZ  1000000u
#define PLATFORM_RAM_BYTES (16u << 20)

#ifdef LIBRARY_WITH_ACCEL
#define PLATFORM_WITH_ACCEL
#define PLATFORM_ACCEL ((struct qclif *)0x1000)
#endif

extern uint32_t platform_ram[PLATFORM_RAM_BYTES / 4];
#define PLATFORM_RAM platform_ram

void platform_start(void);
uint32_t platform_clock(void);

/* Frames. */
extern uint8_t frames_received[];
extern uint8_t frames_to_send[];
#define PLATFORM_FRAMES_RECEIVED ((const uint8_t *)frames_received)
#define PLATFORM_FRAMES_TO_SEND  frames_to_send
#define PLATFORM_SEND_QUEUE      32u

#define PLATFORM_FRAME_RESULT_AT   0
#define PLATFORM_FRAME_RESULT_MASK 3u
#define PLATFORM_FRAME_LENGTH_AT   2
#define PLATFORM_FRAME_LENGTH_MASK 0x3fffu
#define PLATFORM_FRAME_START_AT    16

uint32_t platform_frame(void);
void platform_frame_release(void);
uint16_t platform_sent(void);
void platform_send(uint32_t start, uint32_t length, bool plain);
uint32_t platform_bytes_received(void);
uint32_t platform_bytes_sent(void);
uint32_t platform_bytes_lost(void);

#endif
