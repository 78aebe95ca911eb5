"""An independent telling of what an attempt must score: by the options' texts, never by their letters."""

import random
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Authored:
    """A question as its teacher wrote it. `right`: option texts, a bool, a number or accepted texts."""

    type: str
    text: str
    right: Any = None
    options: tuple[str, ...] = ()
    points: Decimal = Decimal(1)
    tolerance: Decimal = Decimal(0)

    def row(self) -> dict[str, Any]:
        """As a row of the question workbook."""
        row: dict[str, Any] = {"type": self.type, "question": self.text, "points": float(self.points)}
        for letter, text in zip("abcdefgh", self.options, strict=False):
            row[f"option_{letter}"] = text
        match self.type:
            case "single_choice" | "multi_choice":
                right = [
                    letter
                    for letter, text in zip("ABCDEFGH", self.options, strict=False)
                    if text in self.right
                ]
                row["correct"] = ",".join(right)
            case "true_false":
                row["correct"] = "true" if self.right else "false"
            case "numeric":
                row |= {"correct": float(self.right), "tolerance": float(self.tolerance)}
            case "short_text":
                row["correct"] = "|".join(self.right)
        return row


def an_answer(question: Json, authored: Authored, chance: random.Random) -> Any:
    """Some valid answer to a question as shown, right about half of the time; None: left out."""
    if chance.random() < 0.1:
        return None
    right = chance.random() < 0.5
    letters = [option["id"] for option in question["options"]]
    match question["type"]:
        case "single_choice":
            return _letter(question, authored.right[0]) if right else chance.choice(letters)
        case "multi_choice":
            if right:
                return [_letter(question, text) for text in authored.right]
            return chance.sample(letters, chance.randint(1, len(letters)))
        case "true_false":
            return "true" if authored.right == right else "false"
        case "numeric":
            return str(authored.right + (authored.tolerance if right else authored.tolerance + 1))
        case "short_text":
            return f"  {authored.right[0].upper()} " if right else "something else"
        case _:
            return "A few sentences."


def _letter(question: Json, text: str) -> str:
    found: str = next(option["id"] for option in question["options"] if option["text"] == text)
    return found


def points_for(question: Json, authored: Authored, answer: Any) -> Decimal:
    """What the answer earns, all or nothing, without penalty; 0 for what a marker decides."""
    if answer in (None, [], ""):
        return Decimal(0)
    texts = {option["id"]: option["text"] for option in question["options"]}
    match question["type"]:
        case "single_choice":
            right = texts[answer] == authored.right[0]
        case "multi_choice":
            right = {texts[letter] for letter in answer} == set(authored.right)
        case "true_false":
            right = answer == str(authored.right).lower()
        case "numeric":
            right = abs(Decimal(answer) - authored.right) <= authored.tolerance
        case "short_text":
            right = " ".join(answer.split()).lower() in {text.lower() for text in authored.right}
        case _:
            right = False
    return authored.points if right else Decimal(0)


def score(attempt: Json, bank: dict[str, Authored], answers: dict[str, Any]) -> tuple[float, float, float]:
    """(total, max_possible, percentage) of an attempt, given the last answer to each question."""
    questions = attempt["questions"]
    earned = (points_for(one, bank[one["text"]], answers.get(one["id"])) for one in questions)
    total = sum(earned, Decimal(0))
    most = sum((bank[one["text"]].points for one in questions), Decimal(0))
    percentage = (total * 100 / most).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return float(total), float(most), float(percentage)
