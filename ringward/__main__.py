"""`python -m ringward`: what the supervisor starts its children with."""

import sys


def main() -> None:
    """The command line. `run ROLE…` goes a shorter way: a worker that died is back sooner."""
    if sys.argv[1:2] == ["run"] and len(sys.argv) > 2 and not any(word.startswith("-") for word in sys.argv):
        from ringward import child

        if child.run(sys.argv[2:]):
            return
    from ringward.cli import app

    app()


if __name__ == "__main__":
    main()
