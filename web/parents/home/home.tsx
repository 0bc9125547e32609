// The first screen: calls for help above everything, then a card for each child.
import { useEffect, useState } from "preact/hooks";
import type { HomeChild, MeResponse, WaitingLogIn } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { go } from "../../shared/navigation.ts";
import { Banner, Button, Empty, Problem, Skeleton } from "../../shared/ui/parts.tsx";
import { Icon } from "../../shared/ui/icon.tsx";
import { ago, clockTime, dateName, dayName, lengthOf, problemSentence, t } from "../../shared/words.ts";
import { begun } from "../begun.ts";
import { sentenceOf } from "../door/door.tsx";
import { EMOJI } from "../talk/emoji.ts";
import { waiting } from "../talk/queue.ts";
import { WatchLine } from "../talk/talk.tsx";
import { CheckQuestion } from "../sos/check.tsx";
import { isAside, showAgain } from "../sos/sos.tsx";
import { LowBattery } from "./battery.tsx";
import { QuestionCard } from "./question.tsx";
import { familyOf, home, homeProblem, isOffline, needsConsent, openCalls, reload } from "./state.ts";

export function Home() {
  const shown = home.value;
  return (
    <main class="screen">
      <header class="top home-top">
        <h1>SmartWatch</h1>
        <button type="button" class="top-button" onClick={() => go({ name: "settings" })} data-testid="settings">
          <Icon name="menu" />
          <span>{t("more.title")}</span>
        </button>
      </header>
      {isOffline.value && <Banner icon="wait">{t("offline.home")}</Banner>}
      {homeProblem.value && (
        <Banner kind="bad">
          {problemSentence(homeProblem.value)} <Button kind="quiet" onClick={() => void reload()}>{t("action.again")}</Button>
        </Banner>
      )}
      {!shown && <Skeleton lines={4} />}
      {shown && <Inside me={shown.me} />}
    </main>
  );
}

function Inside({ me }: { me: MeResponse }) {
  const shown = home.value;
  if (!shown) return null;
  const paired = begun.value?.kind === "pair";
  return (
    <div class="stack">
      {paired && <Banner icon="watch">{t("pair.begun")}</Banner>}
      {shown.waiting_log_ins.map((one) => <WaitingCard key={one.log_in_id} log_in={one} />)}
      {shown.families.filter((one) => one.programme_end.ends_on).map((one) => (
        <Banner key={one.family_id} icon="paper">{t("home.ends", { date: dateName(one.programme_end.ends_on ?? "") })}</Banner>
      ))}
      <QuestionCard families={me.families.filter((one) => !needsConsent(one)).map((one) => one.family_id)} />
      {shown.children.map((one) => <ChildCard key={one.child.child_id} child={one} />)}
      {shown.children.length === 0 && <Empty>{me.families.length ? t("home.no_child") : t("home.no_family")}</Empty>}
      {me.families.filter((one) => one.may_manage).map((one) => (
        <Button key={one.family_id} icon="child" kind={shown.children.length ? "quiet" : "act"} onClick={() => go({ name: "child", child_id: one.family_id })}>{t("home.add_child")}</Button>
      ))}
      {shown.notice && (
        <section class="card">
          <h2><Icon name="bell" />{t("home.notice")}</h2>
          <p>{shown.notice.kind === "get_in_touch" ? t("home.get_in_touch") : shown.notice.text}</p>
          <p class="meta">{dayName(shown.notice.created_at)}</p>
        </section>
      )}
      {!shown.pin_is_set && shown.children.some((one) => one.child.watch) && (
        <section class="card">
          <p>{t("home.set_pin")}</p>
          <Button onClick={() => go({ name: "phones" })}>{t("pin.set")}</Button>
        </section>
      )}
    </div>
  );
}

function ChildCard({ child }: { child: HomeChild }) {
  const { child_id, name, watch } = child.child;
  const zone = familyOf(child)?.timezone ?? null;
  const last = child.last_message;
  const queued = waiting.value.filter((one) => one.child_id === child_id).length;
  return (
    <section class="card child-card">
      <button type="button" class="card-open" onClick={() => go({ name: "talk", child_id })} data-testid="child">
        <span class="card-head">
          <b>{name}</b>
          {child.unread > 0 && <span class="count">{t("home.new", { n: child.unread })}</span>}
        </span>
        {last && (
          <span class="last">
            {last.kind === "voice" && <><Icon name="play" />{t("home.voice", { length: lengthOf(last.voice?.duration_ms ?? 0) })}</>}
            {last.kind === "emoji" && (EMOJI[last.emoji ?? ""] ?? "")}
            {last.kind === "text" && <span class="cut">{last.text}</span>}
            <time>{dayName(last.received_at, zone)} {clockTime(last.received_at, zone)}</time>
          </span>
        )}
        {!last && <span class="soft">{t("talk.empty", { name })}</span>}
        {queued > 0 && <span class="soft"><Icon name="wait" />{t("home.queued", { n: queued })}</span>}
      </button>
      <WatchLine child={child} />
      {openCalls().filter((one) => one.child === child && isAside(one.alert)).map(({ alert }) => (
        <div class="inset stack" key={alert.alert_id}>
          <p class="problem">{t("sos.still_open", { name })}</p>
          <Button kind="bad" icon="bell" onClick={() => showAgain(alert)}>{t("sos.show")}</Button>
        </div>
      ))}
      {child.checks?.map((alert) => <div class="inset stack" key={alert.alert_id}><CheckQuestion child={child} alert={alert} /></div>)}
      {watch?.on_its_way_since_at && <Button icon="way" testId="way" onClick={() => go({ name: "way", child_id })}>{t("way.title")}</Button>}
      <LowBattery child={child} />
      {!watch && child.may_manage && <Button kind="act" icon="watch" testId="pair" onClick={() => go({ name: "pair", child_id })}>{t("pair.title")}</Button>}
      {child.help.length > 0 && <p class="soft"><Icon name="help" />{t("home.help_open", { ago: ago(child.help[0]?.asked_at ?? "") })}</p>}
    </section>
  );
}

/** Somebody logs in with a new phone: the question comes before the buttons. */
function WaitingCard({ log_in }: { log_in: WaitingLogIn }) {
  const [problem, setProblem] = useState("");
  const [isRead, setRead] = useState(false);
  useEffect(() => {
    // The server counts the same seconds, from the moment at which it first told this guardian.
    const timer = setTimeout(() => setRead(true), Math.max(0, Date.parse(log_in.approvable_from_at) - Date.now()) + 500);
    return () => clearTimeout(timer);
  }, [log_in.approvable_from_at]);
  const answer = async (name: "approve" | "refuse"): Promise<void> => {
    try {
      const path = { log_in_id: log_in.log_in_id };
      if (name === "approve") await ask("POST /v1/me/log-ins/{log_in_id}/approve", { path });
      else await ask("POST /v1/me/log-ins/{log_in_id}/refuse", { path });
      await reload();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <section class="card warn stack">
      <h2><Icon name="lock" />{t("login.waits", { name: log_in.display_name || t("person.somebody") })}</h2>
      <p>
        <b>{log_in.label || t("login.unnamed")}</b> {t("login.from", { phone: log_in.phone ?? "", ago: ago(log_in.created_at) })}
      </p>
      <p>{t("login.ask_first")}</p>
      {problem && <Problem>{problem}</Problem>}
      <div class="choices">
        <Button kind="bad" onClick={() => void answer("refuse")}>{t("login.refuse")}</Button>
        <Button kind="act" testId="approve" disabled={!isRead} onClick={() => void answer("approve")}>{t("login.approve")}</Button>
      </div>
    </section>
  );
}
