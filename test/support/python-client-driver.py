"""Runs the Python client for a test: one JSON object a line in, answers out, one or more lines each.

In: {"make": {…}} makes a client (again), whose clock is "clock_ahead" seconds ahead; {"do": "method", "args": […], "kwargs": {…}} calls it; "abandon_after": n closes
its iterator after n items. Out: {"item": …} for each piece of an iterator, as it comes, then {"result": …} or {"error": …}.
"""

import dataclasses
import json
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import licensify


def plain(value):
    if dataclasses.is_dataclass(value):
        return {name: plain(item) for name, item in dataclasses.asdict(value).items()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def say(**line):
    print(json.dumps({name: plain(value) for name, value in line.items()}), flush=True)


def carry_out(client, task):
    method = getattr(client, task["do"])
    value = method(*task.get("args", []), **task.get("kwargs", {})) if callable(method) else method
    if not hasattr(value, "__next__"):
        return value
    for number, item in enumerate(value, 1):
        say(item=item)
        if number == task.get("abandon_after"):
            value.close()
            break
    return None


def at_once(client, task):
    """The same in several threads at the same time: how many of them failed."""
    failures = []

    def work():
        try:
            carry_out(client, task)
        except Exception as error:
            failures.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(task["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


client = None
for line in sys.stdin:
    task = json.loads(line)
    try:
        if "make" in task:
            options = task["make"]
            folder = options.pop("folder")
            ahead = options.pop("clock_ahead", 0)
            options["now"] = lambda ahead=ahead: time.time() + ahead
            client = licensify.Client(store=licensify.FileStore(folder=Path(folder)), **options)
            say(result=None)
        else:
            say(result=(at_once if "threads" in task else carry_out)(client, task))
    except licensify.LicensifyError as error:
        details = ("message", "code", "status", "request_id", "retry_after")
        say(error={"type": type(error).__name__, **{name: getattr(error, name) for name in details}})
