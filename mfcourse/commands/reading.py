"""Reading the command line: errors of one line, lists of numbers, letters, places."""

import argparse

MOST = 10_000  # numbers in a range


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message):
        """Print the message as one line and exit with code 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}; `{self.prog} --help` shows what is possible\n")


def whole_number(least, most=None, reason=""):
    """A reader of one whole number >= least; if there is a `most`, the reason says why, before anything is tried."""

    def read(text):
        if not (text.isdecimal() and len(text) <= 9 and int(text) >= least):
            raise argparse.ArgumentTypeError(f"{text!r:.40} must be a whole number >= {least}, of 9 digits at most")
        if most is not None and int(text) > most:
            raise argparse.ArgumentTypeError(f"{text} is too large, it must be {most} at most: {reason}")
        return int(text)

    return read


def whole_numbers(least, most=None, reason=""):
    """A reader of lists of such numbers: 7, 0-4 or 0,1,4,5, repetitions dropped."""
    one = whole_number(least, most, reason)

    def read(text):
        numbers = []
        for part in text.split(","):
            first, dash, last = part.partition("-")
            start, end = one(first), one(last if dash else first)
            if not start <= end < start + MOST:
                raise argparse.ArgumentTypeError(f"{part!r} must go upwards, and hold at most {MOST} numbers")
            numbers += range(start, end + 1)
        return list(dict.fromkeys(numbers))

    return read


PROCESSES = whole_number(1, 256, "each is a process of its own")


def letter(text):
    """A reader of the letter of a lab."""
    if not (len(text) == 1 and text.isalpha()):
        raise argparse.ArgumentTypeError(f"{text!r:.40} must be the letter of a lab, such as A")
    return text.upper()


def letters(text):
    """A reader of letters of labs: A, or A,C."""
    return [letter(part) for part in text.split(",")]


def place(text):
    """A reader of the name of a file or folder: an empty one would stand for the folder one happens to be in."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"{text!r} must name a file or a folder; a dot is the folder you are in")
    return text
