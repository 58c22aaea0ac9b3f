"""Reading the command line: errors of one line, lists of numbers, letters."""

import argparse

MOST = 10_000  # numbers in a range


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message):
        """Print the message as one line and exit with code 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}; `{self.prog} --help` shows what is possible\n")


def whole_number(least):
    """A reader of one whole number >= least."""

    def read(text):
        if not (text.isdecimal() and len(text) <= 9 and int(text) >= least):
            raise argparse.ArgumentTypeError(f"{text!r:.40} must be a whole number >= {least}, of 9 digits at most")
        return int(text)

    return read


def whole_numbers(least):
    """A reader of lists of whole numbers >= least: 7, 0-4 or 0,1,4,5, repetitions dropped."""
    one = whole_number(least)

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


def letter(text):
    """A reader of the letter of a lab."""
    if not (len(text) == 1 and text.isalpha()):
        raise argparse.ArgumentTypeError(f"{text!r:.40} must be the letter of a lab, such as A")
    return text.upper()


def letters(text):
    """A reader of letters of labs: A, or A,C."""
    return [letter(part) for part in text.split(",")]
