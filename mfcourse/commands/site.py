"""`mfcourse site`: build the website, or read it in a browser."""

import sys
from contextlib import suppress

from mfcourse.commands.reading import place, whole_number


def add(commands):
    """What may be typed."""
    parser = commands.add_parser(
        "site",
        help="build the website of the course, or read it in a browser",
        description="build: make the website from the notebooks and book/, in a clone with the extra book. "
        "serve: show it in a browser, where the live demos run; builds it first if it is missing.",
        epilog="Example: mfcourse site serve",
    )
    parser.add_argument("action", choices=["build", "serve"], help="what to do")
    parser.add_argument(
        "--out", type=place, default="build/site", metavar="DIR", help="folder of the site (default build/site)"
    )
    port = whole_number(0, 65535, "there are no more ports")
    parser.add_argument("--port", type=port, default=8000, help="for serve (default 8000; 0: any free one)")
    parser.set_defaults(run=site, extra="[book]")


def site(arguments):
    """Build the website, or serve it until Ctrl-C."""
    from mfcourse.site import build
    from mfcourse.site.serve import server

    if arguments.action == "build" or not build.is_site(arguments.out):
        code = build.build(arguments.out)
        if code:
            print("mfcourse: the site was not built, the lines above say why", file=sys.stderr)
            return code
        print(f"The site: {arguments.out}")
    if arguments.action == "serve":
        with server(arguments.out, arguments.port) as running, suppress(KeyboardInterrupt):
            print(f"Read it at http://127.0.0.1:{running.server_port}/ (Ctrl-C ends)", flush=True)
            running.serve_forever()
    return 0
