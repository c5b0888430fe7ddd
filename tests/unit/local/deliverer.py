"""A process with a relay, to be killed: ``deliverer.py FILE URL``."""

import sys
import time
from pathlib import Path

from tuneway.adapters.local_bus import LocalBus
from tuneway.local.relay import Relay, RelaySettings
from tuneway.ports import Topic

if __name__ == "__main__":
    path, url = sys.argv[1:]
    Relay(LocalBus(Path(path), {Topic.JOB_REQUESTED: ["create_job"]}), {"create_job": url}, RelaySettings()).start()
    time.sleep(60)
