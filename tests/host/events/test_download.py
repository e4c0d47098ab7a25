# This file is part of the qCLIF SoC. SPDX-License-Identifier: BSD-2-Clause

"""Downloads of data sets, from a server that answers as it should and as it should not."""

import hashlib
import io
import tarfile

import numpy as np
import pytest

from accel.errors import QCLIFError
from host.data.datasets import load
from host.events.formats import published, read_dataset
from tests.helpers.http_server import serving
from tests.host.events.test_formats import rows_of


def archive(place="ibmGestureTrain"):
    """A small archive as figshare has it: columns x, y, p and t in milliseconds, by user, light and class."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for user, label in (("user01_led", 0), ("user01_led", 3), ("user02_natural", 10)):
            array = io.BytesIO()
            np.save(array, np.array([[label, 2, 1, 4], [127, 0, 0, 5]], np.float64))
            info  = tarfile.TarInfo(f"{place}/{user}/{label}.npy")
            info.size = len(array.getvalue())
            tar.addfile(info, io.BytesIO(array.getvalue()))
    return content.getvalue()


@pytest.fixture
def server(monkeypatch):
    """Answers with what it is told: status, content, and the bytes that it announces."""
    answers = {}
    with serving(answers, {"moved": "archive"}) as (address, _):
        def answer(status, content, announced=None, md5=None, path="/archive"):
            answers["archive"] = status, len(content) if announced is None else announced, content
            values = {"url": address + path, "md5": md5 or hashlib.md5(content).hexdigest()}
            monkeypatch.setitem(published.CHANGES, "DVSGesture",
                {f"{split}_{name}": value for split in ("train", "test") for name, value in values.items()})

        yield answer


def files_of(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", ["/archive", "/moved"])
def test_download(server, tmp_path, capsys, path):
    server(200, archive(), path=path)
    samples = list(read_dataset("DVSGesture", tmp_path/"data", download=True))
    assert [(sample.name, sample.label) for sample in samples] == [("user01_led/0", 0), ("user01_led/3", 3),
        ("user02_natural/10", 10)]
    assert rows_of(samples[1]) == [(3, 2, 1, 4000), (127, 0, 0, 5000)]
    assert files_of(tmp_path) == ["data/DVSGesture/ibmGestureTrain.tar.gz",
        *(f"data/DVSGesture/ibmGestureTrain/{sample.name}.npy" for sample in samples)]
    # What is there is not fetched again; standard output stays a program's.
    server(404, b"")
    assert len(list(read_dataset("DVSGesture", tmp_path/"data", download=True))) == 3
    assert capsys.readouterr().out == ""


def test_download_of_the_other_split(server, tmp_path, monkeypatch):
    monkeypatch.setenv("QCLIF_CACHE", str(tmp_path/"cache"))
    for split, place in (("train", "ibmGestureTrain"), ("test", "ibmGestureTest")):
        server(200, archive(place))
        assert load("dvsgesture", tmp_path/"data", split, download=True).labels.tolist() == [0, 3, 10]


WHOLE = archive()


@pytest.mark.parametrize("status, content, announced, md5, text", [
    (200, WHOLE, None, "0"*32, "File not found or corrupted."),                                    # wrong checksum
    (202, b"", None, hashlib.md5(WHOLE).hexdigest(), "File not found or corrupted."),              # tonic's address
    (200, WHOLE[:-100], len(WHOLE), hashlib.md5(WHOLE).hexdigest(), "File not found or corrupted."),
    (404, b"", None, None, "HTTP Error 404"),
    (200, WHOLE[:-100], None, None, "Compressed file ended"),                                      # unpacked in part
    (200, archive("elsewhere"), None, None, "it holds no ibmGestureTrain/**/*.npy"),
# Not named by their contents: archives hold the time of their making, and all processes of a run name a test alike.
], ids=["checksum", "accepted", "cut", "absent", "cut and right", "elsewhere"])
def test_failed_downloads(server, tmp_path, status, content, announced, md5, text):
    server(status, content, announced, md5)
    with pytest.raises(QCLIFError) as error:
        list(read_dataset("DVSGesture", tmp_path/"data", download=True))
    message = str(error.value)
    assert message.startswith("dataset DVSGesture: ") and text in message and "\n" not in message
    assert files_of(tmp_path) == [] and not list(tmp_path.glob("data/.*"))


def test_server_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setitem(published.CHANGES, "DVSGesture", {"train_url": "http://127.0.0.1:9/archive"})
    with pytest.raises(QCLIFError, match=r"failed .* refused.*: fetch ibmGestureTrain.tar.gz by hand and unpack it to"):
        list(read_dataset("DVSGesture", tmp_path, download=True))


def test_addresses_replace_tonics():
    from tonic.datasets import DVSGesture

    for name, value in published.CHANGES["DVSGesture"].items():
        # The same file of figshare, by its number.
        assert getattr(DVSGesture, name).rsplit("/")[-1] == value.rsplit("/")[-1] and getattr(DVSGesture, name) != value
