/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/* Clocks the module `gated`: number of clocks, then d and en of each; gives q and held before each clock's edge. */

#include "Vgated.h"
#include "words.h"

int main(void)
{
    Vgated top;

    for (uint32_t clocks = next_word(); clocks; clocks--) {
        set_port(top.d);
        set_port(top.en);
        top.sys_clk = 0;
        top.eval();
        put_port(top.q);
        put_port(top.held);
        top.sys_clk = 1;
        top.eval();
    }
    return write_words();
}
