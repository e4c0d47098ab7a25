"""The core as cells of an FPGA's family."""
