"""What people and clocks can ask of the bot."""
