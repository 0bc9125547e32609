// Where the child is. Opening this screen is a look, and the family sees it; nothing of it is fetched before.
import { useEffect, useState } from "preact/hooks";
import type { CommandResponse, DayResponse, LatestPlaceResponse, ZoneResponse } from "../../shared/api-types.ts";
import { ask, Refused } from "../../shared/api.ts";
import { go } from "../../shared/navigation.ts";
import { Banner, Button, Empty, Problem, Skeleton, Top } from "../../shared/ui/parts.tsx";
import { ago, clockTime, lengthOf, t } from "../../shared/words.ts";
import { sentenceOf } from "../door/door.tsx";
import { childOf, familyOf, onEvents } from "../home/state.ts";
import { TopButton } from "../talk/talk.tsx";
import { MapLink } from "./map.tsx";
import { type Circle, Sketch } from "./sketch.tsx";
import { Zones } from "./zones.tsx";

export function Place({ child_id }: { child_id: string }) {
  const child = childOf(child_id);
  const name = child?.child.name ?? "";
  const family = child && familyOf(child);
  const [latest, setLatest] = useState<LatestPlaceResponse | null>(null);
  const [zones, setZones] = useState<ZoneResponse[]>([]);
  const [planned, setPlanned] = useState<Circle | null>(null);
  const [day, setDay] = useState<DayResponse | null>(null);
  const [problem, setProblem] = useState("");
  const [needsConsent, setNeedsConsent] = useState(false);

  const run = async (work: () => Promise<void>): Promise<void> => {
    setProblem("");
    try {
      await work();
    } catch (error) {
      if (error instanceof Refused && error.code === "consent_required") setNeedsConsent(true);
      else setProblem(sentenceOf(error));
    }
  };
  const path = { child_id };
  const look = (): Promise<void> =>
    run(async () => {
      const found = await ask("GET /v1/children/{child_id}/checkins/latest", { path });
      setLatest(found);
      // The family's log counts a look at the zones too: they are read only where there is a place to draw among them,
      // and by those who may.
      if (found.seen && child?.may_manage) setZones((await ask("GET /v1/children/{child_id}/zones", { path })).zones);
    });
  useEffect(() => void look(), [child_id]);

  const seen = latest?.seen;
  return (
    <main class="screen">
      <Top title={t("place.of", { name })}>
        <TopButton icon="menu" word={t("more.title")} onClick={() => go({ name: "more", child_id })} />
      </Top>
      {problem && <Problem>{problem}</Problem>}
      {needsConsent && (
        <Banner icon="paper">
          {t("place.no_consent")} <Button onClick={() => go({ name: "consents" })}>{t("consent.all")}</Button>
        </Banner>
      )}
      {!latest && !problem && !needsConsent && <Skeleton lines={4} />}
      {latest && !latest.location_on && <Banner icon="place">{t("place.off", { name })}</Banner>}
      {latest && !seen && <Empty>{t("place.nothing")}</Empty>}
      {seen && (
        <section class="card stack">
          <h2>{seen.zone ? t("place.at", { zone: seen.zone.name }) : t("place.elsewhere")}</h2>
          <p>{t("place.when", { ago: ago(seen.happened_at), at: clockTime(seen.happened_at, family?.timezone) })}</p>
          <Sketch place={seen.place} accuracy_m={seen.accuracy_m} zones={zones} track={day?.track ?? []} planned={planned} />
          <MapLink place={seen.place} kind={family?.map ?? "geo"} accuracy_m={seen.accuracy_m} />
        </section>
      )}
      {seen && child?.may_manage && <Zones child_id={child_id} center={seen.place} zones={zones} onPlan={setPlanned} onChange={look} />}
      {latest?.location_on && <AskTheWatch child_id={child_id} name={name} onFound={look} />}
      {seen && !day && (
        <Button icon="way" onClick={() => void run(async () => setDay(await ask("GET /v1/children/{child_id}/checkins/day", { path, query: {} })))}>{t("place.day")}</Button>
      )}
      {day && (
        <ol class="stays">
          {day.stays.map((one) => (
            <li key={one.from_at}>
              {clockTime(one.from_at, day.timezone)}–{clockTime(one.until_at, day.timezone)} {one.zone?.name ?? t("place.elsewhere")}
            </li>
          ))}
          {day.stays.length === 0 && <li>{t("place.no_stays")}</li>}
        </ol>
      )}
      <p class="soft">{t("place.seen_by", { name })}</p>
      <Button kind="quiet" icon="eye" onClick={() => go({ name: "looks", child_id })}>{t("looks.title")}</Button>
    </main>
  );
}

const OPEN = new Set(["waiting", "sent", "delivered"]);

function AskTheWatch({ child_id, name, onFound }: { child_id: string; name: string; onFound: () => Promise<void> }) {
  const [command, setCommand] = useState<CommandResponse | null>(null);
  const [problem, setProblem] = useState("");
  const [now, setNow] = useState(Date.now());
  const isOpen = !!command && OPEN.has(command.state) && Date.parse(command.expires_at) > now;

  useEffect(() => {
    if (!isOpen) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isOpen]);
  useEffect(() => {
    if (!command || !isOpen) return;
    const read = async (): Promise<void> => {
      const path = { child_id, command_id: command.command_id };
      const changed = await ask("GET /v1/children/{child_id}/commands/{command_id}", { path });
      setCommand(changed);
    };
    return onEvents((events) => {
      if (events.some((one) => one.kind === "command.changed" && one.ref_id === command.command_id)) void read().catch(() => undefined);
    }, () => void read().catch(() => undefined));
  }, [command?.command_id, isOpen]);
  // A watch may say "done" before its place arrives. The place is looked at once, when it is there: each look is told.
  useEffect(() => {
    if (!command) return;
    let isAwaited = true;
    return onEvents((events) => {
      if (!isAwaited || !events.some((one) => one.kind === "checkin.latest" && one.child_id === child_id)) return;
      isAwaited = false;
      void onFound();
    }, () => { if (isAwaited) void onFound(); });
  }, [command?.command_id]);

  const give = async (): Promise<void> => {
    setProblem("");
    try {
      setCommand(await ask("POST /v1/children/{child_id}/commands", { path: { child_id }, body: { kind: "locate" } }));
      setNow(Date.now());
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const rest = command ? lengthOf(Math.max(0, Date.parse(command.expires_at) - now)) : "";
  return (
    <section class="card stack">
      {isOpen && <p role="status">{t("place.asked", { rest })}</p>}
      {command?.state === "done" && <p role="status">{t("place.answered")}</p>}
      {command && !isOpen && command.state !== "done" && <p role="status">{command.detail === "no_fix" ? t("place.no_fix") : t("place.no_answer")}</p>}
      {problem && <Problem>{problem}</Problem>}
      <Button icon="watch" disabled={isOpen} onClick={() => void give()}>{t("place.ask")}</Button>
      <p class="soft">{t("place.ask_about", { name })}</p>
    </section>
  );
}
