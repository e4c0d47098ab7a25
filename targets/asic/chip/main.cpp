/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

/*
 * What is at the pads of the Verilated chip: a clock, an SPI flash, and the far end of the serial line. It does what it
 * is told on stdin, and time stands still meanwhile, so that a run is the same however fast whoever tells it is.
 *
 * Arguments: Hz of the clock, bits a second of the line, file with the content of the flash.
 *
 * In, a letter and 32-bit words, lowest byte first:
 *     w count bytes...   send these bytes over the line, behind those that wait
 *     p idle busy        number of the activity's phase from now on, and while the core computes
 *     t level            level of the pad `test`
 *     r                  reset the chip
 *     g clocks           go on until a byte has come over the line, so many clocks at most
 * Out, after each g: 64-bit words, clocks so far, clocks in which the core computed, bytes with wrong start or stop
 * bits, number of bytes that came; then these.
 */

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <vector>

#include "Vqclif_soc.h"
#include "flash.h"
#include "rs232.h"
#include "verilated.h"

// Of support.cpp.
extern "C" void qclif_phase(int phase);

static const uint64_t SECOND = UINT64_C(1000000000000000); // Femtoseconds, as rs232.h has them.

static const uint64_t RESET_CLOCKS = 16, WAKE_RATE = 333333; // A flash takes 3 us to wake up.

static uint32_t next_word(void)
{
    uint32_t word;

    if (fread(&word, sizeof word, 1, stdin) != 1)
        exit(1);
    return word;
}

class Chip {
public:
    Chip(uint64_t frequency, uint32_t baudrate, const std::vector<uint8_t> &content)
        : period(SECOND/frequency), flash(content, frequency/WAKE_RATE + 1)
    {
        rs232_start(&sender, &receiver, baudrate);
        top.spiflash_miso = top.serial_rx = 1;
        reset();
    }

    void reset(void)
    {
        top.rst_n = 0;
        for (uint64_t n = 0; n < RESET_CLOCKS; n++)
            clock();
        top.rst_n = 1;
    }

    void go_on(uint64_t most)
    {
        received.clear();
        for (uint64_t n = 0; n < most && received.empty(); n++)
            clock();
        const uint64_t words[] = {clocks, computing, framing, received.size()};
        fwrite(words, sizeof words[0], sizeof words/sizeof words[0], stdout);
        fwrite(received.data(), 1, received.size(), stdout);
        fflush(stdout);
    }

    std::deque<uint8_t> to_send;
    int idle = 0, busy = 0;
    Vqclif_soc top;

private:
    void clock(void)
    {
        const uint64_t now = period*clocks++;
        int byte           = RS232_NONE;

        if (!to_send.empty() && rs232_free(&sender, now)) {
            byte = to_send.front();
            to_send.pop_front();
        }
        top.serial_rx = rs232_send(&sender, now, byte);
        qclif_phase(top.busy ? busy : idle);
        top.sys_clk = 0;
        top.eval();
        top.sys_clk = 1;
        top.eval();
        computing        += top.busy;
        top.spiflash_miso = flash.clock(top.spiflash_cs_n, top.spiflash_clk, top.spiflash_mosi);
        // Before its reset the chip says anything.
        byte = top.rst_n ? rs232_receive(&receiver, now, top.serial_tx) : RS232_NONE;
        if (byte != RS232_NONE) {
            received.push_back(byte);
            framing += (byte & RS232_FRAMING) != 0;
        }
    }

    const uint64_t period;
    Flash flash;
    rs232_sender sender;
    rs232_receiver receiver;
    std::vector<uint8_t> received;
    uint64_t clocks = 0, computing = 0, framing = 0;
};

int main(int argc, char **argv)
{
    std::vector<uint8_t> content;
    FILE *file = argc == 4 ? fopen(argv[3], "rb") : NULL;

    if (!file) {
        fprintf(stderr, "chip simulation: the flash's content cannot be read\n");
        return 1;
    }
    for (int byte; (byte = getc(file)) != EOF;)
        content.push_back(byte);
    fclose(file);

    Chip chip(strtoull(argv[1], NULL, 10), strtoul(argv[2], NULL, 10), content);
    for (int letter; (letter = getchar()) != EOF;)
        switch (letter) {
        case 'w':
            for (uint32_t count = next_word(); count; count--)
                chip.to_send.push_back(getchar());
            break;
        case 'p':
            chip.idle = next_word();
            chip.busy = next_word();
            break;
        case 't':
            chip.top.test = next_word();
            break;
        case 'r':
            chip.reset();
            break;
        case 'g':
            chip.go_on(next_word());
            break;
        default:
            return 1;
        }
    return 0;
}
