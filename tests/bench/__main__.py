"""Every figure in one go: ``python -m tests.bench [--quick]``. It prints; nothing fails on a slow machine."""

import sys

from tests.bench import gateway, imports, lint, polling, streams

gateway.main()
streams.main()
imports.main()
polling.main()
sys.argv = [sys.argv[0], *(["--megabytes", "50", "--large", "0"] if "--quick" in sys.argv else [])]
lint.main()
