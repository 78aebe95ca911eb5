"""Statistics of an exam, computed by Postgres from stored grades."""

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

MOST_ANSWERS = 10
MOST_CHARACTERS = 200

# Which attempts count, said here alone: of each student the last one that has a grade that was not withdrawn.
_COUNTED = """
    counted AS MATERIALIZED (
        SELECT DISTINCT ON (student_id) student_id, student_exam_id, total, max_possible, percentage,
               pending_count
        FROM grades WHERE exam_id = :exam_id AND NOT withdrawn ORDER BY student_id, attempt_no DESC
    )
"""
_WHOLE = sa.text(
    f"""
    WITH {_COUNTED}
    SELECT count(*) AS attempts,
           count(*) FILTER (WHERE pending_count > 0) AS pending,
           max(max_possible) AS max_possible,
           avg(total) FILTER (WHERE pending_count = 0) AS mean,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FILTER (WHERE pending_count = 0) AS median,
           stddev_samp(total) FILTER (WHERE pending_count = 0) AS sd,
           min(total) FILTER (WHERE pending_count = 0) AS lowest,
           max(total) FILTER (WHERE pending_count = 0) AS highest,
           avg(percentage) FILTER (WHERE pending_count = 0) AS mean_percentage
    FROM counted
    """  # noqa: S608 - names of ours
)
# 100 % belongs to the last bin.
_DISTRIBUTION = sa.text(
    f"""
    WITH {_COUNTED}
    SELECT least(percentage / 1000, 9) AS bin, count(*) AS attempts
    FROM counted WHERE pending_count = 0 GROUP BY bin
    """  # noqa: S608 - names of ours
)
# `settled`: the questions of which every answer has its score. Of these alone is the sum that an item is held
# against, without itself: a question that waits for its marks, or does not count, would say nothing there.
_QUESTIONS = sa.text(
    rf"""
    WITH {_COUNTED},
    item AS MATERIALIZED (
        SELECT student_id, question_id, status, CAST(score AS float8) AS score, max_score,
               answer IS NOT NULL AND answer <> '[]'
               AND (jsonb_typeof(answer) <> 'string' OR answer #>> '{{}}' ~ '\S') AS given
        FROM counted JOIN grade_items USING (student_id, student_exam_id)
    ),
    settled AS MATERIALIZED (
        SELECT question_id FROM item GROUP BY question_id HAVING bool_and(status = 'graded')
    ),
    whole AS MATERIALIZED (
        SELECT student_id, sum(score) AS total FROM item JOIN settled USING (question_id) GROUP BY student_id
    ),
    by_question AS (
        SELECT question_id,
               count(*) FILTER (WHERE given) AS answered,
               count(*) FILTER (WHERE status = 'graded') AS graded,
               count(*) FILTER (WHERE status = 'pending') AS pending,
               bool_or(status = 'excluded') AS excluded,
               avg(score) FILTER (WHERE status = 'graded') AS mean,
               avg(score / max_score) FILTER (WHERE status = 'graded') AS difficulty,
               CASE WHEN bool_and(status = 'graded') THEN var_samp(score) END AS variance,
               CASE WHEN bool_and(status = 'graded') THEN corr(score, total - score) END AS discrimination
        FROM item LEFT JOIN whole USING (student_id) GROUP BY question_id
    )
    SELECT question.question_id, question.type, question.option_ids, question.points AS max_score,
           question.position, coalesce(answered, 0) AS answered, coalesce(graded, 0) AS graded,
           coalesce(pending, 0) AS pending, coalesce(excluded, false) AS excluded, mean, difficulty, variance,
           discrimination, (SELECT var_samp(total) FROM whole) AS total_variance
    FROM paper_questions AS question LEFT JOIN by_question USING (question_id)
    WHERE question.exam_id = :exam_id ORDER BY question.position
    """  # noqa: S608 - names of ours
)
_OPTIONS = sa.text(
    f"""
    WITH {_COUNTED}
    SELECT item.question_id, chosen.answer, count(*) AS times
    FROM counted JOIN grade_items AS item USING (student_id, student_exam_id)
         JOIN paper_questions AS question
              ON question.exam_id = :exam_id AND question.question_id = item.question_id
              AND question.type IN ('single_choice', 'multi_choice', 'true_false')
         CROSS JOIN LATERAL jsonb_array_elements_text(
             CASE jsonb_typeof(item.answer)
                  WHEN 'array' THEN item.answer
                  WHEN 'string' THEN jsonb_build_array(item.answer)
                  ELSE '[]'
             END
         ) AS chosen (answer)
    GROUP BY item.question_id, chosen.answer
    """  # noqa: S608 - names of ours
)
_TYPED = sa.text(
    rf"""
    WITH {_COUNTED},
    typed AS (
        SELECT item.question_id, left(trim(item.answer #>> '{{}}'), :most_characters) AS answer,
               count(*) AS times
        FROM counted JOIN grade_items AS item USING (student_id, student_exam_id)
             JOIN paper_questions AS question
                  ON question.exam_id = :exam_id AND question.question_id = item.question_id
                  AND question.type IN ('numeric', 'short_text')
        WHERE jsonb_typeof(item.answer) = 'string' AND item.answer #>> '{{}}' ~ '\S'
        GROUP BY item.question_id, answer
    ),
    ranked AS (
        SELECT typed.*, row_number() OVER (PARTITION BY question_id ORDER BY times DESC, answer) AS place
        FROM typed
    )
    SELECT question_id, answer, times FROM ranked WHERE place <= :most_answers ORDER BY question_id, place
    """  # noqa: S608 - names of ours
)


@dataclass(frozen=True)
class Whole:
    """The exam as a whole. Hundredths; all but the counts are of attempts that wait for no marker."""

    attempts: int
    pending: int
    max_possible: int | None
    mean: float | None
    median: float | None
    sd: float | None
    lowest: int | None
    highest: int | None
    mean_percentage: float | None


@dataclass(frozen=True)
class QuestionFigures:
    """One question. Hundredths; None is undefined. `variance` and `discrimination`: once all is graded."""

    question_id: UUID
    type: str
    option_ids: list[str]
    max_score: int
    position: int
    answered: int
    graded: int
    pending: int
    excluded: bool
    mean: float | None
    difficulty: float | None
    variance: float | None
    discrimination: float | None
    total_variance: float | None


async def whole(conn: AsyncConnection, exam_id: UUID) -> Whole:
    row = (await conn.execute(_WHOLE, {"exam_id": exam_id})).one()
    return Whole(**{field.name: _number(row._mapping[field.name]) for field in fields(Whole)})


async def distribution(conn: AsyncConnection, exam_id: UUID) -> list[int]:
    """How many attempts have from 0 %, from 10 %, … from 90 % to 100 %."""
    found = {row.bin: row.attempts for row in await conn.execute(_DISTRIBUTION, {"exam_id": exam_id})}
    return [found.get(place, 0) for place in range(10)]


async def questions(conn: AsyncConnection, exam_id: UUID) -> list[QuestionFigures]:
    """Every question of the paper, in its order."""
    rows = (await conn.execute(_QUESTIONS, {"exam_id": exam_id})).all()
    return [
        QuestionFigures(**{f.name: row._mapping[f.name] for f in fields(QuestionFigures)}) for row in rows
    ]


async def answers(conn: AsyncConnection, exam_id: UUID) -> dict[UUID, dict[str, int]]:
    """How often options were chosen, in the authored letters, and what was typed most."""
    limits = {"most_answers": MOST_ANSWERS, "most_characters": MOST_CHARACTERS}
    found: dict[UUID, dict[str, int]] = {}
    for query, values in ((_OPTIONS, {}), (_TYPED, limits)):
        for row in await conn.execute(query, {"exam_id": exam_id, **values}):
            found.setdefault(row.question_id, {})[row.answer] = row.times
    return found


def _number(value: Any) -> Any:
    """Postgres's averages of whole numbers are decimals."""
    return value if value is None or isinstance(value, int) else float(value)
