/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The link's state machine: session, sequence, stored answers. It keeps no time: the host does. */

#ifndef LINK_H
#define LINK_H

/* As after reset: no session. */
void link_start(void);

/* Take what was received and answer it. */
void link_poll(void);

/* To be called in long computations: tells the host from time to time that the request is in work. */
void link_busy(void);

#endif
