import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  asTimer,
  type Clock,
  hasDrifted,
  heard,
  passed,
  recalled,
  remainingMs,
  shownMs,
  urgency,
} from "./clock";

const START = 1_800_000_000_000;

function at(now: number, wall = START + now) {
  return { now, wall };
}

function word(seconds: number, version = 1) {
  return {
    time_remaining_seconds: seconds,
    deadline_version: version,
    deadline: new Date(START + seconds * 1000).toISOString(),
    server_time: new Date(START).toISOString(),
  };
}

function clock(seconds: number, version = 1): Clock {
  return heard(null, word(seconds, version), at(0), at(0));
}

describe("the time that is left", () => {
  it("counts down by the monotonic clock, whatever the device's clock is set to", () => {
    fc.assert(
      fc.property(fc.nat(7200), fc.nat(7_200_000), fc.integer(), (seconds, later, wall) => {
        expect(remainingMs(clock(seconds), at(later, wall))).toBe(Math.max(0, seconds * 1000 - later));
      }),
    );
  });

  it("never grows by itself", () => {
    fc.assert(
      fc.property(fc.nat(7200), fc.nat(1e7), fc.nat(1e7), (seconds, one, two) => {
        const [first, second] = [Math.min(one, two), Math.max(one, two)];
        const kept = clock(seconds);
        expect(remainingMs(kept, at(second))).toBeLessThanOrEqual(remainingMs(kept, at(first)));
      }),
    );
  });

  it("takes the server's word as spoken half a round trip ago", () => {
    expect(remainingMs(heard(null, word(60), at(0), at(2000)), at(2000))).toBe(59_000);
  });

  it("follows a newer deadline, and hears no older one", () => {
    const extended = heard(clock(60, 1), word(600, 2), at(0), at(0));
    expect(remainingMs(extended, at(0))).toBe(600_000);
    expect(heard(extended, word(60, 1), at(0), at(0))).toBe(extended);
  });
});

describe("after a reload without a connection", () => {
  it("goes on by the device's clock, corrected by what the server's said", () => {
    const kept = heard(null, word(600), at(5000, START + 90_000), at(5000, START + 90_000));
    expect(remainingMs(recalled(kept, at(10, START + 150_000)), at(10))).toBe(540_000);
  });

  it("never gives more than was left", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), (shift) => {
        expect(recalled(clock(600), at(0, START + shift)).remainingMs).toBeLessThanOrEqual(600_000);
      }),
    );
  });
});

describe("a sleep", () => {
  it("is told by the two clocks parting", () => {
    expect(hasDrifted(clock(600), at(1000))).toBe(false);
    expect(hasDrifted(clock(600), at(1000, START + 3_600_000))).toBe(true);
    expect(hasDrifted(clock(600), at(60_000, START))).toBe(true);
  });

  it("leaves less time to be shown, and closes nothing", () => {
    const asleep = at(1000, START + 300_000);
    expect([shownMs(clock(600), asleep), remainingMs(clock(600), asleep)]).toEqual([300_000, 599_000]);
    expect(shownMs(clock(600), at(60_000, START))).toBe(540_000);
  });
});

describe("thresholds", () => {
  it("are passed once each, however the clock is looked at", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900_000 }), { minLength: 1 }), (looks) => {
        const times = [900_000, ...looks.sort((a, b) => b - a)];
        const said = times.slice(1).map((after, before) => passed(times[before] ?? 0, after));
        const numbers = said.filter((one) => one !== null);
        expect(new Set(numbers).size).toBe(numbers.length);
      }),
    );
  });

  it("say the last one, when several are passed at once", () => {
    expect(passed(700_000, 50_000)).toBe(1);
    expect(passed(300_001, 300_000)).toBe(5);
    expect(passed(300_000, 299_000)).toBe(null);
  });
});

describe("how it looks", () => {
  it.each([
    [3_723_000, "1:02:03"],
    [2_527_000, "42:07"],
    [999, "0:01"],
    [0, "0:00"],
  ])("%d ms is %s", (left, shown) => expect(asTimer(left)).toBe(shown));

  it("is urgent under five minutes, and soon under ten", () => {
    expect([600_000, 599_999, 299_999, 0].map(urgency)).toEqual(["calm", "soon", "urgent", "over"]);
  });
});
