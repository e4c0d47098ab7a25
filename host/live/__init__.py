# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause
