/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Link and timing counters since boot, as STATS reports them; index QCLIF_STAT_*. */

#ifndef STATS_H
#define STATS_H

#include <stdint.h>

#include <generated/qclif_protocol.h>

extern uint32_t stats[QCLIF_STAT_COUNT];

#endif
