/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* The driver's registers are functions of the test: included before everything else. */

#ifndef REGISTERS_H
#define REGISTERS_H

#include <stddef.h>
#include <stdint.h>

struct qclif;

uint32_t register_get(const struct qclif *q, size_t offset);
void register_set(struct qclif *q, size_t offset, uint32_t value);

#define QCLIF_GET(q, name)        register_get(q, offsetof(struct qclif, name))
#define QCLIF_SET(q, name, value) register_set(q, offsetof(struct qclif, name), value)

#endif
