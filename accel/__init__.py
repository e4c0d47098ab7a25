"""The qCLIF accelerator: configuration, core and LiteX peripheral."""
