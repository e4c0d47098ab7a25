# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Where the PDK is found, what is read from it, and how its files are fetched."""

import gzip
import hashlib

import pytest

from accel.errors import QCLIFError
from targets.asic.platform import pdk as module
from targets.asic.platform.download import PinnedFile, download_pdk, pinned_files
from targets.asic.platform.pdk import find_pdk
from tests.helpers.http_server import serving

CELLS = """library (cells) {{ nom_voltage : {}; nom_temperature : 25; leakage_power_unit : "1nW";
capacitive_load_unit (1, ff); cell (INV_X1) {{ area : 0.532; cell_leakage_power : 14; }} }}
"""

TECH_LEF, CELL_LEF = "NangateOpenCellLibrary.tech.lef", "NangateOpenCellLibrary.macro.mod.lef"
CELL_GDS = "NangateOpenCellLibrary.gds"

RAM = """library (ram) { capacitive_load_unit (1, ff); leakage_power_unit : "1uW"; time_unit : "10ps";
cell (fakeram45_64x8) { area : 500.5; cell_leakage_power : 20; memory () { address_width : 6; word_width : 8; }
  pin (clk) { min_period : 20; internal_power () { rise_power (scalar) { values ("1000"); }
    fall_power (scalar) { values ("3000"); } } }
  bus (addr_in) { } bus (w_mask_in) { }
  bus (rd_out) { timing () { cell_rise (scalar) { values ("17"); } cell_fall (scalar) { values ("18.5"); } } } } }
"""


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """No PDK from the environment, and nothing written outside of the test's folder."""
    for name in ("FREEPDK45_HOME", "FLOW_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path/"cache"))
    monkeypatch.setenv("QCLIF_BUILD_DIR", str(tmp_path/"build"))


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def packed(folder):
    """A folder of three corners, packed."""
    for name, voltage in (("typ", 1.1), ("slow", 0.95), ("fast", 1.25)):
        put(folder/"lib"/f"NangateOpenCellLibrary_{name}.lib.gz", gzip.compress(CELLS.format(voltage).encode()))
    layout(folder)
    return folder


def flow(folder):
    """A checkout of flow-scripts: the typical corner alone, plain."""
    platform = folder/"platforms"/"nangate45"
    put(platform/"lib"/"NangateOpenCellLibrary_typical.lib", CELLS.format(1.1))
    layout(platform)
    return platform


def layout(folder):
    put(folder/"lib"/"fakeram45_64x8.lib", RAM)
    for name in ("fakeram45_64x8.lef", TECH_LEF, CELL_LEF):
        put(folder/"lef"/name, f"VERSION 5.7 ; {name}")
    put(folder/"gds"/CELL_GDS, b"\0\6")

# Search --------------------------------------------------------------------------------------------

def test_packed_folder(tmp_path):
    pdk = find_pdk(packed(tmp_path/"pdk"))
    assert {name: corner.library.voltage for name, corner in pdk.corners.items()} == {"typ": 1.1, "slow": 0.95,
        "fast": 1.25}
    for name in ("typ", "slow", "fast"):
        corner = pdk.corner(name)
        assert corner.liberty.read_text() == CELLS.format(corner.library.voltage)
        assert corner.library.cells["INV_X1"].area == 0.532
        assert corner.liberty.is_relative_to(tmp_path/"build"/"asic"/"pdk")
    assert pdk.tech_lef.name == TECH_LEF and pdk.cell_lef.name == CELL_LEF
    assert pdk.cell_gds.name == CELL_GDS


def test_macro(tmp_path):
    macro = find_pdk(packed(tmp_path/"pdk")).macros["fakeram45_64x8"]
    assert (macro.depth, macro.width, macro.address_bits, macro.mask) == (64, 8, 6, True)
    assert (macro.area_um2, macro.leakage_nw, macro.energy_pj) == (500.5, pytest.approx(20e3), pytest.approx(2.0))
    assert (macro.access_ns, macro.min_period_ns) == (pytest.approx(0.185), pytest.approx(0.2))
    assert macro.lef.is_file() and macro.gds is None


def test_flow_scripts(tmp_path, monkeypatch):
    platform = flow(tmp_path)
    monkeypatch.setenv("FLOW_HOME", str(tmp_path))
    pdk = find_pdk()
    assert list(pdk.corners) == ["typ"] and list(pdk.macros) == ["fakeram45_64x8"]
    # Plain already: used where it is.
    assert pdk.corner("typ").liberty == platform/"lib"/"NangateOpenCellLibrary_typical.lib"
    with pytest.raises(QCLIFError) as error:
        pdk.corner("slow")
    assert str(error.value) == (f"corner slow (0.95 V, 125 C): {platform} has Liberty for typ only, nothing is told "
        "for others; flow-scripts carry no more than typ, --download-pdk brings typ, slow, fast")


def test_order_of_places(tmp_path, monkeypatch):
    flow(tmp_path)
    monkeypatch.setenv("FLOW_HOME", str(tmp_path))
    monkeypatch.setenv("FREEPDK45_HOME", str(packed(tmp_path/"home")))
    assert find_pdk().folder == tmp_path/"home"
    assert find_pdk(packed(tmp_path/"option")).folder == tmp_path/"option"


def test_equal_files_have_one_identity(tmp_path):
    one, other = find_pdk(packed(tmp_path/"one")), find_pdk(packed(tmp_path/"other"))
    assert one.identity == other.identity and one.folder != other.folder
    # Plain or packed is the same.
    path = tmp_path/"other"/"lib"/"NangateOpenCellLibrary_slow.lib"
    put(path, CELLS.format(0.95))
    path.with_suffix(".lib.gz").unlink()
    assert find_pdk(tmp_path/"other").identity == one.identity
    for name in ("lib/NangateOpenCellLibrary_slow.lib", "lib/fakeram45_64x8.lib", "lef/fakeram45_64x8.lef",
            f"lef/{TECH_LEF}", f"gds/{CELL_GDS}"):
        path = tmp_path/"other"/name
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        assert find_pdk(tmp_path/"other").identity != one.identity, name
        path.write_bytes(before)


def test_no_layout_files(tmp_path):
    put(tmp_path/"pdk"/"nangate45_typ.lib.gz", gzip.compress(CELLS.format(1.1).encode()))
    put(tmp_path/"pdk"/"fakeram45_64x8.lib", RAM)
    pdk = find_pdk(tmp_path/"pdk")
    assert pdk.tech_lef is None and pdk.cell_lef is None and pdk.cell_gds is None
    assert pdk.macros["fakeram45_64x8"].lef is None


@pytest.mark.parametrize("variable, text", [
    ("", "no PDK: name a folder of FreePDK45 files with --pdk, FREEPDK45_HOME or FLOW_HOME (flow-scripts), or fetch it "
        "with --download-pdk (12 MB)"),
    ("FREEPDK45_HOME", "FREEPDK45_HOME: {} is no folder: name one of FreePDK45 files, or fetch it with --download-pdk"),
    ("FLOW_HOME", "FLOW_HOME: {}/platforms/nangate45 is no folder: name one of FreePDK45 files, or fetch it with "
        "--download-pdk"),
])
def test_no_pdk(tmp_path, monkeypatch, variable, text):
    if variable:
        monkeypatch.setenv(variable, str(tmp_path/"nowhere"))
    with pytest.raises(QCLIFError) as error:
        find_pdk()
    assert str(error.value) == text.format(tmp_path/"nowhere")


@pytest.mark.parametrize("name, content, words", [
    ("lib/NangateOpenCellLibrary_typ.lib.gz", None, "has no NangateOpenCellLibrary_typ.lib, .lib.gz or _typical.lib"),
    ("lib/NangateOpenCellLibrary_typ.lib.gz", gzip.compress(b"library (a) {", mtime=0)[:-9], "Compressed file ended"),
    ("lib/NangateOpenCellLibrary_slow.lib.gz", b"library (a) {", "NangateOpenCellLibrary_slow.lib.gz:1: not Liberty"),
    ("lib/fakeram45_64x8.lib", b"library (a) { }", "fakeram45_64x8.lib: no macro with the pins clk, addr_in and"),
    ("lib/fakeram45_64x8.lib", RAM.replace("word_width : 8", "word_width : w").encode(), "fakeram45_64x8.lib:2: macro "
        "fakeram45_64x8 has no sizes, or no energy of an access (invalid literal"),
    ("lib/fakeram45_64x8.lib", RAM.replace("_power", "_heat").encode(), "has no sizes, or no energy of an access"),
])
def test_damaged_folders(tmp_path, name, content, words):
    folder = packed(tmp_path/"pdk")
    (folder/name).unlink()
    if content is not None:
        put(folder/name, content)
    with pytest.raises(QCLIFError) as error:
        find_pdk(folder)
    assert words in str(error.value) and str(folder) in str(error.value) and "\n" not in str(error.value)


def test_build_folder_that_is_a_file(tmp_path):
    (tmp_path/"build").write_text("")
    with pytest.raises(QCLIFError, match=r"asic/pdk/\w+: Not a directory; .* QCLIF_BUILD_DIR"):
        find_pdk(packed(tmp_path/"pdk"))

# Download ------------------------------------------------------------------------------------------

FILES = {
    "lib/NangateOpenCellLibrary_typical.lib":  CELLS.format(1.1).encode(),
    "lib/NangateOpenCellLibrary_slow.lib.gz": gzip.compress(CELLS.format(0.95).encode()),
    "lib/fakeram45_64x8.lib":                  RAM.encode(),
    "LICENSE":                                 b"Apache\n"*30000,
}


@pytest.fixture
def server(monkeypatch):
    """(answers, asked, pinned): what is sent for each path, which paths were asked for, and the list of files."""
    answers = {name: (200, len(content), content) for name, content in FILES.items()}
    with serving(answers) as (address, asked):
        pinned = tuple(PinnedFile(name, f"{address}/{name}", len(content), hashlib.sha256(content).hexdigest())
            for name, content in FILES.items())
        monkeypatch.setattr(module, "pinned_files", lambda: pinned)
        yield answers, asked, pinned


def content_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_download(server, tmp_path):
    asked = server[1]
    told  = []
    pdk   = find_pdk(download=True, progress=lambda *args: told.append(args))
    assert content_of(pdk.folder) == FILES and asked == list(FILES)
    assert pdk.folder.parent == tmp_path/"cache" and list(pdk.corners) == ["typ", "slow"]
    assert told[-1] == ("fetch the PDK, bytes", *[sum(map(len, FILES.values()))]*2)
    # From now on it is found, and nothing is fetched twice.
    assert find_pdk().folder == pdk.folder and find_pdk(download=True).identity == pdk.identity
    assert asked == list(FILES)


def test_download_to_a_folder(server, tmp_path):
    assert find_pdk(tmp_path/"here", download=True).folder == tmp_path/"here"
    assert content_of(tmp_path/"here") == FILES and not (tmp_path/"cache").exists()


@pytest.mark.parametrize("status, content, announced, words", [
    (200, b"", 0, "0 bytes came with SHA-256 e3b0c44298fc..., not 210000 with"),
    (200, b"apache\n"*30000, 210000, "210000 bytes came with SHA-256"),
    (200, b"Apache\n"*10000, 210000, "70000 bytes came with SHA-256"),
    (404, b"Apache\n"*30000, 210000, "the download failed (HTTP Error 404: Not Found)"),
])
def test_failed_download_goes_on_later(server, tmp_path, status, content, announced, words):
    answers, asked, _ = server
    answers["LICENSE"] = status, announced, content
    with pytest.raises(QCLIFError) as error:
        find_pdk(tmp_path/"pdk", download=True)
    message = str(error.value)
    assert words in message and "\n" not in message
    assert message.endswith(f": run it again, which goes on where it ended, or fetch it by hand to "
        f"{tmp_path}/pdk/LICENSE")
    assert content_of(tmp_path/"pdk") == {name: FILES[name] for name in FILES if name != "LICENSE"}
    with pytest.raises(QCLIFError, match="no PDK"):
        find_pdk()
    answers["LICENSE"] = 200, 210000, FILES["LICENSE"]
    asked.clear()
    find_pdk(tmp_path/"pdk", download=True)
    assert asked == ["LICENSE"] and content_of(tmp_path/"pdk") == FILES


def test_damaged_file_is_fetched_again(server, tmp_path):
    _, asked, pinned = server
    download_pdk(tmp_path/"pdk", pinned)
    (tmp_path/"pdk"/"LICENSE").write_bytes(b"apache\n"*30000)
    asked.clear()
    download_pdk(tmp_path/"pdk", pinned)
    assert asked == ["LICENSE"] and content_of(tmp_path/"pdk") == FILES


def test_no_server(tmp_path):
    pinned = [PinnedFile("LICENSE", "http://127.0.0.1:9/LICENSE", 1, "0"*64)]
    with pytest.raises(QCLIFError, match=r"^http://127.0.0.1:9/LICENSE: the download failed \(.*refused.*\): run it"):
        download_pdk(tmp_path/"pdk", pinned)
    assert content_of(tmp_path) == {}


def test_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path/"pdk").write_text("")
    with pytest.raises(QCLIFError, match=r"pdk/lib/\S+: (Not a directory|File exists): choose another folder"):
        find_pdk(tmp_path/"pdk", download=True)


def test_pinned_list():
    pinned = pinned_files()
    for file in pinned:
        parts = file.url.removeprefix("https://raw.githubusercontent.com/").split("/")
        # A commit, which is never another file tomorrow.
        assert len(parts[2]) == 40 and set(parts[2]) <= set("0123456789abcdef")
        assert len(file.sha256) == 64 and file.size > 0 and ".." not in file.place
    assert len({file.place for file in pinned}) == len(pinned)
    libraries = {file.place for file in pinned if file.place.startswith("lib/fakeram")}
    assert {place.replace("lib", "lef") for place in libraries} <= {file.place for file in pinned}


def test_pinned_files_are_those_of_the_folder(pdk):
    """Whatever a folder and the list both have is the same."""
    compared = 0
    for file in pinned_files():
        path = pdk.folder/file.place
        if "NangateOpenCellLibrary_typical" in file.place:
            path = pdk.corner("typ").liberty
        if path.is_file():
            content = path.read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256), path
            compared += 1
    assert compared > 20
