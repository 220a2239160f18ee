"""Runs the Python client of proxy-mode.md, which stands beside this file as it is printed there.

Reads a JSON object from standard input (server_url, license_key, hardware_id, and for each call its messages and,
where not the default, its model) and writes one to standard output: what `activate` and each call returned, and the
proxy key that the client decrypted.
"""

import json
import runpy
import sys
from pathlib import Path

task = json.load(sys.stdin)
printed = runpy.run_path(str(Path(__file__).with_name("proxy-mode-client.py")))

client = printed["LicensifyProxy"](task["server_url"])
activation = client.activate(task["license_key"], task["hardware_id"])
answers = [client.openai_chat(**call) for call in task["calls"]]
json.dump({"activation": activation, "proxy_key": client.proxy_key, "answers": answers}, sys.stdout)
