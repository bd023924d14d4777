"""A port for a test's own server.

gradio's search from 7860 drops an unclosed socket at each port that another test's server holds, and a warning is an
error here: a suite in two processes failed by it, whenever both served at once.
"""

import socket


def free_port() -> int:
    """One that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
