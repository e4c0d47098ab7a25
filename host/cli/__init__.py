"""Options of the commands, and what they take where these leave something open."""
