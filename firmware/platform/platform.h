/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* What the firmware needs of the hardware: bytes, a clock and, for the CPU engine, RAM; SDRAM, where there is some. */

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

/* Set in platform_receive()'s word where it holds a byte. */
#define PLATFORM_RECEIVED (1u << CSR_UART_RXWORD_VALID_OFFSET)

/* The oldest byte, without taking it. */
static inline uint32_t platform_receive(void)
{
	return uart_rxword_read();
}

static inline void platform_receive_taken(void)
{
	uart_rxword_write(0);
}

static inline uint32_t platform_receive_overflows(void)
{
	return uart_rxoverflows_read();
}

static inline uint32_t platform_transmit_space(void)
{
	return uart_txspace_read();
}

static inline void platform_transmit(uint8_t byte)
{
	uart_rxtx_write(byte);
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
