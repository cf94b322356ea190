"""Marks a sentence that is translated later, where it is shown (docs/languages.md)."""


def gettext_noop(sentence: str) -> str:
    """The sentence as it is. bin/texts.py finds it.

    Django's function of this name reads the settings, and some of these sentences stand in what the settings import:
    they would be taken as loaded before they are, and a variable that is missing would stop nothing.
    """
    return sentence
