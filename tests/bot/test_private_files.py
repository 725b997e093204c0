"""Files that only their owner can read, and folders left behind by a crash."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bot.logs.writer import LogWriter, TransferState
from bot.system.private_files import (
    LEFT_BEHIND_S,
    FolderPool,
    save_private,
    sweep_temporary_folders,
    temporary_folder,
)
from bot.system.private_open import open_private
from providers.redaction import Redactor
from tests.conftest import ROOT

OLD = time.time() - LEFT_BEHIND_S - 60


@pytest.fixture(autouse=True)
def temp_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def left_behind(folder: Path, name: str, *, at: float = OLD) -> Path:
    left = folder / name
    left.mkdir()
    (left / "kitchen.log").write_text("secret")
    for path in (left / "kitchen.log", left):
        os.utime(path, (at, at))
    return left


def test_downloaded_log_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        for name, plain_bytes in (("plain.log", 1000), ("packed.log", 1)):
            sink = LogWriter(
                TransferState(tmp_path / name),
                Redactor(),
                most_lines=10,
                most_bytes=1000,
                plain_bytes=plain_bytes,
            )
            sink.feed(b"one\ntwo\n")
            sink.close()
            assert mode_of(sink.transfer.path) == 0o600
    finally:
        os.umask(before)


def test_temporary_folder_is_private_and_goes() -> None:
    with temporary_folder() as folder:
        assert mode_of(folder) == 0o700
    assert not folder.exists()


def test_pooled_folder_is_used_again_and_empty() -> None:
    pool = FolderPool()
    with pool.folder() as first:
        (first / "kitchen.log").write_text("secret")
    with pool.folder() as again, pool.folder() as other:
        assert again == first and list(again.iterdir()) == []
        assert other != first and mode_of(other) == 0o700
    pool.close()
    assert not first.exists() and not other.exists()


def test_pool_keeps_few_idle_folders() -> None:
    pool = FolderPool(most_idle=1)
    with pool.folder() as one, pool.folder() as another:
        pass
    assert [one.exists(), another.exists()] == [False, True]
    pool.close()


def test_pool_replaces_what_cannot_be_reused(temp_dir: Path) -> None:
    pool = FolderPool()
    with pool.folder() as swept:
        pass
    swept.rmdir()
    with pool.folder() as nested:
        assert nested.exists()
        (nested / "more").mkdir()
    assert not nested.exists()
    pool.close()
    assert list(temp_dir.iterdir()) == []


def test_pooled_folder_in_use_is_not_swept(temp_dir: Path) -> None:
    pool = FolderPool()
    with pool.folder() as folder:
        pass
    os.utime(folder, (OLD, OLD))
    assert sweep_temporary_folders() == 0 and folder.exists()
    pool.close()


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError):
        open_private(tmp_path / "link", "wb")
    assert not (tmp_path / "target").exists()


def test_saved_file_is_private(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "kitchen.log.gz").write_text("mine")
    (out / "kitchen-1.log.gz").symlink_to(tmp_path / "elsewhere")
    source = tmp_path / "kitchen.log.gz"
    source.write_text("new")
    saved = save_private(source, out, source.name)
    assert (saved.name, saved.read_text(), mode_of(saved)) == ("kitchen-2.log.gz", "new", 0o600)
    assert (out / "kitchen.log.gz").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists() and not source.exists()


def test_saved_file_crosses_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("bot.system.private_files.os.replace", refuse)
    source = tmp_path / "kitchen.log"
    source.write_text("new")
    saved = save_private(source, tmp_path / "out", source.name)
    assert (saved.read_text(), mode_of(saved), source.exists()) == ("new", 0o600, False)


def test_sweep_removes_only_own_old_folders(temp_dir: Path, tmp_path: Path) -> None:
    ours = left_behind(temp_dir, "opswatch-abc")
    kept = [
        left_behind(temp_dir, "opswatch-new", at=time.time()),
        left_behind(temp_dir, "otherwatch-abc"),
    ]
    growing = left_behind(temp_dir, "opswatch-growing")
    (growing / "kitchen.log").write_text("more")
    os.utime(growing, (OLD, OLD))
    file = temp_dir / "opswatch-file"
    file.write_text("a file")
    os.utime(file, (OLD, OLD))
    target = left_behind(tmp_path, "opswatch-target")
    link = temp_dir / "opswatch-link"
    link.symlink_to(target)
    os.utime(link, (OLD, OLD), follow_symlinks=False)
    assert sweep_temporary_folders() == 1
    assert not ours.exists()
    assert all(path.exists() for path in (*kept, growing, file, link, target / "kitchen.log"))


def test_sweep_leaves_folders_of_others(temp_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = left_behind(temp_dir, "opswatch-abc")
    me = os.getuid()
    monkeypatch.setattr("bot.system.private_files.os.getuid", lambda: me + 1)
    assert sweep_temporary_folders() == 0
    assert theirs.exists()


def test_sweep_removes_folder_after_kill(temp_dir: Path) -> None:
    program = (
        "import sys, time\nfrom bot.system.private_files import temporary_folder\nwith "
        "temporary_folder() as f:\n print(f, flush=True)\n time.sleep(600)"
    )
    environ = {**os.environ, "TMPDIR": str(temp_dir), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environ
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        os.utime(folder, (OLD, OLD))
        assert sweep_temporary_folders() == 0
        process.kill()
    assert folder.exists()
    assert sweep_temporary_folders() == 1
    assert not folder.exists()
