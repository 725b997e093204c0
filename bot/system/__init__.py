"""What the bot uses of its machine: private files, a thread for computing, a terminal."""
