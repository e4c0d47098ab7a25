"""FreePDK45: from the design's Verilog to gates, timing, power and layout."""
