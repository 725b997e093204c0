"""What people and schedules can request from the bot."""
