# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""What the READMEs tell to type is what the commands take, and what they link to is there.

A command is a line of a code block, or a piece of code in the text, that starts with one of ours. Its own parser is
given its words, and nothing is done after that. Words in capitals (FILE, DIR, N) stand for any value, [OPTION] may be
given, and a|b is one of them.
"""

import argparse
import importlib
import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from host.common.folders import ROOT

FOLDERS = ("accel", "firmware", "soc", "host", "targets", "tests")
READMES = [ROOT/"README.md", *sorted(path for folder in FOLDERS for path in (ROOT/folder).rglob("README.md"))]

# What a name in capitals is where any text will not do: a board.
EXAMPLES = {"NAME": "ulx3s"}

PLACEHOLDER = re.compile(r"[A-Z][A-Z_]*")

# Reading ------------------------------------------------------------------------------------------

def pieces_of_code(text: str) -> Iterator[str]:
    """Lines of code blocks, indented or fenced, continued ones in one, then what stands in backticks elsewhere."""
    prose, fenced = [], False
    for line in text.replace("\\\n", " ").splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip()
        else:
            prose.append(line)
    for match in re.finditer(r"(`+)(.+?)\1", "\n".join(prose)):
        # In a table, a bar is escaped.
        yield match[2].replace(r"\|", "|").strip()


def is_ours(words: list[str]) -> bool:
    """Whether the words start one of our commands."""
    match words:
        case ["./qclif" | "pytest" | "torchrun", *_]:
            return True
        case ["python" | "python3", "-m", module, *_]:
            return module == "pytest" or module.split(".")[0] in FOLDERS
        case ["python" | "python3", script, *_]:
            return script.split("/")[0] in FOLDERS
    return False


def commands(text: str) -> list[list[str]]:
    """Commands of a README as lists of words, as they stand there."""
    found = []
    for piece in pieces_of_code(text):
        for part in re.split(r"\s(?:&&|\|\|?|;|>)\s|;\s", piece.removeprefix("$ ")):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:
                # Not meant for a shell, as "don't".
                continue
            words = list(itertools.dropwhile(lambda word: re.match(r"[A-Z_]+=", word), words))
            if is_ours(words):
                found.append(words)
    return found


def spelled_out(words: list[str]) -> list[list[str]]:
    """What is typed: brackets and dots gone, one command for each of several choices."""
    plain = [word.removesuffix("...").strip("[]") for word in words]
    return [[EXAMPLES.get(word, word) for word in choice]
        for choice in itertools.product(*(word.split("|") for word in plain if word))]

# Parsing ------------------------------------------------------------------------------------------

class Parsed(BaseException):
    """Ends a command that has read its arguments."""


def qclif_modules() -> dict[str, str]:
    """Module behind each ./qclif COMMAND, as the script has them."""
    script = (ROOT/"qclif").read_text()
    return dict(re.findall(r"^    (\w+)\)\n(?:        .*\n)*?        exec python -m ([\w.]+)", script, re.MULTILINE))


def parse(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command read its words; raises a SystemExit where it does not take them."""
    match words:
        case ["./qclif", "-h" | "--help" | "setup"]:
            return
        case ["./qclif"]:
            parse([*words, "--help"], monkeypatch)
        case ["./qclif", command, *rest]:
            parse(["python", "-m", qclif_modules()[command], *rest], monkeypatch)
        case ["torchrun", *rest]:
            from torch.distributed.run import get_args_parser
            args = get_args_parser().parse_args(rest)
            start = ["-m"] if args.module else []
            parse(["python", *start, args.training_script, *args.training_script_args], monkeypatch)
        case ["pytest", *rest] | [_, "-m", "pytest", *rest]:
            # Of options, it says itself whether it knows them; files are looked for later.
            done = subprocess.run([sys.executable, "-m", "pytest", "--markers", *rest], cwd=ROOT, capture_output=True)
            assert done.returncode == 0, done.stderr.decode()
            for word in rest:
                assert not word.startswith("tests/") or (ROOT/word.split("::")[0]).exists(), f"{word} is not there"
        case [_, "-m", module, *rest]:
            run_main(module, rest, monkeypatch)
        case [_, script, *rest]:
            run_main(script.removesuffix(".py").replace("/", "."), rest, monkeypatch)


def run_main(name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Call a module's main() until it has parsed the arguments."""
    module = importlib.import_module(name)
    if hasattr(module, "__path__"):
        module = importlib.import_module(f"{name}.__main__")
    parse_args, get_value, check_value = (getattr(argparse.ArgumentParser, each) for each in
        ("parse_args", "_get_value", "_check_value"))

    def parse_and_end(*args, **kwargs):
        parse_args(*args, **kwargs)
        raise Parsed

    def value_or_placeholder(self, action, text):
        return text if PLACEHOLDER.fullmatch(text) else get_value(self, action, text)

    def check_unless_placeholder(self, action, value):
        if not PLACEHOLDER.fullmatch(str(value)):
            check_value(self, action, value)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parse_and_end)
        patch.setattr(argparse.ArgumentParser, "_get_value", value_or_placeholder)
        patch.setattr(argparse.ArgumentParser, "_check_value", check_unless_placeholder)
        patch.setattr(sys, "argv", [str(module.__file__), *arguments])
        try:
            status = module.main()
        except Parsed:
            status = 0
        except SystemExit as end:
            # --help ends with 0.
            status = end.code
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    if status:
        raise SystemExit(status)

# Links --------------------------------------------------------------------------------------------

def headings(text: str) -> set[str]:
    """Anchors of a Markdown file's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(readme: Path) -> list[str]:
    """Links and images of a README that lead nowhere."""
    text   = readme.read_text()
    broken = []
    for link in re.findall(r"\]\(([^()\s]+)(?: \"[^\"]*\")?\)|(?:src|href)=\"([^\"]+)\"|^\[[^\]]+\]: (\S+)", text,
            re.MULTILINE):
        target = "".join(link)
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = readme.parent/path if path else readme
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in headings(file.read_text())):
            broken.append(target)
    return broken

# The READMEs --------------------------------------------------------------------------------------

@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_parse(readme, monkeypatch, capsys):
    wrong = []
    for words in commands(readme.read_text()):
        for choice in spelled_out(words):
            try:
                parse(choice, monkeypatch)
            except (SystemExit, AssertionError, ImportError, AttributeError, KeyError) as error:
                said = (capsys.readouterr().err.strip().splitlines() or [repr(error)])[-1]
                # Where dots stand for more, something may be missing.
                if not ("..." in words and "arguments are required" in said):
                    wrong.append(f"{shlex.join(choice)}: {said}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(readme):
    assert not broken_links(readme)


def test_the_readme_has_commands_of_every_kind():
    """Or they are not read as they should be."""
    first = {" ".join(words[:3]) for words in commands((ROOT/"README.md").read_text())}
    assert {"./qclif sim", "./qclif test", "python -m host.train"} <= first and os.access(ROOT/"qclif", os.X_OK)

# This test ----------------------------------------------------------------------------------------

def test_commands_are_found():
    text = """
Text with `python -m host.plot run.npz --gif`, `python` and ``A=b pytest tests/x.py``.

    $ ./qclif sim --neurons 37   # a comment
    ./qclif board ulx3s \\
        --build && python host/stream.py --port PORT
    apt-get install yosys

| a | `python -m targets.asic_freepdk45 [--design neuron\\|core] ...`; `python -m pip install x` |

```sh
torchrun --nproc-per-node 2 -m host.train --out net.npz
```
"""
    assert commands(text) == [
        ["./qclif", "sim", "--neurons", "37"], ["./qclif", "board", "ulx3s", "--build"],
        ["python", "host/stream.py", "--port", "PORT"],
        ["torchrun", "--nproc-per-node", "2", "-m", "host.train", "--out", "net.npz"],
        ["python", "-m", "host.plot", "run.npz", "--gif"], ["pytest", "tests/x.py"],
        ["python", "-m", "targets.asic_freepdk45", "[--design", "neuron|core]", "..."],
    ]
    assert spelled_out(commands(text)[-1]) == [["python", "-m", "targets.asic_freepdk45", "--design", design]
        for design in ("neuron", "core")]


@pytest.mark.parametrize("command", ["./qclif sim --samples N", "./qclif board --list NAME", "./qclif test -x",
    "python -m host.plot --help", "torchrun --nproc-per-node 2 -m host.train --out FILE"])
def test_right_commands(command, monkeypatch):
    choice, = spelled_out(command.split())
    parse(choice, monkeypatch)


@pytest.mark.parametrize("command", ["./qclif sim --sample-count 1", "./qclif sim --neurons few", "./qclif fly",
    "./qclif test --no-such-option", "./qclif test tests/test_nothing.py", "python -m host.nothing",
    "python host/stream.py --prot x", "python -m host.plot", "torchrun --out x -m host.train",
    "torchrun -m host.train --outt x"])
def test_wrong_commands(command, monkeypatch):
    with pytest.raises((SystemExit, AssertionError, ImportError, KeyError)):
        parse(command.split(), monkeypatch)


def test_broken_links_are_found(tmp_path):
    (tmp_path/"other.md").write_text("# One thing, and two\n")
    (tmp_path/"README.md").write_text("""
[a](other.md) [b](other.md#one-thing-and-two) [c](https://nowhere.example/x) [d](#here) ![e](picture.png)
[f](other.md#three) <img src="gone.gif"> [g](no/folder/) [h](#there)

## Here
""")
    assert broken_links(tmp_path/"README.md") == ["picture.png", "other.md#three", "gone.gif", "no/folder/", "#there"]
