// The button: hold and let go, or tap and go on with free hands. Times are those of the events: handlers run late on a
// slow phone, and a tap would become a hold.
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { guarded, shield } from "../../shared/ui/shield.ts";
import { Icon } from "../../shared/ui/icon.tsx";
import { lengthOf, t } from "../../shared/words.ts";
import { announce } from "../announce.tsx";
import { meaningOfLift, SHORTEST_MS, TAP_MS, type Target } from "./meaning.ts";
import { put } from "./queue.ts";
import { playing, playOwn, silence } from "./player.ts";
import {
  begin, dropDraft, elapsedMs, end, leftDraft, level, LONGEST_MS, micProblem, type Recording, recorderState, WARN_AT_MS,
} from "./recorder.ts";

const UNDO_MS = 10_000;

export type Mode = "idle" | "holding" | "free" | "review";
export const mode = signal<Mode>("idle");

export function TalkButton({ child_id, name }: { child_id: string; name: string }) {
  const [review, setReview] = useState<Recording | null>(null);
  const [undo, setUndo] = useState<Recording | null>(null);
  const [note, setNote] = useState("");
  const [over, setOver] = useState<Target>(null);
  const downAt = useRef(0);
  const upAt = useRef(-Infinity);
  const undoTimer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const atLimit = useRef<Recording | null>(null);

  useEffect(() => {
    mode.value = "idle";
    void leftDraft(child_id).then((left) => {
      if (!left || mode.value !== "idle") return;
      setReview(left);
      setNote(t("talk.draft_found"));
      mode.value = "review";
    });
    return () => {
      // Leaving the screen is like a call: what was said stays as a draft.
      void end();
      clearTimeout(undoTimer.current);
      mode.value = "idle";
    };
  }, [child_id]);

  // The button that was pressed is gone now: Escape is heard wherever the focus went, and the keyboard finds what is next.
  const dock = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (mode.value !== "free" && mode.value !== "review") return;
    if (document.activeElement === document.body) dock.current?.focus({ preventScroll: true });
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && mode.value === "free") void finish("cancel");
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [mode.value]);

  async function start(as: "holding" | "free"): Promise<void> {
    silence();
    setNote("");
    forgetUndo();
    atLimit.current = null;
    mode.value = as;
    announce(t("talk.recording"));
    if (!(await begin(child_id, () => void interrupted())) && mode.value === as) mode.value = "idle";
  }

  /** The time is up, the screen is locked, a call comes: the recording ends and is kept. */
  async function interrupted(): Promise<void> {
    const made = await end();
    if (mode.value === "holding" && document.visibilityState === "visible" && made) {
      atLimit.current = made;
      return;
    }
    toReview(made, elapsedMs.value >= LONGEST_MS ? t("talk.full") : t("talk.interrupted"));
  }

  function toReview(made: Recording | null, why = ""): void {
    setReview(made);
    setNote(made ? why : "");
    mode.value = made ? "review" : "idle";
    announce(t("talk.stopped"));
  }

  async function finish(what: "send" | "short" | "cancel"): Promise<void> {
    const made = atLimit.current ?? (await end());
    atLimit.current = null;
    mode.value = "idle";
    announce(t("talk.stopped"));
    if (!made) return;
    if (what === "send" && made.duration_ms >= SHORTEST_MS) return send(made);
    if (what === "cancel") return offerUndo(made);
    setNote(t("talk.too_short"));
    await dropDraft(made.draft);
  }

  async function send(made: Recording): Promise<void> {
    setReview(null);
    setNote("");
    mode.value = "idle";
    await put({ child_id, kind: "voice", sound: made.sound, type: made.type, duration_ms: made.duration_ms }, made.made_at, made.draft);
  }

  function offerUndo(made: Recording): void {
    setReview(null);
    mode.value = "idle";
    setUndo(made);
    clearTimeout(undoTimer.current);
    undoTimer.current = setTimeout(() => {
      setUndo(null);
      void dropDraft(made.draft);
    }, UNDO_MS);
  }

  function forgetUndo(): void {
    clearTimeout(undoTimer.current);
    if (undo) void dropDraft(undo.draft);
    setUndo(null);
  }

  function lift(event: PointerEvent): void {
    if (mode.value !== "holding") return;
    upAt.current = event.timeStamp;
    shield(event.timeStamp);
    const found = targetAt(event);
    setOver(null);
    const meaning = meaningOfLift(event.timeStamp - downAt.current, found);
    if (meaning !== "free") return void finish(meaning);
    // A microphone that has not opened yet opens into the same recording.
    if (atLimit.current) toReview(atLimit.current, t("talk.full"));
    else mode.value = "free";
  }

  // Holding keeps the same button in the page, so that its pointer stays captured.
  const isDown = mode.value === "holding";
  return (
    <div class={`dock ${mode.value}`} tabIndex={-1} ref={dock} role="group" aria-label={t("talk.button_for", { name })}>
      {undo && (
        <div class="undo">
          <span>{t("talk.cancelled")}</span>
          <button type="button" class="button quiet" onClick={() => { clearTimeout(undoTimer.current); setUndo(null); toReview(undo); }}>
            {t("action.undo")}
          </button>
        </div>
      )}
      {note && mode.value !== "free" && <p class="note">{note}</p>}
      {micProblem.value && mode.value === "idle" && <p class="problem" role="alert">{t(`mic.${micProblem.value}`)}</p>}
      {(isDown || mode.value === "free") && <Meter />}
      {isDown && (
        <div class="targets">
          <div class={`target cancel ${over === "cancel" ? "over" : ""}`} data-target="cancel"><Icon name="cross" />{t("action.cancel")}</div>
          <div class={`target free ${over === "free" ? "over" : ""}`} data-target="free"><Icon name="lock" />{t("talk.free")}</div>
        </div>
      )}
      {mode.value === "free" && (
        <div class="choices">
          <button type="button" class="button bad" onClick={guarded(() => void finish("cancel"))}>{t("action.discard")}</button>
          <button type="button" class="button" onClick={guarded(() => void end().then((made) => toReview(made)))}>{t("talk.listen_first")}</button>
          <button type="button" class="button act" data-testid="send-voice" onClick={guarded(() => void finish("send"))}>
            <Icon name="send" />{t("action.send")}
          </button>
        </div>
      )}
      {mode.value === "review" && review && (
        <div class="choices">
          <button type="button" class="button bad" onClick={guarded(() => { silence(); offerUndo(review); })}>{t("action.discard")}</button>
          <button
            type="button"
            class="button"
            onClick={guarded(() => (playing.value === review.draft ? silence() : void playOwn(review.draft, review.sound, review.type)))}
          >
            <Icon name={playing.value === review.draft ? "pause" : "play"} />
            {playing.value === review.draft ? t("action.stop") : `${t("action.listen")} ${lengthOf(review.duration_ms)}`}
          </button>
          <button type="button" class="button act" data-testid="send-voice" onClick={guarded(() => { silence(); void send(review); })}>
            <Icon name="send" />{t("action.send")}
          </button>
        </div>
      )}
      {(mode.value === "idle" || isDown) && (
        <button
          type="button"
          class={`talk ${isDown ? "down" : ""}`}
          data-testid="talk"
          data-target="button"
          onPointerDown={(event) => {
            if (event.button !== 0 || mode.value !== "idle") return;
            event.currentTarget.setPointerCapture(event.pointerId);
            downAt.current = event.timeStamp;
            void start("holding");
          }}
          onPointerMove={(event) => isDown && setOver(targetAt(event))}
          onPointerUp={lift}
          onPointerCancel={() => { if (mode.value === "holding") void end().then((made) => toReview(made, t("talk.interrupted"))); }}
          onContextMenu={(event) => event.preventDefault()}
          onClick={(event) => {
            // The click of a tap follows its pointer; one without a pointer is a keyboard's or a screen reader's.
            if (mode.value !== "idle" || event.timeStamp - upAt.current < TAP_MS) return;
            shield(event.timeStamp);
            void start("free");
          }}
          aria-label={isDown ? t("talk.let_go") : `${t("talk.button")} (${name})`}
        >
          <Icon name="mic" />
          <span>{isDown && recorderState.value === "recording" ? t("talk.let_go") : t("talk.button")}</span>
        </button>
      )}
    </div>
  );
}

function Meter() {
  const rest = Math.ceil((LONGEST_MS - elapsedMs.value) / 1000);
  return (
    <div class="meter" aria-hidden="true">
      <b>{recorderState.value === "recording" ? t("talk.recording") : t("talk.opening")}</b>
      <span class="elapsed">{lengthOf(elapsedMs.value)}</span>
      <div class="level"><div style={{ transform: `scaleX(${Math.min(1, level.value * 1.6)})` }} /></div>
      {elapsedMs.value >= WARN_AT_MS && <span>{t("talk.seconds_left", { n: Math.max(0, rest) })}</span>}
    </div>
  );
}

function targetAt(event: PointerEvent): Target {
  const found = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-target]");
  return (found?.getAttribute("data-target") ?? null) as Target;
}
