"""The sanitizer: strangers' files are painted anew, in a process (child.py) that imports nothing of the application."""
