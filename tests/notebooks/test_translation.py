"""The course in Traditional Chinese is the course: the same cells of code, and every cell of prose translated."""

import re

import pytest
from lessons import CHINESE, ENGLISH, NOTEBOOKS, code, prose, read

TERMS = ("串流", "浮水印", "視窗", "觸發器", "輸出模式", "檢查點", "狀態", "遲到")
# What one writes in China and not in Taiwan.
ELSEWHERE = ("数据", "窗口", "水印機制", "默认", "視頻", "信息", "程序", "內存", "軟件", "數據", "文件夾", "運行", "支持")


@pytest.mark.parametrize(("english", "chinese"), list(zip(ENGLISH, CHINESE, strict=True)))
def test_it_is_the_same_notebook(english, chinese):
    ours, theirs = read(english).cells, read(chinese).cells
    assert [(cell.id, cell.cell_type, cell.metadata) for cell in ours] == [(cell.id, cell.cell_type, cell.metadata) for cell in theirs]
    assert [cell.source for cell in code(ours)] == [cell.source for cell in code(theirs)]
    assert [cell.outputs for cell in code(ours)] == [cell.outputs for cell in code(theirs)]


@pytest.mark.parametrize("name", CHINESE)
def test_its_prose_is_chinese(name):
    for cell in prose(read(name).cells):
        assert re.search(r"[\u4e00-\u9fff]", cell.source), f"{name}: {cell.id}"
        assert [word for word in ELSEWHERE if word in cell.source] == [], f"{name}: {cell.id}"


def test_it_uses_the_terms_of_the_field():
    text = "\n".join(cell.source for name in CHINESE for cell in prose(read(name).cells))
    assert [term for term in TERMS if term not in text] == []


@pytest.mark.parametrize("name", [*ENGLISH, *CHINESE])
def test_every_link_and_picture_is_there(name):
    for cell in prose(read(name).cells):
        for link in re.findall(r"\]\(([^)#:\s]+)", cell.source):
            assert ((NOTEBOOKS / name).parent / link).exists(), f"{name}, {cell.id}: {link}"
