"""`python -m mt` does what `mt` does."""

import sys

if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the current folder, which `-m` puts before what is installed: a yaml.py in it would be run
    from mt.cli import main

    main()
