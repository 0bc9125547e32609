// Decisions of the pages that need no browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContactResponse, MessageResponse, Place, Waiting } from "./types.ts";
import { readFragment } from "../../../web/shared/fragment.ts";
import { phoneName } from "../../../web/shared/phone-name.ts";
import { callable } from "../../../web/parents/callable.ts";
import { shortCode } from "../../../web/parents/check/code.ts";
import { isDueToLock } from "../../../web/parents/lock-rules.ts";
import { parse } from "../../../web/shared/sse.ts";
import { Refused } from "../../../web/shared/api.ts";
import { merged } from "../../../web/parents/talk/conversation.ts";
import { meaningOfLift } from "../../../web/parents/talk/meaning.ts";
import { isDue, pauseAfter } from "../../../web/parents/talk/queue.ts";
import { reached, shownStates } from "../../../web/parents/talk/states.ts";
import { mapAddress } from "../../../web/parents/place/address.ts";
import { drawingOf } from "../../../web/parents/place/sketch.tsx";

test("an address begins with its code, and nothing else does", () => {
  assert.deepEqual(readFragment("/pair", "#482913"), { kind: "pair", code: "482913" });
  assert.deepEqual(readFragment("/log-in", "#slip=k3mq-q2x7-abcd"), { kind: "slip", code: "k3mq-q2x7-abcd" });
  assert.deepEqual(readFragment("/log-in", "#wall=k3m9-q2x7"), { kind: "wall", code: "k3m9-q2x7" });
  for (const [path, fragment] of [["/", "#slip=a"], ["/pair", ""], ["/log-in", "#token=a"], ["/log-in", "#slip="], ["/log-in", "#%zz"]] as const) {
    assert.equal(readFragment(path, fragment), null);
  }
});

test("a finger that was down for less than half a second was a tap", () => {
  assert.equal(meaningOfLift(499, "button"), "free");
  assert.equal(meaningOfLift(500, "button"), "short");
  assert.equal(meaningOfLift(999, null), "short");
  assert.equal(meaningOfLift(1000, "button"), "send");
  assert.equal(meaningOfLift(5000, "cancel"), "cancel");
  assert.equal(meaningOfLift(5000, "free"), "free");
});

test("tries come further apart, up to five minutes, and not all phones at once", () => {
  assert.deepEqual([1, 2, 3, 20].map((tries) => pauseAfter(tries, 0.5)), [2000, 4000, 8000, 300_000]);
  assert.ok(pauseAfter(3, 0) < pauseAfter(3, 1));
});

test("a message that stopped, or waits for later, is not sent now", () => {
  const item = { stopped: null, next_try_at: 100 } as Waiting;
  assert.equal(isDue(item, 99), false);
  assert.equal(isDue(item, 100), true);
  assert.equal(isDue({ ...item, stopped: "clip_too_long" }, 100), false);
});

test("what may pass later is tried again, what is wrong in itself is not", () => {
  for (const [code, status] of [["try_again", 503], ["too_many_requests", 429], ["inbox_full", 409], ["request_too_slow", 408]] as const) {
    assert.equal(new Refused(code, status).isTransient, true);
  }
  for (const [code, status] of [["consent_required", 403], ["audio_not_readable", 422], ["clip_too_large", 413]] as const) {
    assert.equal(new Refused(code, status).isTransient, false);
  }
  assert.equal(new Refused("too_many_requests", 429, { retry_after_s: 7 }).retryAfterMs, 7000);
});

function message(seq: number, state: string, fields: Partial<MessageResponse> = {}): MessageResponse {
  return {
    message_id: `m${seq}`, seq, direction: "to_child", kind: "voice", recipients: [{ kind: "child", name: "Mei", state, changed_at: "" }], ...fields,
  } as MessageResponse;
}

test("messages are in the server's order, each once, in its newest form", () => {
  const list = merged([message(3, "stored"), message(1, "stored")], [message(2, "stored"), message(3, "played")]);
  assert.deepEqual(list.map((one) => [one.seq, one.recipients[0]?.state]), [[1, "stored"], [2, "stored"], [3, "played"]]);
});

test("only the newest of equal states in a row is shown", () => {
  const list = [message(1, "played"), message(2, "played"), message(3, "delivered"), message(4, "stored"), message(5, "stored")];
  assert.deepEqual([...shownStates(list)].sort(), ["m2", "m3", "m5"]);
  assert.equal(reached(message(1, "played", { kind: "text" }))?.key, "state.read");
  assert.equal(reached(message(1, "played", { direction: "to_family" })), null);
});

test("a block of the stream is read, a comment is none", () => {
  const parsed = parse('event: message.created\nid: abc\ndata: {"seq":7}');
  assert.deepEqual([parsed?.id, parsed?.kind, parsed?.data.seq], ["abc", "message.created", 7]);
  assert.equal(parse(": alive"), null);
});

test("a place opens in the map of the country, with the coordinates as they are", () => {
  const place: Place = { lat: 23.02, lon: 113.75, altitude_m: null };
  assert.match(mapAddress(place, "amap", true), /^https:\/\/uri\.amap\.com\/marker\?position=113\.750000,23\.020000&coordinate=wgs84/);
  assert.equal(mapAddress(place, "geo", false), "geo:23.020000,113.750000?q=23.020000,113.750000");
  assert.match(mapAddress(place, "geo", true), /^maps:/);
});

test("the sketch holds the circle of uncertainty, with north above", () => {
  const center: Place = { lat: 23, lon: 113, altitude_m: null };
  const drawing = drawingOf(center, [{ ...center, radius_m: 500 }]);
  assert.deepEqual(drawing.at(center), [160, 160]);
  assert.ok(500 * drawing.scale < 160);
  const [x, y] = drawing.at({ lat: 23.001, lon: 113.001 });
  assert.ok(x > 160 && y < 160);
});

test("a phone is called by its model where the browser tells it, and by nothing that is not shown", () => {
  const agent = "Mozilla/5.0 (Linux; Android 12; M2101K6G Build/SKQ1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.141 Mobile Safari/537.36";
  assert.equal(phoneName(agent), "M2101K6G, Chrome");
  assert.equal(phoneName(agent.replace("M2101K6G Build/SKQ1", "K")), "Android, Chrome");
  assert.equal(phoneName(agent, "Redmi Note 10"), "Redmi Note 10, Chrome");
  assert.equal(phoneName("Mozilla/5.0 (iPhone; CPU iPhone OS 14_1 like Mac OS X) AppleWebKit/605.1 Version/14.1 Mobile Safari/604.1"), "iPhone, Safari");
  assert.equal(phoneName("curl/8"), "");
  assert.ok(phoneName(agent, "<b>".repeat(40)).length <= 40);
});

test("the person who lives with the child is called first, and nobody calls their own number", () => {
  const person = (contact_id: string, more: object) =>
    ({ contact_id, number: "+86139", state: "approved", guardian_id: null, lives_with_child: false, emergency: false, position: 1, ...more }) as ContactResponse;
  const all = [
    person("dad", { guardian_id: "me" }), person("aunt", {}), person("teacher", { emergency: true, position: 9 }),
    person("grandma", { lives_with_child: true, position: 5 }), person("new", { state: "proposed" }), person("hidden", { number: null }),
  ];
  assert.deepEqual(callable(all, "me").map((one) => one.contact_id), ["grandma", "teacher", "aunt"]);
});

test("the code for the office says what works, what does not, and what was not tried", () => {
  const outcomes = { record: "yes", play: "yes", keep: "no", wake: null, install: "yes" } as const;
  assert.equal(shortCode(outcomes, "Mozilla/5.0 (Linux; Android 12; K) Chrome/87.0.4280.141 Mobile Safari/537.36"), "11021-C87");
  assert.equal(shortCode(outcomes, "Mozilla/5.0 (Linux; Android 12; K; wv) Version/4.0 Chrome/87.0 Safari/537.36"), "11021-W87");
});

test("a lock is due after five minutes, and when the clock went back", () => {
  assert.equal(isDueToLock(0, 299_999), false);
  assert.equal(isDueToLock(0, 300_000), true);
  assert.equal(isDueToLock(10, 5), true);
});
