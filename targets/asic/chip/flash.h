/* This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause */

#ifndef QCLIF_CHIP_FLASH_H
#define QCLIF_CHIP_FLASH_H

#include <cstdint>
#include <vector>

/*
 * An SPI flash (mode 0) that is asleep at first. It takes the two commands that the loader of soc/boot.py gives: the end
 * of the sleep, after which it is deaf for a time, and READ; where it has no data it is erased.
 */
class Flash {
public:
    // wake_clocks: from the end of the sleep to the first command that is heard, in calls of clock().
    Flash(const std::vector<uint8_t> &content, uint64_t wake_clocks) : content(content), wake_clocks(wake_clocks) {}

    // One clock of the chip: the levels of its pads. Returns the level of miso after it.
    bool clock(bool cs_n, bool clk, bool mosi)
    {
        now++;
        if (cs_n) {
            if (bits == 8 && command == WAKE && !awake)
                awake = now + wake_clocks;
            bits  = command = address = 0;
            heard = awake && now >= awake;
        } else if (clk && !level) {
            if (bits < 8)
                command = command << 1 | mosi;
            else if (bits < 32)
                address = address << 1 | mosi;
            bits++;
        } else if (!clk && level && bits >= 32) {
            const uint64_t bit = 8*uint64_t(address) + bits - 32;
            const bool has     = heard && command == READ && bit/8 < content.size();
            miso = has ? content[bit/8] >> (7 - bit % 8) & 1 : true;
        }
        level = clk;
        return miso;
    }

private:
    static const uint8_t WAKE = 0xab, READ = 0x03;

    const std::vector<uint8_t> content;
    const uint64_t wake_clocks;
    uint64_t now = 0, awake = 0, bits = 0;
    uint32_t address = 0;
    uint8_t command = 0;
    bool heard = false, level = false, miso = true;
};

#endif
