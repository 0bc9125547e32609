// The day of the hand-out: scans on one side, what the room has done on the other. Readable on a phone.
import { useEffect, useState } from "preact/hooks";
import type { HandOutResponse } from "../api-types.ts";
import { ask, Banner, Button, clockTime, Confirm, Empty, Head, Icon, isOffline, Problem, saveFile, sentenceOf, site, Skeleton, t, Table, useBusy, useEvery } from "../kit.ts";
import { counts, families, forgetBoard, readBoard } from "./board.ts";
import { Opening } from "./opening.tsx";
import { forgetPairs, isOfflineNow, unconfirmed } from "./pairs.ts";
import { Paper } from "./paper.tsx";
import { Scanner } from "./scanner.tsx";

const EVERY_MS = 5000;
const HALF_HOUR_MS = 30 * 60_000;
const LONGEST_MS = 6 * 3_600_000;
const MOST_SLIPS = 200;

export function Screen() {
  const [open, setOpen] = useState<HandOutResponse | null | undefined>(undefined);
  const [problem, setProblem] = useState("");
  const [isPaper, setPaper] = useState(false);
  const path = { site_id: site.value?.site_id ?? "" };
  const { isBusy, problem: failed, run } = useBusy();
  useEffect(() => () => { forgetBoard(); forgetPairs(); }, []);
  useEvery(EVERY_MS, async () => {
    try {
      if (!open || Date.parse(open.closes_at) < Date.now()) {
        const { hand_outs } = await ask("GET /v1/staff/sites/{site_id}/hand-outs", { path, timeoutMs: 8000 });
        const found = hand_outs.find((one) => one.open) ?? null;
        setOpen(found);
        if (!found) return;
      }
      await readBoard(path.site_id);
      isOfflineNow.value = false;
      setProblem("");
    } catch (error) {
      if (isOffline(error)) isOfflineNow.value = true;
      else setProblem(sentenceOf(error));
    }
  }, [path.site_id, open?.hand_out_id]);

  if (isPaper) return <Paper onDone={() => setPaper(false)} />;
  if (open === undefined) {
    return (
      <>
        <Head title={t("handout.title")} />
        {isOfflineNow.value ? <Problem>{t("problem.offline")}</Problem> : problem ? <Problem>{problem}</Problem> : <Skeleton lines={4} />}
      </>
    );
  }
  if (open === null) return <Opening onOpen={setOpen} onPaper={() => setPaper(true)} />;
  const print = async (family_codes: string[], name: string): Promise<void> => {
    const paper = await ask("POST /v1/staff/sites/{site_id}/hand-outs/{hand_out_id}/slips", { path: { ...path, hand_out_id: open.hand_out_id }, body: { family_codes }, timeoutMs: 60_000 });
    saveFile(paper as unknown as Blob, name);
  };
  const slip = (family: string): Promise<void> => run(() => print([family], `slip-${family}.pdf`));
  // One print for everybody who has no phone with them, or no text message.
  const slips = (all: string[]): Promise<void> =>
    run(async () => {
      for (let from = 0; from < all.length; from += MOST_SLIPS) await print(all.slice(from, from + MOST_SLIPS), from === 0 ? "slips.pdf" : `slips-${from + 1}.pdf`);
    });
  return (
    <>
      <Head title={t("handout.title")} focus={false}>
        <span>{t("handout.until", { at: clockTime(open.closes_at, site.value?.timezone) })}</span>
      </Head>
      {(isOfflineNow.value || unconfirmed.value.length > 0) && <Network onPaper={() => setPaper(true)} />}
      {problem && <Problem>{problem}</Problem>}
      {failed && <Problem>{failed}</Problem>}
      <div class="hall" aria-busy={isBusy}>
        <Scanner onSlip={(family) => void slip(family)} />
        <section class="stack">
          <Counts />
          <Doing open={open} onChange={setOpen} onPaper={() => setPaper(true)} />
        </section>
      </div>
      <Families isBusy={isBusy} onSlip={(family) => void slip(family)} onSlips={(all) => void slips(all)} />
    </>
  );
}

/** The network is away, or was: nothing waits in a queue, the paper goes on. */
function Network({ onPaper }: { onPaper: () => void }) {
  const n = unconfirmed.value.length;
  return (
    <Banner kind="bad" icon="bad">
      <p><strong>{isOfflineNow.value ? t("handout.away") : t("handout.back")}</strong></p>
      <p>{isOfflineNow.value ? t("handout.away_about") : t("handout.back_about", { n })}</p>
      {n > 0 && <ul class="paper-list" data-testid="unconfirmed">{unconfirmed.value.map((one) => <li key={`${one.serial}${one.family}`}>{`${one.serial}  ${one.family}`}</li>)}</ul>}
      {!isOfflineNow.value && <Button kind="act" onClick={onPaper} testId="enter-paper">{t("handout.paper")}</Button>}
    </Banner>
  );
}

function Counts() {
  const told = counts.value;
  if (!told) return <Skeleton lines={2} />;
  const of = (n: number): string => `${n} / ${told.enrolled}`;
  return (
    <dl class="counts" data-testid="counts">
      <div><dt>{t("handout.logged_in")}</dt><dd>{of(told.logged_in)}</dd></div>
      <div><dt>{t("handout.given")}</dt><dd>{of(told.given)}</dd></div>
      <div><dt>{t("handout.paired")}</dt><dd>{of(told.paired)}</dd></div>
    </dl>
  );
}

function Doing({ open, onChange, onPaper }: { open: HandOutResponse; onChange: (open: HandOutResponse | null) => void; onPaper: () => void }) {
  const [asks, setAsks] = useState(false);
  const { isBusy, problem, run } = useBusy();
  const path = { site_id: site.value?.site_id ?? "", hand_out_id: open.hand_out_id };
  const prolong = (): Promise<void> =>
    run(async () => {
      const last = Date.parse(open.opened_at) + LONGEST_MS;
      const closes_at = new Date(Math.min(last, Date.parse(open.closes_at) + HALF_HOUR_MS)).toISOString();
      onChange(await ask("POST /v1/staff/sites/{site_id}/hand-outs/{hand_out_id}/prolong", { path, body: { closes_at } }));
    });
  const close = (): Promise<void> =>
    run(async () => {
      await ask("POST /v1/staff/sites/{site_id}/hand-outs/{hand_out_id}/close", { path });
      onChange(null);
    });
  return (
    <div class="stack" aria-busy={isBusy}>
      {open.wall_url && <a class="button act" href={open.wall_url} target="_blank" rel="noopener" data-testid="wall"><Icon name="eye" /><span>{t("handout.wall")}</span></a>}
      <div class="choices">
        {open.may_prolong && <Button icon="wait" onClick={() => void prolong()} testId="prolong">{t("handout.prolong")}</Button>}
        <Button icon="paper" onClick={onPaper} testId="paper">{t("handout.paper")}</Button>
        <Button kind="bad" icon="lock" onClick={() => setAsks(true)}>{t("handout.close")}</Button>
      </div>
      {problem && <Problem>{problem}</Problem>}
      {asks && (
        <Confirm title={t("handout.close")} yes={t("handout.close_yes")} busy={isBusy} onYes={() => void close()} onNo={() => setAsks(false)}>
          <p>{t("handout.close_about")}</p>
        </Confirm>
      )}
    </div>
  );
}

/** Families that still need something come first. */
function Families({ isBusy, onSlip, onSlips }: { isBusy: boolean; onSlip: (family: string) => void; onSlips: (families: string[]) => void }) {
  const all = families.value;
  const missing = all.filter((one) => !one.has_logged_in).map((one) => one.family_code);
  if (all.length === 0) return <Empty>{t("handout.no_families")}</Empty>;
  const waits = (one: (typeof all)[number]): number => (one.has_logged_in && one.no_working_channel ? 0 : one.serials.length === 0 ? 1 : one.paired ? 3 : 2);
  return (
    <>
      {missing.length > 1 && <div class="choices start"><Button icon="paper" busy={isBusy} onClick={() => onSlips(missing)} testId="slips">{t("handout.slips", { n: missing.length })}</Button></div>}
      <Table
        caption={t("handout.families")}
        rows={[...all].sort((a, b) => waits(a) - waits(b))}
        keyOf={(one) => one.family_code}
        testId="families"
        columns={[
          { title: t("handout.family"), cell: (one) => one.family_code },
          { title: t("handout.watch"), cell: (one) => one.serials.join(", ") || t("handout.none") },
          { title: t("handout.phone"), cell: (one) => (!one.has_logged_in ? t("handout.not_in") : one.no_working_channel ? t("handout.unreached") : t("handout.in")) },
          { title: t("handout.paired"), cell: (one) => (one.paired ? t("handout.is_paired") : t("handout.is_not_paired")) },
          { title: t("handout.help"), cell: (one) => !one.has_logged_in && <button type="button" class="small" onClick={() => onSlip(one.family_code)}>{t("handout.slip", { family: one.family_code })}</button> },
        ]}
      />
    </>
  );
}
