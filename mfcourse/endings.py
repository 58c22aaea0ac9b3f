"""Processes end together: SIGTERM ends a command like Ctrl-C, and workers end with the process that started them."""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time

LOOK = 0.5  # seconds between two looks at the parent


class Terminated(KeyboardInterrupt):
    """SIGTERM: somebody, or a scheduler, asks this process to end."""


@contextlib.contextmanager
def terminable():
    """Within it SIGTERM raises Terminated in the main thread, unless the caller has other plans for that signal."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def end_with_parent():
    """What a worker does first: from now on it ends when its parent does, however that ends, even by SIGKILL.

    Otherwise it would wait for work for ever, and keep its parent's output open.
    """
    threading.Thread(target=_watch, args=(multiprocessing.parent_process(),), daemon=True).start()


def _watch(parent):
    if parent.sentinel is None:  # joblib's workers on Linux and macOS; there an orphan gets another parent
        while os.getppid() == parent.pid:
            time.sleep(LOOK)
    else:
        multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)


def _terminate(number, frame):
    raise Terminated
