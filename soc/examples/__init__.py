"""SoCs of LiteX's with the accelerator, one a file."""
