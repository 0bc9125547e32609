// The conversation with one child.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { HomeChild, MessageResponse } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { go } from "../../shared/navigation.ts";
import type { Waiting } from "../../shared/store.ts";
import { Banner, Button, Empty, Field, Form, Send, Sheet, Skeleton, Top } from "../../shared/ui/parts.tsx";
import { Icon } from "../../shared/ui/icon.tsx";
import { ago, clockTime, dateName, dayName, isSameDay, lengthOf, problemSentence, shortDate, t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { childOf, familyOf, isOffline, onEvents, reload } from "../home/state.ts";
import { mode, TalkButton } from "./button.tsx";
import { close, hasOlder, isLoaded, messages, older, onTold, open, refresh, take, talkProblem } from "./conversation.ts";
import { EMOJI } from "./emoji.ts";
import { fetchAhead, isLoading, isNew, markSeen, play, playing, playOwn, playProblem, position, silence, speed, toggleSpeed } from "./player.ts";
import { put, takeBack, tryAgain, waiting } from "./queue.ts";
import { canRecord, micProblem } from "./recorder.ts";
import { reached, shownStates } from "./states.ts";

const MIC_ASKED = "mic";

export function Talk({ child_id }: { child_id: string }) {
  const child = childOf(child_id);
  useEffect(() => {
    void open(child_id);
    const off = onEvents((events) => void onTold(events), () => void refresh());
    return () => {
      off();
      silence();
      close();
    };
  }, [child_id]);
  useEffect(() => {
    if (!messages.value.length) return;
    void fetchAhead(messages.value);
    void markSeen(messages.value);
  }, [messages.value]);
  if (!child) return <Gone />;
  const name = child.child.name;
  return (
    <main class="screen talk-screen">
      <Top title={name}>
        {child.may_locate && <TopButton icon="place" word={t("place.title")} onClick={() => go({ name: "place", child_id })} />}
        <TopButton icon="menu" word={t("more.title")} onClick={() => go({ name: "more", child_id })} />
      </Top>
      <WatchLine child={child} />
      {isOffline.value && mode.value === "idle" && <Banner icon="wait">{t("offline.talk")}</Banner>}
      {child.ending_recordings && mode.value === "idle" && <KeepAll child_id={child_id} count={child.ending_recordings.count} first={child.ending_recordings.first_ends_at} />}
      {talkProblem.value ? <Empty>{problemSentence(talkProblem.value, { name })}</Empty> : <List child={child} />}
      {!talkProblem.value && child.may_message && <Dock child={child} />}
    </main>
  );
}

/** Recordings end after a while: the family is asked before the first of them does. */
function KeepAll({ child_id, count, first }: { child_id: string; count: number; first: string | null }) {
  const [problem, setProblem] = useState("");
  const keepAll = async (): Promise<void> => {
    try {
      await ask("POST /v1/children/{child_id}/voice-messages/keep", { path: { child_id } });
      await Promise.all([reload(), refresh()]);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <Banner icon="wait">
      <p>{t("talk.ending", { n: count, date: shortDate(first ?? "") })}</p>
      {problem && <p class="problem" role="alert">{problem}</p>}
      <Button testId="keep-all" onClick={() => void keepAll()}>{t("talk.keep_all")}</Button>
    </Banner>
  );
}

function Gone() {
  return (
    <main class="screen">
      <Top title="SmartWatch" />
      <Empty>{t("talk.gone")}</Empty>
    </main>
  );
}

export function TopButton({ icon, word, onClick }: { icon: "place" | "menu"; word: string; onClick: () => void }) {
  return (
    <button type="button" class="top-button" onClick={onClick}>
      <Icon name={icon} />
      <span>{word}</span>
    </button>
  );
}

/** When the watch was last heard of; never just "online", which may be half an hour old. */
export function WatchLine({ child }: { child: HomeChild }) {
  const watch = child.child.watch;
  if (!watch) return <p class="watch-line soft">{t("watch.none")}</p>;
  if (watch.presence === "on_its_way" && watch.on_its_way_since_at) {
    return <p class="watch-line soft"><Icon name="way" />{t("way.since", { ago: ago(watch.on_its_way_since_at) })}</p>;
  }
  if (!watch.last_seen_at) return <p class="watch-line soft">{t("watch.never")}</p>;
  const battery = watch.battery_pct === null ? "" : ` · ${t("watch.battery", { n: watch.battery_pct })}`;
  const lost = watch.presence === "flat" || watch.presence === "switched_off" || watch.presence === "silent";
  return (
    <p class="watch-line soft">
      <Icon name="watch" />
      {t("watch.heard", { ago: ago(watch.last_seen_at) })}
      {lost ? ` · ${t(`watch.${watch.presence as "flat" | "switched_off" | "silent"}`)}` : battery}
    </p>
  );
}

function List({ child }: { child: HomeChild }) {
  const box = useRef<HTMLDivElement>(null);
  const zone = familyOf(child)?.timezone ?? null;
  const own = waiting.value.filter((one) => one.child_id === child.child.child_id);
  const shown = shownStates(messages.value);
  const newest = messages.value[messages.value.length - 1]?.message_id;
  useLayoutEffect(() => {
    box.current?.scrollTo(0, box.current.scrollHeight);
  }, [newest, own.length, isLoaded.value]);
  if (!isLoaded.value) return <div class="list" ref={box}><Skeleton lines={5} /></div>;
  const unheard = messages.value.filter((one) => one.kind === "voice" && isNew(one) && one.voice?.state === "ready");
  return (
    <div class="list" ref={box} role="log" aria-live="off">
      {hasOlder.value && <Button kind="quiet" onClick={() => void older()}>{t("talk.older")}</Button>}
      {messages.value.length === 0 && own.length === 0 && <Empty>{t("talk.empty", { name: child.child.name })}</Empty>}
      {messages.value.map((one, index) => {
        const before = messages.value[index - 1];
        const at = one.sent_at ?? one.received_at;
        const isOtherDay = !before || !isSameDay(before.sent_at ?? before.received_at, at, zone);
        return (
          <div key={one.message_id}>
            {isOtherDay && <h2 class="day">{dayName(at, zone)}</h2>}
            <Bubble message={one} zone={zone} showState={shown.has(one.message_id)} />
          </div>
        );
      })}
      {own.map((one) => <WaitingBubble key={one.key} item={one} zone={zone} />)}
      {unheard.length > 1 && !playing.value && (
        <Button kind="plain" icon="play" onClick={() => unheard[0] && void play(unheard[0])}>{t("talk.play_all", { n: unheard.length })}</Button>
      )}
    </div>
  );
}

function Bubble({ message, zone, showState }: { message: MessageResponse; zone: string | null; showState: boolean }) {
  const isOwn = message.direction === "to_child";
  const state = reached(message);
  const [isOpen, setOpen] = useState(false);
  return (
    <div class={`bubble ${isOwn ? "own" : "other"}`} data-testid="message" data-message={message.message_id}>
      {message.kind === "voice" ? <Voice message={message} /> : <p class={message.kind}>{message.kind === "emoji" ? EMOJI[message.emoji ?? ""] ?? message.emoji : message.text}</p>}
      <p class="meta">
        {isNew(message) && message.kind === "voice" && <b class="new">{t("talk.new")}</b>}
        <span>{clockTime(message.sent_at ?? message.received_at, zone)}</span>
        {isOwn && showState && state && <span class="state" data-testid="state"><Icon name={state.icon} />{t(state.key)}</span>}
        {message.kind === "voice" && message.voice && (
          <button type="button" class="small" onClick={() => setOpen(true)}>
            {message.voice.kept ? t("talk.kept") : t("talk.until", { date: shortDate(message.voice.expires_at) })}
          </button>
        )}
      </p>
      {isOpen && <KeepSheet message={message} onClose={() => setOpen(false)} />}
    </div>
  );
}

function KeepSheet({ message, onClose }: { message: MessageResponse; onClose: () => void }) {
  const kept = message.voice?.kept ?? false;
  const change = async (): Promise<void> => {
    const path = { child_id: message.child_id, message_id: message.message_id };
    await take(message.child_id, [await ask("PUT /v1/children/{child_id}/messages/{message_id}/kept", { path, body: { kept: !kept } })]);
    onClose();
  };
  return (
    <Sheet title={t("talk.keep_title")} onClose={onClose}>
      <p>{kept ? t("talk.kept_about") : t("talk.keep_about", { date: dateName(message.voice?.expires_at ?? "") })}</p>
      <Button kind="act" onClick={() => void change()}>{kept ? t("talk.keep_no_more") : t("talk.keep")}</Button>
      <Button onClick={onClose}>{t("action.close")}</Button>
    </Sheet>
  );
}

function Voice({ message }: { message: MessageResponse }) {
  const voice = message.voice;
  const id = message.message_id;
  if (!voice || voice.state === "gone") return <p class="soft">{t("talk.deleted")}</p>;
  if (voice.state === "unplayable") return <p class="soft">{t("talk.unplayable")}</p>;
  const isPlaying = playing.value === id;
  return (
    <>
      <div class="voice">
        <button
          type="button"
          class="round act"
          data-testid="play"
          disabled={voice.state === "pending"}
          aria-busy={isLoading.value === id}
          aria-label={isPlaying ? t("action.stop") : t("talk.play_from", { name: message.from.name, length: lengthOf(voice.duration_ms ?? 0) })}
          onClick={() => (isPlaying ? silence() : void play(message))}
        >
          <Icon name={isPlaying ? "pause" : "play"} />
        </button>
        <Bars heights={voice.bars} share={isPlaying ? position.value : 0} />
        <span class="length">{lengthOf(voice.duration_ms ?? 0)}</span>
        {isPlaying && <button type="button" class="small" onClick={toggleSpeed}>{t("talk.speed", { speed: speed.value })}</button>}
      </div>
      {playProblem.value?.id === id && <p class="problem" role="alert">{problemSentence(playProblem.value.code)}</p>}
    </>
  );
}

function Bars({ heights, share }: { heights: number[] | null; share: number }) {
  const all = heights ?? Array.from({ length: 44 }, () => 8);
  return (
    <svg class="bars" viewBox={`0 0 ${all.length * 3} 32`} preserveAspectRatio="none" aria-hidden="true">
      {all.map((height, at) => {
        const tall = Math.max(3, (height / 100) * 32);
        return <rect key={at} x={at * 3} y={16 - tall / 2} width={2} height={tall} class={at / all.length < share ? "past" : ""} />;
      })}
    </svg>
  );
}

function WaitingBubble({ item, zone }: { item: Waiting; zone: string | null }) {
  const isPlaying = playing.value === item.key;
  return (
    <div class={`bubble own waits ${item.stopped ? "stopped" : ""}`} data-testid="waiting">
      {item.kind === "voice" && item.sound ? (
        <div class="voice">
          <button type="button" class="round act" aria-label={t("action.listen")} onClick={() => (isPlaying ? silence() : void playOwn(item.key, item.sound ?? new ArrayBuffer(0), item.type ?? ""))}>
            <Icon name={isPlaying ? "pause" : "play"} />
          </button>
          <Bars heights={null} share={isPlaying ? position.value : 0} />
          <span class="length">{lengthOf(item.duration_ms ?? 0)}</span>
        </div>
      ) : (
        <p class={item.kind}>{item.kind === "emoji" ? EMOJI[item.emoji ?? ""] : item.text}</p>
      )}
      {item.stopped ? (
        <div class="stack">
          <p class="problem">{item.stopped === "old" ? t("queue.old") : problemSentence(item.stopped)}</p>
          <div class="choices">
            <Button kind="bad" onClick={() => void takeBack(item.key)}>{t("action.discard")}</Button>
            <Button kind="act" onClick={() => void tryAgain(item)}>{t("action.again")}</Button>
          </div>
        </div>
      ) : (
        <p class="meta">
          <span>{clockTime(item.made_at, zone)}</span>
          <span class="state"><Icon name="wait" />{item.tries > 0 || isOffline.value ? t("state.waits") : t("state.sending")}</span>
          {item.tries > 0 && <button type="button" class="small" onClick={() => void takeBack(item.key)}>{t("queue.take_back")}</button>}
        </p>
      )}
    </div>
  );
}

function Dock({ child }: { child: HomeChild }) {
  const child_id = child.child.child_id;
  const [writes, setWrites] = useState(false);
  const [mayRecord, setMayRecord] = useState(localStorage.getItem(MIC_ASKED) === "1");
  if (writes) return <Write child_id={child_id} onClose={() => setWrites(false)} />;
  return (
    <div class="bottom">
      {canRecord() && mayRecord ? <TalkButton child_id={child_id} name={child.child.name} /> : <MicCard onAllowed={() => setMayRecord(true)} />}
      {mode.value === "idle" && (
        <button type="button" class="button quiet" data-testid="write" onClick={() => setWrites(true)}>
          <Icon name="pen" />
          <span>{t("talk.write")}</span>
        </button>
      )}
    </div>
  );
}

/** Before the first time: why the microphone is asked for; and where to turn it on again. */
function MicCard({ onAllowed }: { onAllowed: () => void }) {
  if (!canRecord()) return <Banner icon="mic">{t("mic.old")}</Banner>;
  const allow = async (): Promise<void> => {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      for (const track of stream.getTracks()) track.stop();
      localStorage.setItem(MIC_ASKED, "1");
      micProblem.value = null;
      onAllowed();
    } catch (error) {
      micProblem.value = error instanceof DOMException && error.name === "NotFoundError" ? "none" : "denied";
    }
  };
  return (
    <div class="card stack">
      <p>{t("mic.why")}</p>
      {micProblem.value && <p class="problem" role="alert">{t(`mic.${micProblem.value}`)}</p>}
      <Button kind="act" icon="mic" testId="allow" onClick={() => void allow()}>{t("mic.allow")}</Button>
    </div>
  );
}

function Write({ child_id, onClose }: { child_id: string; onClose: () => void }) {
  const [text, setText] = useState("");
  const isPutting = useRef(false);
  /** The words stand here until the phone has kept them: where that fails they are still there. */
  const send = async (made: { kind: "text"; text: string } | { kind: "emoji"; emoji: string }): Promise<void> => {
    if (isPutting.current) return;
    isPutting.current = true;
    try {
      await put({ child_id, ...made });
      onClose();
    } finally {
      isPutting.current = false;
    }
  };
  return (
    <div class="bottom card">
      <Form onSend={() => { if (text.trim()) void send({ kind: "text", text: text.trim() }); }}>
        <Field label={t("talk.text")} value={text} onInput={setText} maxLength={500} autoComplete="off" />
        <div class="choices">
          <Button onClick={onClose}>{t("action.close")}</Button>
          <Send disabled={!text.trim()}>{t("action.send")}</Send>
        </div>
      </Form>
      <div class="emoji-grid">
        {Object.entries(EMOJI).map(([word, glyph]) => (
          <button type="button" key={word} aria-label={t(`emoji.${word}` as "emoji.heart")} onClick={() => void send({ kind: "emoji", emoji: word })}>
            {glyph}
          </button>
        ))}
      </div>
    </div>
  );
}
