"""What schemathesis makes up, with names that exist in half of the paths (`fuzz.py` starts it so)."""

import json
import os
import random
from pathlib import Path

import schemathesis

NAMES = json.loads(Path(os.environ["FUZZ_NAMES"]).read_text())


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Decides by the case itself, so that a seed gives the same cases again."""
    if not path_parameters:
        return path_parameters
    chance = random.Random(repr(sorted(path_parameters.items(), key=repr)))
    return {
        name: chance.choice(NAMES[name]) if name in NAMES and chance.random() < 0.5 else value
        for name, value in path_parameters.items()
    }

# Lines of JSON are sent as the text that they are.
schemathesis.serializer.alias("application/x-ndjson", "text/plain")
