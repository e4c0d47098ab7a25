/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * Writes and reads the memories of the Verilated core: 32-bit words in on stdin, 32-bit words out on stdout.
 *
 * In:  number of accesses, then for each of them write (0 or 1), space, address, and the word to write.
 * Out: the words that were read.
 */

#include "Vqclif_core.h"
#include "words.h"

int main(void)
{
    Vqclif_core top;

    top.sys_rst = 1;
    clock_top(top);
    top.sys_rst = 0;
    for (uint32_t accesses = next_word(); accesses; accesses--) {
        const bool write = next_word();

        top.memory_write = write;
        top.memory_read  = !write;
        set_port(top.memory_space);
        set_port(top.memory_address);
        set_port(top.memory_data_w);
        clock_top(top);
        if (!write)
            put_port(top.memory_data_r);
    }
    return write_words();
}
