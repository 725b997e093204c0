"""`python -m bot mcp`: questions from programs that speak the Model Context Protocol."""
