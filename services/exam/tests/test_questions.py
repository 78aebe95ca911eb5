"""The bank in Postgres: batches, history, search, and taking questions out."""

import asyncio
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from exam_service.domain.bank import PutItem
from exam_service.domain.question import content_problem
from exam_service.repository import questions
from exam_service.repository.questions import QuestionFilter, QuestionRow
from exam_service.usecases.actor import Actor
from exam_service.usecases.questions import archive_question, put_questions
from examkit.db import Database
from examkit.errors import AppError
from examkit.ids import uuid7

from .builders import bank, content, draft, item, published, rows


async def get(db: Database, question_id: UUID | None) -> QuestionRow | None:
    assert question_id is not None
    async with db.reading() as conn:
        return await questions.get_question(conn, question_id)


async def find(db: Database, limit: int = 200, **wanted: str) -> list[str]:
    async with db.reading() as conn:
        found = await questions.list_questions(conn, QuestionFilter(**wanted), limit=limit, after=None)
    return [row.content.text for row in found]


async def test_what_goes_in_comes_out_as_it_was(db: Database, admin: Actor) -> None:
    offered = content(
        "If $a < b$ & `c > d`, what <is> 100 % \\_ of it?\n\n*Σ* ∀ 😀",
        external_id="ext-1",
        tags=("a b", "ü"),
        media=[{"file_id": "f1", "alt": "x"}],
        points_hundredths=250,
    )
    outcome = (await put_questions(db, admin, [item(offered)]))[0]
    stored = await get(db, outcome.question_id)
    assert stored is not None
    assert stored.content == offered
    assert (stored.version, outcome.kind) == (1, "created")


async def test_editing_makes_a_new_version_and_keeps_the_old_one(db: Database, admin: Actor) -> None:
    (question_id,) = await bank(db, content("first"))
    edited = item(content("second"), question_id=question_id, expected_version=1)
    assert (await put_questions(db, admin, [edited]))[0].version == 2
    late = item(content("third"), question_id=question_id, expected_version=1)
    assert (await put_questions(db, admin, [late]))[0].code == "stale_version"
    stored = await get(db, question_id)
    assert stored is not None
    assert (stored.content.text, stored.version_id) == ("second", edited.version_id)
    history = await rows(db, "SELECT text FROM question_versions ORDER BY version")
    assert [row["text"] for row in history] == ["first", "second"]
    trail = await rows(db, "SELECT action, before, after, actor_id FROM audit ORDER BY at, id")
    assert [entry["action"] for entry in trail] == ["question.created", "question.updated"]
    assert (trail[1]["before"]["version"], trail[1]["after"]["version"]) == (1, 2)
    assert trail[1]["actor_id"] == admin.id


async def test_a_repeated_call_is_answered_as_at_first(db: Database, admin: Actor) -> None:
    items = [item(content(f"{n}", external_id=f"e{n}")) for n in range(5)]
    first = await put_questions(db, admin, items)
    again = await put_questions(db, admin, [*items[::-1], item(content("new"))])
    assert [o.kind for o in again] == ["repeated"] * 5 + ["created"]
    assert [(o.question_id, o.version) for o in again[:5]] == [
        (o.question_id, o.version) for o in first[::-1]
    ]
    assert (await rows(db, "SELECT count(*) FROM question_versions"))[0]["count"] == 6


async def test_external_ids_may_change_hands_within_a_batch(db: Database, admin: Actor) -> None:
    one, two = await bank(db, content("1", external_id="x"), content("2", external_id="y"))
    outcomes = await put_questions(
        db,
        admin,
        [
            item(content("1", external_id=""), question_id=one),
            item(content("2", external_id="x"), question_id=two),
            item(content("1", external_id="y"), question_id=one),
        ],
    )
    assert [o.kind for o in outcomes] == ["updated"] * 3
    held = await rows(db, "SELECT id, external_id, version FROM questions ORDER BY version")
    assert [(row["id"], row["external_id"], row["version"]) for row in held] == [(two, "x", 2), (one, "y", 3)]


async def test_batches_that_meet_end_as_one_question_each(db: Database, admin: Actor) -> None:
    def batch() -> list[PutItem]:
        return [item(content(f"{n}", external_id=f"e{n % 40}")) for n in range(80)]

    same = batch()
    await asyncio.gather(
        *(put_questions(db, admin, items) for items in (batch(), batch()[::-1], same, same, batch()))
    )
    counted = await rows(
        db, "SELECT count(*) AS n, min(version) AS least, max(version) AS most FROM questions"
    )
    assert counted == [{"n": 40, "least": 8, "most": 8}]


async def test_lists_are_newest_first_by_pages_and_filters(db: Database, admin: Actor) -> None:
    await put_questions(
        db,
        admin,
        # Ids without any order: it is the batch that gives it.
        [
            item(content(f"Q{n}", category=f"c{n % 2}", tags=(f"t{n % 3}",)), fallback_id=uuid4())
            for n in range(7)
        ],
    )
    await put_questions(db, admin, [item(content("100% _x_ \\ done", type="text"))])
    assert await find(db) == ["100% _x_ \\ done", *(f"Q{n}" for n in range(6, -1, -1))]
    assert await find(db, category="c1") == ["Q5", "Q3", "Q1"]
    assert await find(db, tag="t0", category="c0") == ["Q6", "Q0"]
    assert await find(db, type="text") == ["100% _x_ \\ done"]
    assert await find(db, q="q3") == ["Q3"]
    for literal in ("100%", "_X_", "\\ d"):
        assert await find(db, q=literal) == ["100% _x_ \\ done"]
    assert await find(db, q="Q_") == []
    seen: list[str] = []
    after = None
    while True:
        async with db.reading() as conn:
            page = await questions.list_questions(conn, QuestionFilter(), limit=3, after=after)
        if not page:
            break
        seen += [row.content.text for row in page]
        after = (page[-1].created_at, page[-1].id)
    assert seen == await find(db)


async def test_an_archived_question_leaves_the_bank_and_stays_on_papers(db: Database, admin: Actor) -> None:
    free, used, sat = await bank(db, *(content(name, external_id=name) for name in ("free", "used", "sat")))
    view = await draft(db, [used])
    await published(db, [sat])
    with pytest.raises(AppError, match="in_use"):
        await archive_question(db, admin, used)
    for question_id in (free, sat):
        await archive_question(db, admin, question_id)
        assert await get(db, question_id) is None
        with pytest.raises(AppError, match="not_found"):
            await archive_question(db, admin, question_id)
    assert await find(db) == ["used"]
    assert view.question_count == 1
    again = (await put_questions(db, admin, [item(content("free", external_id="free"))]))[0]
    assert (again.kind, again.version) == ("created", 1)
    edited = (await put_questions(db, admin, [item(content("x"), question_id=free)]))[0]
    assert edited.code == "not_found"


async def test_twenty_thousand_questions_go_in_by_batches(db: Database, admin: Actor) -> None:
    statements: list[str] = []
    sa.event.listen(db._engine.sync_engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    await put_questions(db, admin, [item(content(external_id="alone"))])
    alone = len(statements)
    for start in range(0, 20_000, 500):
        batch = [item(content(f"What is {n} + {n}?", external_id=f"q{n}")) for n in range(start, start + 500)]
        statements.clear()
        outcomes = await put_questions(db, admin, batch)
        assert {o.kind for o in outcomes} == {"created"}
        assert len(statements) == alone
    assert (await rows(db, "SELECT count(*) FROM questions"))[0]["count"] == 20_001


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "   "},
        {"text": "a\x00b"},
        {"text": "x" * 20_001},
        {"type": "essay"},
        {"type": ""},
        {"options": ()},
        {"options": content().options[:1]},
        {"options": content().options + content().options[:1]},
        {"type": "numeric", "options": content().options},
        {"points_hundredths": 0},
        {"points_hundredths": 100_001},
        {"category": "x" * 201},
        {"external_id": "\x00"},
        {"tags": ("",)},
        {"tags": tuple(str(n) for n in range(51))},
        {"media": [{"alt": "\ud800"}]},
        {"media": [{"a\x00": 1}]},
    ],
)
def test_content_that_is_refused(changes: dict) -> None:  # type: ignore[type-arg]
    problem = content_problem(content(**changes))
    assert problem is not None
    assert problem.endswith(".")


async def test_a_refused_item_costs_the_others_nothing(db: Database, admin: Actor) -> None:
    outcomes = await put_questions(
        db, admin, [item(content("a")), item(content("nul\x00")), item(content("c"), question_id=uuid7())]
    )
    assert [(o.kind, o.code) for o in outcomes] == [
        ("created", ""),
        ("rejected", "invalid"),
        ("rejected", "not_found"),
    ]
    assert await find(db) == ["a"]
