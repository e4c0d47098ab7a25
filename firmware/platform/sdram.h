/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* SDRAM that holds the large variables where block RAM is short. */

#ifndef SDRAM_H
#define SDRAM_H

#include <stdbool.h>

#include "platform.h"

#ifdef PLATFORM_WITH_SDRAM
/* Initialise it, test it where the variables are, and clear them: before anything else uses one. False: it fails. */
bool sdram_start(void);
#else
static inline bool sdram_start(void)
{
	return true;
}
#endif

#endif
