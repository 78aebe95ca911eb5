import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it, vi } from "vitest";
import type { AttemptQuestion } from "@/api/student.gen";
import { show } from "@/testing";
import { QuestionView } from "./QuestionView";
import type { Answer } from "./types";

const OPTIONS = [
  { id: "A", text: "Mars" },
  { id: "B", text: "Venus" },
  { id: "C", text: "Earth" },
];

function question(type: AttemptQuestion["type"]): AttemptQuestion {
  return { id: "q1", media: [], options: OPTIONS, order: 1, points: 2, text: "Which planet?", type };
}

/** As a page would hold it. */
function Held({ type, first, heard }: Shown) {
  const [answer, setAnswer] = useState<Answer>(first);
  const [onAnswer] = useState(() => (next: Answer) => {
    heard(next);
    setAnswer(next);
  });
  return (
    <QuestionView
      question={question(type)}
      number={3}
      answer={answer}
      onAnswer={onAnswer}
      disabled={false}
      attemptId="a1"
      practice
    />
  );
}

interface Shown {
  type: AttemptQuestion["type"];
  first: Answer;
  heard: (answer: Answer) => void;
}

function shown(type: AttemptQuestion["type"], first: Answer = null) {
  const heard = vi.fn();
  show(<Held type={type} first={first} heard={heard} />);
  return heard;
}

describe("a question", () => {
  it("is named by its number and text, and its heading takes the focus", () => {
    shown("single_choice");
    const heading = screen.getByRole("heading", { name: "Question 3" });
    expect(heading.id).toBe("question-q1");
    heading.focus();
    expect(document.activeElement).toBe(heading);
    expect(screen.getByRole("group", { name: "Question 3 Which planet?" })).toBeDefined();
    expect(screen.getByText("2 points")).toBeDefined();
  });

  it("takes one choice, and takes it back with the focus kept", async () => {
    const heard = shown("single_choice");
    expect(screen.queryByRole("button")).toBeNull();
    await userEvent.click(screen.getByText("Venus"));
    expect(heard).toHaveBeenLastCalledWith("B");
    await userEvent.click(screen.getByRole("button", { name: "Clear the choice" }));
    expect(heard).toHaveBeenLastCalledWith(null);
    expect(document.activeElement).toBe(screen.getByRole("radio", { name: "A Mars" }));
  });

  it("takes several choices in the order of the options", async () => {
    const heard = shown("multi_choice");
    await userEvent.click(screen.getByRole("checkbox", { name: "C Earth" }));
    await userEvent.click(screen.getByRole("checkbox", { name: "A Mars" }));
    expect(heard).toHaveBeenLastCalledWith(["A", "C"]);
    await userEvent.click(screen.getByRole("checkbox", { name: "C Earth" }));
    await userEvent.click(screen.getByRole("checkbox", { name: "A Mars" }));
    expect(heard).toHaveBeenLastCalledWith(null);
  });

  it("asks for true or false by name", async () => {
    const heard = shown("true_false");
    await userEvent.click(screen.getByRole("radio", { name: "False" }));
    expect(heard).toHaveBeenLastCalledWith("false");
  });

  it("reads a number, and says what is none without losing it", async () => {
    const heard = shown("numeric");
    const field = screen.getByRole("textbox", { name: "Question 3 Which planet?" });
    await userEvent.type(field, "3,5");
    expect(heard).toHaveBeenLastCalledWith("3.5");
    expect(screen.getByText("Read as 3.5")).toBeDefined();
    await userEvent.type(field, " cm");
    expect(heard).toHaveBeenLastCalledWith(null);
    expect(field).toHaveProperty("value", "3,5 cm");
    expect(field.getAttribute("aria-invalid")).toBe("true");
  });

  it("counts the words of a text, and clears to null", async () => {
    const heard = shown("text", "two words");
    expect(screen.getByText("2 words")).toBeDefined();
    await userEvent.clear(screen.getByRole("textbox"));
    expect(heard).toHaveBeenLastCalledWith(null);
  });

  it("sends nothing in a practice, and refuses what is no picture", async () => {
    const heard = shown("image");
    const user = userEvent.setup({ applyAccept: false });
    const input = document.querySelector<HTMLInputElement>("input[type=file]");
    if (!input) throw new Error("no file input");
    await user.upload(input, new File(["x"], "notes.pdf", { type: "application/pdf" }));
    expect(screen.getByRole("alert").textContent).toContain("not a JPEG");
    expect(heard).not.toHaveBeenCalled();
    URL.createObjectURL = () => "blob:one";
    URL.revokeObjectURL = () => undefined;
    await user.upload(input, new File(["x"], "photo.png", { type: "image/png" }));
    expect(heard).toHaveBeenLastCalledWith(expect.stringMatching(/^practice-/));
    expect(await screen.findByRole("img", { name: "Your picture" })).toBeDefined();
  });
});
