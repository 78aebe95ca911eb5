"use client";
/** All questions on one page. Of a long paper only what is near to the eye is rendered, and what has the focus. */
import { defaultRangeExtractor, useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { Card } from "@/ui";
import { act, questionsOf } from "../slice";
import { useShown, useSitting } from "./context";
import { headingOf } from "./focus";
import { Question } from "./Question";
import styles from "./sitting.module.css";

const RENDERED_WHOLE = 50;
const ESTIMATE_PX = 320;

export function AllQuestions({ disabled }: { disabled: boolean }) {
  const long = useShown((state) => questionsOf(state).length > RENDERED_WHOLE);
  return long ? <Virtual disabled={disabled} /> : <Whole disabled={disabled} />;
}

function Whole({ disabled }: { disabled: boolean }) {
  const questions = useShown(questionsOf);
  return (
    <div className={styles.list}>
      {questions.map(({ id }, place) => (
        <Item key={id} id={id} place={place} disabled={disabled} />
      ))}
    </div>
  );
}

function Virtual({ disabled }: { disabled: boolean }) {
  const questions = useShown(questionsOf);
  const place = useShown((state) => state.place);
  const list = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useEffect(() => setTop(list.current?.offsetTop ?? 0), []);
  const virtualizer = useWindowVirtualizer({
    count: questions.length,
    estimateSize: () => ESTIMATE_PX,
    overscan: 4,
    scrollMargin: top,
    getItemKey: (at) => questions[at]?.id ?? at,
    rangeExtractor: (range) => [...new Set([...defaultRangeExtractor(range), place])].sort((a, b) => a - b),
  });
  useEffect(() => {
    const id = questions[place]?.id;
    // Where the focus went by itself, nothing jumps.
    const near = id ? headingOf(id)?.closest("[data-place]")?.contains(document.activeElement) : true;
    if (!near) virtualizer.scrollToIndex(place, { align: "start" });
  }, [place, questions, virtualizer]);
  return (
    <div ref={list} className={styles.virtual} style={{ height: virtualizer.getTotalSize() }}>
      {virtualizer.getVirtualItems().map(({ key, index, start }) => (
        <div
          key={key}
          ref={virtualizer.measureElement}
          data-index={index}
          className={styles.virtualItem}
          style={{ transform: `translateY(${start - top}px)` }}
        >
          <Item id={questions[index]?.id ?? ""} place={index} disabled={disabled} />
        </div>
      ))}
    </div>
  );
}

function Item({ id, place, disabled }: { id: string; place: number; disabled: boolean }) {
  const sitting = useSitting();
  return (
    <div
      data-place={place}
      onFocusCapture={() => {
        if (sitting.state.place !== place) sitting.dispatch(act.placeChanged(place));
      }}
    >
      <Card>
        <Question id={id} place={place} disabled={disabled} />
      </Card>
    </div>
  );
}
