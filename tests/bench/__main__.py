"""Every figure in one go: ``python -m tests.bench [--quick]``. It prints; nothing fails on a slow machine."""

import sys

from tests.bench import gateway, imports, lint, streams

gateway.main()
streams.main()
imports.main()
sys.argv = [sys.argv[0], *(["--megabytes", "50"] if "--quick" in sys.argv else [])]
lint.main()
