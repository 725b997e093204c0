"""The running bot: its start and end, its replacement at a reload, and systemd."""
