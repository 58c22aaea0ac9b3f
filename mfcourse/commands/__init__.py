"""The command line: mfcourse reproduce | certify | lab | site | labs | doctor.

One module for each command: `add` says what may be typed, the function it names does it and returns an exit code. Only
these modules talk; `reading` is how all of them read numbers, letters and places. A new command is a module here, and
a name in COMMANDS.
"""

import sys

from mfcourse import __version__
from mfcourse.commands import certify, doctor, lab, labs, reproduce, site
from mfcourse.commands.reading import Parser
from mfcourse.endings import Terminated, terminable

COMMANDS = (reproduce, certify, lab, site, labs, doctor)
NAMES = [command.__name__.split(".")[-1] for command in COMMANDS]


def build_parser():
    """The parser of all commands; its help texts are the manual."""
    parser = Parser(
        prog="mfcourse",
        description="Watch gradient descent on particles find a global minimum, and check it with a certificate.",
        epilog="Start with `mfcourse reproduce figure1`, then `mfcourse lab` for the notebooks.",
    )
    parser.add_argument("--version", action="version", version=f"mfcourse {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


def main(argv=None):
    """Run the command line; returns the exit code.

    0 if all went well, 2 for bad input (one line says which), 130 for Ctrl-C and 143 for SIGTERM, as shells have it.
    """
    sys.stdout.reconfigure(errors="replace")  # a name that the terminal cannot show is no reason to fail
    argv = list(sys.argv[1:] if argv is None else argv)
    options = argv[argv.index("--") + 1 :] if "--" in argv else []
    parser = build_parser()
    arguments = parser.parse_args(argv[: argv.index("--")] if "--" in argv else argv)
    if arguments.command is None:
        parser.error(f"a command is needed: {', '.join(NAMES[:-1])} or {NAMES[-1]}")
    arguments.options = options
    if options and arguments.command != "lab":
        parser.error(f"only lab takes options after --, not {arguments.command}")
    try:
        with terminable():
            return arguments.run(arguments)
    except KeyboardInterrupt as ending:
        word, code = ("terminated", 143) if isinstance(ending, Terminated) else ("interrupted", 130)
        print("; ".join([f"mfcourse: {word}", *map(str, ending.args)]), file=sys.stderr)
        return code
    except ImportError as error:
        wanted = "." if "extra" not in arguments else f'".{arguments.extra}"'
        print(
            f"mfcourse: {error}; `{sys.executable} -m pip install -e {wanted}` in the clone mends it", file=sys.stderr
        )
        return 2
    except MemoryError:
        print("mfcourse: this needs more memory than there is; ask for fewer particles", file=sys.stderr)
        return 2
    except OSError as error:
        words = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        print(f"mfcourse: {' '.join(words.split())}", file=sys.stderr)
        return 2
    except (ValueError, ArithmeticError, RuntimeError) as error:
        print(f"mfcourse: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
