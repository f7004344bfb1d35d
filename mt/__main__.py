"""`python -m mt` does what `mt` does."""

from mt.cli import main

if __name__ == "__main__":
    main()
