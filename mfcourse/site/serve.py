"""Show a built site in a browser: a server for this machine only."""

import functools
import http.server
import os
import sys


def server(folder, port):
    """A server of the site in `folder`, for this machine only, at `port` (0: any free one): call its serve_forever.

    Raises ValueError if the port cannot be had.
    """
    try:
        return _Server(("127.0.0.1", port), functools.partial(_Handler, directory=folder))
    except (OSError, OverflowError) as error:
        raise ValueError(f"--port must be a free port, but {port}: {error}") from None


class _Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = os.name != "nt"  # on Windows that would let two servers have one port

    def handle_error(self, request, client_address):
        """A browser that goes away in the middle is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Knows two types that some Windows machines do not; keeps nothing, since a site may be built anew; is quiet."""

    types = {".js": "text/javascript", ".css": "text/css"}  # noqa: RUF012
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | types

    def end_headers(self):
        """A browser asks each time whether a file is still the same."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *arguments):
        """A reader needs no list of requests."""
