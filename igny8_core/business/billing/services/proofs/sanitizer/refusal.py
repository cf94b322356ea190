class Refused(Exception):
    """The file is not taken. `reason` is one of the words that proof_files.py has sentences for."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
