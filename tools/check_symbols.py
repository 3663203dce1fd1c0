#!/usr/bin/env python3
"""check_symbols.py LIBTACIT.so INCLUDE_DIR: what the library exports is what its headers declare.
Prints TAP. A header's declarations are found by name; enums, structs and callbacks are no symbols."""
import pathlib
import re
import subprocess
import sys


def exported(path):
    out = subprocess.run(["nm", "-D", "--defined-only", path], check=True, text=True,
                         capture_output=True).stdout
    names = {line.split()[-1].split("@")[0] for line in out.splitlines()}
    return {n for n in names if not n.startswith(("TACIT_", "__", "_init", "_fini"))}


def declared(folder):
    names = set()
    for header in pathlib.Path(folder).rglob("*.h"):
        if "unstable" in header.parts:
            continue
        text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
        text = re.sub(r"typedef[^;]*;", "", text)
        text = re.sub(r"\{[^{}]*\}", "{}", text)
        text = re.sub(r"\{[^{}]*\}", "{}", text)
        names |= set(re.findall(r"\b(tacit_[a-z0-9_]+)\s*\(", text))
    return names


def main():
    have, want = exported(sys.argv[1]), declared(sys.argv[2])
    print("1..2")
    for number, (what, wrong) in enumerate((("exports nothing that no header declares", have - want),
                                            ("exports all that its headers declare", want - have)), 1):
        for name in sorted(wrong):
            print(f"# {name}")
        print(f"{'not ' if wrong else ''}ok {number} - libtacit {what}")
    return 1 if have != want else 0


if __name__ == "__main__":
    sys.exit(main())
