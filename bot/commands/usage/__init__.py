"""`/usage`: how much log data an account sends."""
