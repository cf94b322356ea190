"""The sanitizer: redraws untrusted files in a child process (child.py) that imports nothing of the application."""
