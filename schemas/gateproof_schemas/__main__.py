"""`python -m gateproof_schemas --strict OUTDIR`: the strict schemas as files, for other languages."""

import argparse
import json
from pathlib import Path

from gateproof_schemas.library import library


def main(arguments: list[str] | None = None) -> None:
    """Write the strict form of every schema of an API below a folder, each file where it stands in this package."""
    parser = argparse.ArgumentParser(prog="python -m gateproof_schemas", description=__doc__)
    parser.add_argument(
        "--strict", type=Path, metavar="OUTDIR", required=True, help="where to write the strict schemas"
    )
    folder: Path = parser.parse_args(arguments).strict
    files = {name: file for name, file in library(strict=True).items() if not name.startswith("own/")}
    for name, file in files.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(file, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(files)} strict schemas in {folder}")


if __name__ == "__main__":
    main()
