# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""The project elsewhere: installed as a wheel, in a folder with a blank and an accent, where nothing can be written.

The wheel is built from a copy of the checkout by the setuptools that are installed; its dependencies are those of the
running interpreter. The one SoC that is built and run is a small one: it takes the way that a user's takes, from an
installed package in an odd folder.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from accel.errors import QCLIFError
from host.common import folders
from host.common.folders import ROOT, build_root, cache_folder
from tests.helpers.builds import fresh_builds

SOURCES = ("accel", "firmware", "soc", "host", "targets")

# What a package need not have: pages, and what has come out of studies.
PAGES = (".md", ".png", ".gif", ".jsonl")

ODD = "a plàce"

SMALL = ("--neurons", 16, "--inputs", 32, "--contexts", 2, "--lanes", 4)

# Root reads and writes everywhere; without these it is like others.
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()


def copy_of_the_checkout(target: Path) -> Path:
    """What belongs to the project, without anything that was built."""
    ignored = shutil.ignore_patterns("__pycache__", "build", ".*", "*.egg-info", "tests")
    return shutil.copytree(ROOT, target, ignore=ignored, symlinks=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index",
        "--wheel-dir", folder, copy_of_the_checkout(folder/"source")], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Folder of the installed packages, where nothing can be written."""
    folder = tmp_path_factory.mktemp("installed")/ODD
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile",
        "--target", folder, wheel], check=True)
    for path in (*folder.rglob("*"), folder):
        path.chmod(path.stat().st_mode & ~0o222)
    return folder


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Runs a module from the packages in a folder, as an ordinary user, in a folder that has nothing to do with it."""
    monkeypatch.delenv("QCLIF_BUILD_DIR", raising=False)
    monkeypatch.delenv("QCLIF_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path/"cache"))
    (tmp_path/"elsewhere").mkdir()

    def run(packages, *options):
        return subprocess.run([*UNPRIVILEGED, sys.executable, "-P", "-m", *map(str, options)], cwd=tmp_path/"elsewhere",
            env={**os.environ, "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}, text=True,
            capture_output=True, check=False)
    return run


def test_all_that_is_no_python_is_in_the_wheel(wheel):
    """A file of another kind, which pyproject.toml does not know, is missed here."""
    listed = subprocess.run(["git", "ls-files", *SOURCES], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("no git, or no clone: only git knows what belongs to the project")
    wanted = {name for name in listed.stdout.split("\n") if name and not name.endswith(PAGES)}
    packed = set(zipfile.ZipFile(wheel).namelist())
    assert len(wanted) > 250 and wanted - packed == set()
    assert not [name for name in packed if name.startswith("tests")]


@pytest.mark.parametrize("options", [
    ["targets.sim", "--help"], ["targets.asic_freepdk45", "--help"], ["targets.ulx3s", "--help"],
    ["host.train", "--help"], ["soc.registers"], ["host.datasets", "--samples", 11],
])
def test_commands_of_an_installed_package(installed, command, options):
    done = command(installed, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_an_installed_package_builds_and_runs_a_soc(installed, command, tmp_path):
    """All of it anew but Verilator's own code, which takes longest: it is that of the other tests."""
    fresh_builds(tmp_path/"cache"/"qclif")
    done = command(installed, "targets.sim", "--non-interactive", "--opt-level", "O0", *SMALL, "--network", "random",
        "--samples", 1, "--json", "numbers.json", "--jobs", 2)
    assert done.returncode == 0, done.stderr
    numbers = json.loads((tmp_path/"elsewhere"/"numbers.json").read_text())
    assert numbers["spikes"] > 0 and numbers["mismatches"] == numbers["state_mismatches"] == 0
    assert [path.name for path in (tmp_path/"cache"/"qclif"/"sim").iterdir()]

# Where builds go -----------------------------------------------------------------------------------

@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder in the place of the checkout's, by its name."""
    def make(name, pyproject=True):
        folder = tmp_path/name
        folder.mkdir()
        if pyproject:
            (folder/"pyproject.toml").touch()
        monkeypatch.setattr(folders, "ROOT", folder)
        return folder
    for variable in ("QCLIF_BUILD_DIR", "QCLIF_CACHE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path/"user"))
    return make


def test_a_checkout_has_its_builds(checkout):
    folder = checkout("plàce")
    assert build_root() == folder/"build" and cache_folder() == folder/"build"/"cache"


@pytest.mark.parametrize("name, pyproject", [("site-packages", False), ("a place", True)])
def test_builds_go_to_the_users_cache(checkout, tmp_path, name, pyproject):
    checkout(name, pyproject)
    assert build_root() == tmp_path/"user"/"qclif" and cache_folder() == tmp_path/"user"/"qclif"/"cache"


def test_without_a_folder_for_caches(checkout, tmp_path, monkeypatch):
    checkout("site-packages", pyproject=False)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert build_root() == tmp_path/".cache"/"qclif"


def test_what_a_user_names_is_taken_or_refused(checkout, tmp_path, monkeypatch):
    checkout("place")
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(tmp_path/"mine"))
    assert build_root() == tmp_path/"mine"
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(tmp_path/"my builds"))
    with pytest.raises(QCLIFError, match=r"^builds go to '.*/my builds', .* set QCLIF_BUILD_DIR to another folder$"):
        build_root()


def test_a_folder_with_a_blank_is_refused_at_once(command):
    done = command(ROOT, "targets.sim", "--non-interactive", "--samples", 1, "--output-dir", "my build")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: '") and "choose another --output-dir" in done.stderr


PLACE = "import sys; sys.path.insert(0, sys.argv[1]); from host.common.folders import build_root; print(build_root())"


@pytest.mark.parametrize("built", [False, True])
def test_a_checkout_that_cannot_be_written(tmp_path, built, monkeypatch):
    """Nothing is said of it: builds go to the user's cache."""
    monkeypatch.delenv("QCLIF_BUILD_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path/"cache"))
    copy = copy_of_the_checkout(tmp_path/"copy")
    if built:
        (copy/"build").mkdir(mode=0o555)
    copy.chmod(0o555)
    done = subprocess.run([*UNPRIVILEGED, sys.executable, "-P", "-B", "-c", PLACE, copy], text=True,
        capture_output=True, check=True)
    assert done.stdout.strip() == str(tmp_path/"cache"/"qclif")


def test_a_cache_that_cannot_be_written_either(installed, command, tmp_path):
    (tmp_path/"cache").mkdir(mode=0o555)
    done = command(installed, "targets.sim", "--non-interactive", *SMALL, "--network", "random", "--samples", 1)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "Permission denied; choose another --output-dir, or set QCLIF_BUILD_DIR" in done.stderr.splitlines()[-1]

# ./qclif -------------------------------------------------------------------------------------------

def stand_in(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("name, writable, place", [
    ("place", True, "checkout"), ("plàce", True, "checkout"), ("a place", True, "cache"), ("place", False, "cache"),
])
def test_the_script_installs_where_it_can(tmp_path, name, writable, place):
    """The first call makes an environment, the second finds it; Debian's and PyPI's packages are stood in for."""
    copy = copy_of_the_checkout(tmp_path/name)
    said = tmp_path/"said"
    stand_in(tmp_path/"bin"/"dpkg-query", "echo install ok installed")
    stand_in(tmp_path/"bin"/"python3", f"""case "$*" in
    "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp "$0" "$3/bin/pip";;
    "-m pip "*) for last in "$@"; do :; done; ls "${{last%%[*}}/pyproject.toml" && echo "$*" >> {said};;
    "-m targets.sim "*) echo "$0" "$PWD" "$3";;
esac""")
    if not writable:
        copy.chmod(0o555)
    for times in (1, 2):
        done = subprocess.run([*UNPRIVILEGED, copy/"qclif", "sim", "--help"], text=True, capture_output=True,
            check=True, env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(tmp_path/"cache")})
        used = done.stdout.splitlines()[-1]
        assert used.startswith(f"{copy}/.venv/bin/python" if place == "checkout" else f"{tmp_path}/cache/qclif/")
        assert used.endswith(f" {copy} --help")
        assert ("Installing" in done.stdout) == (times == 1)
    assert len(said.read_text().splitlines()) == 1 and (" --editable " in said.read_text()) == (place == "checkout")
