"""Run by gcloud's own Python: parses command lines (JSON lists, one a line) as gcloud does, and does nothing else.

Prints for each the complaint, as a JSON text; an empty one for none.
"""

import contextlib
import importlib
import io
import json
import sys
from pathlib import Path
from typing import Any


def parser(root: Path) -> Any:
    sys.path[:0] = [str(root / "lib"), str(root / "lib/third_party")]
    gcloud: Any = importlib.import_module("googlecloudsdk.gcloud_main").CreateCLI([])
    return gcloud._TopElement()._parser  # noqa: SLF001 - it has no other way to parse alone


def main() -> None:
    gcloud = parser(Path(sys.argv[1]))
    for line in sys.stdin:
        said, complaint = io.StringIO(), ""
        try:
            with contextlib.redirect_stderr(said):
                gcloud.parse_args(json.loads(line))
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - whatever gcloud does not take
            complaint = said.getvalue() or repr(fault)
        sys.stdout.write(json.dumps(complaint) + "\n")


if __name__ == "__main__":
    main()
