"""What the SoC is built for: simulation, FPGA boards, ASIC."""
