"""`upswarm-server`, and `python -m upswarm_server`: signals are heeded before anything that takes time is imported."""

import sys

from upswarm.pid_one import heed_sigterm


def main() -> int:
    """The console script."""
    heed_sigterm()
    from upswarm_server.serve import main as serve  # noqa: PLC0415 (not before)

    return serve()


if __name__ == "__main__":
    sys.exit(main())
