#!/usr/bin/env python3
"""Does the exercises of docs/STUDY.md, in a copy of the repository, and demands that each test fails as the page says.

    docs/study/exercises.py [NUMBER…]

Takes a few minutes for each. What is built is in target/exercises (or CARGO_TARGET_DIR, with the same behind it): in a
directory together with what is built of the repository, cargo would take the one for the other.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def exercises():
    """Number, file, lines before, lines after, command, and what its output has to show."""
    text = (ROOT / "docs/STUDY.md").read_text()
    for lesson in re.split(r"^## (?=\d+\. )", text, flags=re.M)[1:]:
        def block(language):
            return re.search(rf"^```{language}\n(.*?)^```", lesson, flags=re.M | re.S).group(1)

        first, *lines = block("diff").splitlines()
        before = [line[1:] for line in lines if line[:1] in (" ", "-")]
        after = [line[1:] for line in lines if line[:1] in (" ", "+")]
        yield int(lesson.split(".")[0]), first.removeprefix("--- "), before, after, block("sh test"), block("text fails")


def copy_to(directory):
    """The tracked files, as they are now."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "--null", "-T", "-", "-cf", directory / "files.tar"], cwd=ROOT, input=names, check=True)
    subprocess.run(["tar", "-xf", "files.tar"], cwd=directory, check=True)
    (directory / "files.tar").unlink()


def matches(pattern, text):
    """`…` stands for anything within a line."""
    return all(re.search(re.escape(line).replace("…", ".*"), text) for line in pattern.splitlines())


def main():
    asked = {int(argument) for argument in sys.argv[1:]}
    wrong = []
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "exercises"
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        copy_to(directory)
        for number, file, before, after, command, fails in exercises():
            if asked and number not in asked:
                continue
            path = directory / file
            whole = path.read_text()
            old, new = "\n".join(before) + "\n", "".join(line + "\n" for line in after)
            if whole.count(old) != 1:
                sys.exit(f"exercise {number}: its lines are {whole.count(old)} times in {file}")
            path.write_text(whole.replace(old, new))
            print(f"exercise {number}: {command.strip()}", flush=True)
            run = subprocess.run(command, shell=True, cwd=directory, env=environment, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            path.write_text(whole)
            if run.returncode == 0 or "test result: FAILED" not in run.stdout or not matches(fails, run.stdout):
                wrong.append(number)
                print(f"exercise {number} did not fail as it should (status {run.returncode}):\n{run.stdout}")
    if wrong:
        sys.exit(f"not as the page says: {wrong}")
    print("every one of them failed, as it should")


if __name__ == "__main__":
    main()
