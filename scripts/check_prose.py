"""Plain English, as far as a machine can check it: line lengths in docs and JavaScript, and words to avoid anywhere.

python scripts/check_prose.py          # prints file:line: problem, exits 1 if there is any
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[1]
# Counted in bytes of UTF-8: awk and grep count bytes where no locale is set, and then "−1.5 %" is wider than it looks.
MOST_COLUMNS = 120
LENGTH_CHECKED = {".md", ".js", ".mjs", ".cjs", ".mts", ".css", ".html"}
PROSE = LENGTH_CHECKED | {".py", ".yaml", ".yml", ".toml", ".sh", ""}

# Words that make a reader stop, and what to write instead.
AVOID = {
    r"whoever": "anyone who, or name the person",
    r"nobody": "no visitor, no one, or say it actively",
    r"somebody": "a visitor, a tester, or someone",
    r"mend(s|ed|ing)?": "repair, fix",
    r"anew": "again",
    r"heed(s|ed|ing)?": "respect, follow",
    r"for ever": "permanently",
    r"gone on with": "resumed",
    r"(is|are) asked for": "is required, is requested",
    r"of it all": "leave it out",
    r"whence": "from where",
}
WORDS = re.compile(rf"\b({'|'.join(AVOID)})\b", re.IGNORECASE)
UNBREAKABLE = re.compile(r"^\S*\s*\S*://\S+$|^\|.*!\[.*\|$")  # a url alone, a row of pictures
QUOTED = re.compile(
    r"^```(?P<language>\w*)\n.*?^```$|^    \$ .*?(?=\n\n)",
    re.MULTILINE | re.DOTALL,
)
EXEMPT = {"scripts/check_prose.py", "tests/test_prose.py", "LICENSE"}


def problems(name: str, text: str) -> Iterator[str]:
    """What is wrong in one file, a line each: `name:line: problem`."""
    suffix = Path(name).suffix
    quoted = quoted_lines(text) if suffix == ".md" else set()
    for number, line in enumerate(text.splitlines(), start=1):
        width = len(line.encode())
        too_long = width > MOST_COLUMNS and number not in quoted and not UNBREAKABLE.search(line)
        if suffix in LENGTH_CHECKED and too_long:
            yield f"{name}:{number}: {width} columns, at most {MOST_COLUMNS}"
        for match in WORDS.finditer(line):
            advice = next(advice for word, advice in AVOID.items() if re.fullmatch(word, match[0], re.IGNORECASE))
            yield f"{name}:{number}: “{match[0]}”; write: {advice}"


def quoted_lines(markdown: str) -> set[int]:
    """The numbers of the lines that quote what a command printed: they stay as long as the command made them.

    These are fences without a language, and indented blocks that begin with a prompt.
    """
    return {
        number
        for match in QUOTED.finditer(markdown)
        if not match["language"]
        for number in range(markdown.count("\n", 0, match.start()) + 1, markdown.count("\n", 0, match.end()) + 2)
    }


def checked_files() -> Iterator[str]:
    """Every tracked text of ours: code, docs, templates. Fixtures and generated files are left out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.splitlines():
        if "fixtures" in name or name in EXEMPT or name.endswith((".lock", "-lock.json", ".d.ts")):
            continue
        if Path(name).suffix in PROSE and (PROJECT / name).is_file():
            yield name


def main() -> int:
    """Print every problem. Returns the exit code."""
    all_problems = [problem for name in checked_files() for problem in problems(name, (PROJECT / name).read_text())]
    print(*all_problems, sep="\n", end="\n" if all_problems else "")
    return 1 if all_problems else 0


if __name__ == "__main__":
    sys.exit(main())
