"""The exercises: each has a check and a solution that passes it, and a wrong answer gets a useful word."""

import os
import tomllib

import nbformat
import pytest
from lessons import CHINESE, ENGLISH, NOTEBOOKS, code, outputs, read, renew, shown
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

CHECKS = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((NOTEBOOKS / "checks").glob("*.toml"))}
SOLUTIONS = [f"solutions/{name}" for name in ENGLISH]
QUERIES = [name for name, check in CHECKS.items() if "answer" in check]
QUESTIONS = [name for name in CHECKS if name not in QUERIES]


def exercises(name):
    return [cell.source.split()[1] for cell in code(read(name).cells) if cell.source.startswith("%%check")]


def test_every_check_is_an_exercise_of_one_lesson_and_has_a_solution():
    assert sorted(check for name in ENGLISH for check in exercises(name)) == sorted(CHECKS)
    assert len(CHECKS) >= 30
    for english, chinese, solution in zip(ENGLISH, CHINESE, SOLUTIONS, strict=True):
        assert 2 <= len(exercises(english))
        assert exercises(english) == exercises(chinese) == exercises(solution)


@pytest.mark.parametrize("name", SOLUTIONS)
def test_a_solution_passes_every_check(executed, folder, name):
    if os.environ.get("UPDATE") == "1":
        renew(name, executed(name), folder)
    for cell in code(executed(name).values()):
        assert "--fail" in cell.source
        assert outputs(cell, "error") == [] and "Right!" in shown(cell), cell.id


@pytest.mark.parametrize("name", [*ENGLISH, *CHINESE])
def test_an_exercise_without_an_answer_says_what_is_to_be_done(executed, name):
    for cell in code(executed(name).values()):
        if cell.source.startswith("%%check"):
            assert "There is no answer" in shown(cell)


@pytest.fixture(scope="module")
def attempts(folder):
    """Run many answers in one kernel; gives what was shown to each."""

    def run(texts):
        cells = [new_code_cell(text) for text in texts]
        notebook = new_notebook(cells=cells, metadata={"kernelspec": {"name": "tidebook", "display_name": "Tidebook"}})
        nbformat.validate(notebook)
        NotebookClient(notebook, timeout=60, allow_errors=True, resources={"metadata": {"path": str(folder)}}).execute()
        return [shown(cell) for cell in notebook.cells]

    return run


def test_known_mistakes_are_told(attempts):
    wrong = [(name, mistake) for name in QUERIES for mistake in CHECKS[name].get("mistake", [])]
    answers = attempts([attempt(name, CHECKS[name]["answer"], mistake) for name, mistake in wrong])
    for (name, mistake), answer in zip(wrong, answers, strict=True):
        assert "Right!" not in answer and plain(mistake["say"]) in plain(answer), f"{name}: {answer}"


def test_queries_that_do_not_run_or_give_nothing_get_a_word_and_no_trace(attempts):
    texts = {"SELECT nosuch FROM nowhere": "does not run", "SELEC 1": "does not run"}
    for text, said in texts.items():
        for answer in attempts([f"%%check {name}\n{text}" for name in QUERIES]):
            assert said in answer and "Traceback" not in answer and "panicked" not in answer


def test_an_endless_answer_is_stopped_and_told(attempts):
    # Two of them: each takes the patience of a check.
    texts = []
    for name in QUERIES[:2]:
        stream = CHECKS[name]["source"][0]["name"]
        texts.append(f"%%check {name} --mode complete\nSELECT count(*) AS n FROM {stream} CROSS JOIN range(100000000000)")
    for answer in attempts(texts):
        assert "still busy" in answer and "Look at JOIN" in answer


def test_wrong_words_are_answered(attempts):
    told = [(name, wrong) for name in QUESTIONS for wrong in ["something else", *CHECKS[name].get("wrong", {})]]
    for (name, wrong), answer in zip(told, attempts([f"%%check {name}\n{wrong}" for name, wrong in told]), strict=True):
        expected = CHECKS[name].get("wrong", {}).get(wrong) or CHECKS[name]["hints"]["values"]
        assert "Not yet" in answer and plain(expected) in plain(answer), f"{name}, '{wrong}': {answer}"


def attempt(name, answer, mistake):
    flags = []
    if (mode := mistake.get("mode", answer.get("mode", "append"))) != "append":
        flags.append(f"--mode {mode}")
    if watermark := mistake.get("watermark", answer.get("watermark")):
        flags.append(f'--watermark "{watermark}"')
    return f"%%check {name} {' '.join(flags)}\n{mistake.get('query', answer['query'])}"


def plain(text):
    return " ".join(text.split())
