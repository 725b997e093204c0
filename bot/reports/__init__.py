"""Facts become numbers and findings here. Pure: no clock, no network, no Slack."""
