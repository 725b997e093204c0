"""HTTP ports, and the log lines that strangers can cause at them."""
