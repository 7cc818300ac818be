"""Writes the golden files under Tests/Fixtures from the reference implementations.

usage: python make_fixtures.py [GROUP ...]     (all groups without an argument)

One file a group in generators/, each with `generate(folder)`. The tests need no Python; run this
only to add or change a reference. Versions are pinned in requirements.txt beside this file.
"""

import importlib
import pathlib
import sys

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here))
groups = sys.argv[1:] or sorted(p.stem for p in (here / "generators").glob("[a-z]*.py"))
for group in groups:
    folder = here / group
    folder.mkdir(exist_ok=True)
    importlib.import_module(f"generators.{group}").generate(folder)
    print(f"{group}: {sum(1 for _ in folder.iterdir())} files")
