"""Decoders of strangers' files. They run in a process of their own (child.py) and import nothing of the application."""
