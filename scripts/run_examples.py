"""Runs every ```python block of README.md and docs/*.md (or of the files named) and exits 1 if one fails.

The blocks of a file share one namespace and one temporary working folder, in the order of the page. A block
that opens with ```python no-run is shown to readers only.
"""

import contextlib
import os
import re
import sys
import tempfile
import time
import traceback
from pathlib import Path

os.environ.setdefault("MPLBACKEND", "Agg")
ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```python[ \t]*([^\n]*)\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)


def run(page: Path) -> bool:
    """Whether all blocks of `page` ran."""
    text = page.read_text(encoding="utf-8")
    blocks = [(m, text[: m.start(2)].count("\n")) for m in BLOCK.finditer(text) if m[1].strip() != "no-run"]
    begin = time.perf_counter()
    namespace = {"__name__": "__main__"}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for match, line in blocks:
            try:
                # Empty lines before the block make tracebacks point into the page.
                exec(compile("\n" * line + match[2], str(page), "exec"), namespace)
            except Exception:
                traceback.print_exc()
                print(f"{page.name}: the example at line {line} failed")
                return False
    print(f"{page.name}: {len(blocks)} examples ran in {time.perf_counter() - begin:.1f} s")
    return True


def main() -> int:
    pages = [Path(name).resolve() for name in sys.argv[1:]]
    pages = pages or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    failed = [page for page in pages if not run(page)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
