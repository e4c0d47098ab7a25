/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The link's state machine: session, sequence, stored answers. It keeps no time: the host does. And what is counted. */

#ifndef LINK_H
#define LINK_H

#include <stdint.h>

#include <generated/qclif_protocol.h>

/* Link and timing counters since boot, as STATS reports them; index QCLIF_STAT_*. */
extern uint32_t stats[QCLIF_STAT_COUNT];

/* As after reset: no session. */
void link_start(void);

/* Take what was received and answer it. */
void link_poll(void);

/* To be called in long computations: tells the host from time to time that the request is in work. */
void link_busy(void);

#endif
