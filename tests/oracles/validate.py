"""Validates JSON files against the schema that each names, with a validator that is not ours."""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator


def once(pairs):
    keys = [key for key, _ in pairs]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise ValueError(f"keys stand twice: {sorted(twice)}")
    return dict(pairs)


def main(schemas, *files):
    known = {}
    for path in Path(schemas).glob("*.schema.json"):
        schema = json.loads(path.read_text())
        Draft202012Validator.check_schema(schema)
        known[schema["properties"]["schema"]["const"]] = schema
    seen = set()
    for file in files:
        answer = json.loads(Path(file).read_text(), object_pairs_hook=once, parse_float=float_found)
        errors = list(Draft202012Validator(known[answer["schema"]]).iter_errors(answer))
        for error in errors[:5]:
            print(f"{file}: {'/'.join(map(str, error.path))}: {error.message[:300]}", file=sys.stderr)
        if errors:
            sys.exit(1)
        seen.add(answer["schema"])
    print(json.dumps({"seen": sorted(seen), "known": sorted(known)}))


def float_found(text):
    raise ValueError(f"{text} is a float: decimals are text")


main(*sys.argv[1:])
