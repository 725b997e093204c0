"""Several real processes of the bot on one database, while processes and the database fail."""
