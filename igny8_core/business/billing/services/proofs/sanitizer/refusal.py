class Refused(Exception):
    """The file is refused. `reason` is one of the words for which proofs/files.py has sentences."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
