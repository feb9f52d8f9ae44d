"""What runs under pythonia? One function."""


def echo(text):
    """Give the text back."""
    return text
