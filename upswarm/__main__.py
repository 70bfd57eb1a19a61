"""`upswarm`, and `python -m upswarm`: signals are heeded before anything that takes time is imported."""

from upswarm.pid_one import heed_sigterm


def main() -> None:
    """The console script."""
    heed_sigterm()
    from upswarm.cli import main as command_line  # noqa: PLC0415 (not before)

    command_line()


if __name__ == "__main__":
    main()
