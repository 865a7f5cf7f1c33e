"""``python -m guiju`` is the ``guiju`` command."""

from guiju.cli import main

if __name__ == "__main__":
    main()
