"""The console as operators see it in their browsers."""
