"""Tar archives as Python's tarfile writes them: names that a header has no room for, in each dialect."""

import io
import tarfile
from pathlib import Path

NAMES = [
    "plain.txt",
    "folder/" + "n" * 80 + "/short.txt",
    "deep/" + "d" * 60 + "/" + "e" * 60 + "/long.txt",
    "long/" + "f" * 200 + ".txt",
    "한글/그림.txt",
]


def generate(folder: Path) -> None:
    for name, dialect, names in [
        ("ustar", tarfile.USTAR_FORMAT, NAMES[:3]),
        ("gnu", tarfile.GNU_FORMAT, NAMES),
        ("pax", tarfile.PAX_FORMAT, NAMES),
    ]:
        with tarfile.open(folder / f"{name}.tar", "w", format=dialect) as archive:
            directory = tarfile.TarInfo("folder/")
            directory.type = tarfile.DIRTYPE
            archive.addfile(directory)
            link = tarfile.TarInfo("link.txt")
            link.type, link.linkname = tarfile.SYMTYPE, "plain.txt"
            archive.addfile(link)
            for member in names:
                content = member.encode()
                info = tarfile.TarInfo(member)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
