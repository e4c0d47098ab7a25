#
# This file is part of the qCLIF SoC.
#
# SPDX-License-Identifier: BSD-2-Clause

"""What goes wrong for a user, as one line that names the value, the limit and the remedy."""


class QCLIFError(Exception):
    """An error whose text is meant for the user: commands print it and fail."""
