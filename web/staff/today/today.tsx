// The first screen: what waits, the longest first, one action a line.
import { useState } from "preact/hooks";
import { ago, Button, clockTime, Empty, go, Head, Icon, locale, may, Problem, sentenceOf, site, Skeleton, t, useAsked, useEvery, Banner, SCREENS } from "../kit.ts";
import type { Waiting } from "./order.ts";
import { readWaiting } from "./waiting.ts";

const EVERY_MS = 60_000;

export function Screen() {
  const [waiting, setWaiting] = useState<Waiting[] | null>(null);
  const [isWhole, setWhole] = useState(true);
  const [readAt, setReadAt] = useState("");
  const [problem, setProblem] = useState("");
  const site_id = site.value?.site_id;
  const read = async (): Promise<void> => {
    if (!site_id) return;
    try {
      const got = await readWaiting(site_id, locale.value);
      setWaiting(got.waiting);
      setWhole(got.isWhole);
      setReadAt(new Date().toISOString());
      setProblem("");
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  useEvery(EVERY_MS, read, [site_id, locale.value]);
  const lastLooked = readAt ? t("today.looked", { at: clockTime(readAt) }) : "";
  return (
    <>
      <Head title={t("today.title")}>
        <Button icon="wait" onClick={() => void read()}>{t("today.again")}</Button>
      </Head>
      {may("hand out") && <OpenHandOut />}
      {problem && <Problem>{problem}</Problem>}
      {!isWhole && <Problem>{t("today.partly")}</Problem>}
      {waiting === null && !problem && <Skeleton lines={4} />}
      {waiting?.length === 0 && <Empty>{t("today.empty")}</Empty>}
      {waiting && waiting.length > 0 && (
        <ul class="rows" data-testid="waiting">{waiting.map((one) => <li key={one.id}><Line one={one} /></li>)}</ul>
      )}
      <p class="soft" role="status">{lastLooked}</p>
    </>
  );
}

function Line({ one }: { one: Waiting }) {
  const target = SCREENS.find((screen) => screen.name === one.screen);
  const isMine = target && (target.needs.length === 0 || target.needs.some(may));
  return (
    <div class="row waiting">
      <Icon name={one.icon} />
      <span>
        {one.title()}
        <small>{one.about()}</small>
      </span>
      {one.since && <time dateTime={one.since}>{ago(one.since)}</time>}
      {isMine && <Button onClick={() => go(one.screen, one.what)}>{t("today.open")}<span class="unseen"> {one.title()}</span></Button>}
    </div>
  );
}

/** A hand-out that runs now is what everybody is here for. */
function OpenHandOut() {
  const { answer } = useAsked("GET /v1/staff/sites/{site_id}/hand-outs", { path: { site_id: site.value?.site_id ?? "" } });
  const open = answer?.hand_outs.find((one) => one.open);
  if (!open) return null;
  return (
    <Banner kind="good" icon="watch">
      {t("today.hand_out", { at: clockTime(open.closes_at, site.value?.timezone) })}{" "}
      <Button onClick={() => go("handout")}>{t("today.open")}</Button>
    </Banner>
  );
}
