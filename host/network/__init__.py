"""Networks of the contract: their file, the golden model, random ones, the readout."""
