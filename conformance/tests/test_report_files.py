"""How a rendered file gets to where it was wanted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gateproof.reports.render import write_whole


def test_a_link_stays_one_and_its_target_is_written(tmp_path: Path) -> None:
    target, link = tmp_path / "target.html", tmp_path / "link.html"
    target.write_text("old", "utf-8")
    link.symlink_to(target)

    write_whole(link, "new")

    assert link.is_symlink()
    assert target.read_text("utf-8") == "new"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link.html", "target.html"]


def test_what_is_no_regular_file_is_written_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDWR)
    try:
        write_whole(pipe, "words")
        assert os.read(end, 100) == b"words"
    finally:
        os.close(end)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_nothing_is_left_beside_a_name_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(OSError) as raised:
        write_whole(tmp_path / "folder", "words")

    assert raised.value.filename == str(tmp_path / "folder")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]
