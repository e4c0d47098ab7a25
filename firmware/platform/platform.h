/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* What the firmware needs of the hardware: frames, a clock and, for the CPU engine, RAM; SDRAM, where there is some. */

#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include <generated/csr.h>
#include <generated/mem.h>
#include <generated/soc.h>

#define PLATFORM_CLOCK_HZ ((uint32_t)CONFIG_CLOCK_FREQUENCY)

#ifdef CSR_QCLIF_BASE
#define PLATFORM_WITH_ACCEL
#define PLATFORM_ACCEL ((struct qclif *)CSR_QCLIF_BASE)
#ifdef CSR_QCLIF_READER_START_ADDR
#define PLATFORM_WITH_DMA
#endif
#ifdef CSR_QCLIF_FIRED_ADDR
#define PLATFORM_WITH_CAMERA
#endif
#endif

#ifdef MAIN_RAM_BASE
#define PLATFORM_RAM       ((uint32_t *)MAIN_RAM_BASE)
#define PLATFORM_RAM_BYTES ((uint32_t)MAIN_RAM_SIZE)
#endif

/* SDRAM holds the large variables where block RAM is short. */
#ifdef SDRAM_BASE
#define PLATFORM_WITH_SDRAM

/* Initialise it, test it where the variables are, and clear them: before anything else uses one. False: it fails. */
bool sdram_start(void);
#else
static inline bool sdram_start(void)
{
	return true;
}
#endif

/* Frames: the memory of those that were received, and of those to send. */
#define PLATFORM_FRAMES_RECEIVED ((const uint8_t *)FRAMES_RECEIVED_BASE)
#define PLATFORM_FRAMES_TO_SEND  ((uint8_t *)FRAMES_TO_SEND_BASE)
#define PLATFORM_SEND_QUEUE      ((uint32_t)CONFIG_FRAMES_QUEUE)

/* The oldest received frame, as a word of its result, length and start. */
#define PLATFORM_FRAME_RESULT_AT   CSR_FRAMES_FRAME_RESULT_OFFSET
#define PLATFORM_FRAME_RESULT_MASK ((1u << CSR_FRAMES_FRAME_RESULT_SIZE) - 1)
#define PLATFORM_FRAME_LENGTH_AT   CSR_FRAMES_FRAME_LENGTH_OFFSET
#define PLATFORM_FRAME_LENGTH_MASK ((1u << CSR_FRAMES_FRAME_LENGTH_SIZE) - 1)
#define PLATFORM_FRAME_START_AT    CSR_FRAMES_FRAME_START_OFFSET

static inline uint32_t platform_frame(void)
{
	return frames_frame_read();
}

static inline void platform_frame_release(void)
{
	frames_frame_write(0);
}

/* Frames that were sent since reset, modulo 2^16. */
static inline uint16_t platform_sent(void)
{
	return (uint16_t)frames_sent_read();
}

static inline void platform_send(uint32_t start, uint32_t length, bool plain)
{
	frames_send_write(start << CSR_FRAMES_SEND_START_OFFSET | length << CSR_FRAMES_SEND_LENGTH_OFFSET |
	                  (uint32_t)plain << CSR_FRAMES_SEND_PLAIN_OFFSET);
}

/* Bytes of the line since reset, modulo 2^32. */
static inline uint32_t platform_bytes_received(void)
{
	return frames_bytes_received_read();
}

static inline uint32_t platform_bytes_sent(void)
{
	return frames_bytes_sent_read();
}

static inline uint32_t platform_bytes_lost(void)
{
	return frames_overflows_read();
}

#ifdef PLATFORM_WITH_ACCEL
static inline void platform_start(void)
{
}

static inline uint32_t platform_clock(void)
{
	return qclif_clock_read();
}
#else
/* Without the accelerator's clock, LiteX's timer counts down from 2^32 - 1. */
static inline void platform_start(void)
{
	timer0_en_write(0);
	timer0_load_write(UINT32_MAX);
	timer0_reload_write(UINT32_MAX);
	timer0_en_write(1);
}

static inline uint32_t platform_clock(void)
{
	timer0_update_value_write(1);
	return ~timer0_value_read();
}
#endif

#endif
